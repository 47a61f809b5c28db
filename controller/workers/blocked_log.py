"""Tells of SMS that were blocked: each reason once an hour as an error, and with how many there were."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from controller.domain.phone_number import mask

if TYPE_CHECKING:
    from datetime import datetime

    from structlog.typing import FilteringBoundLogger

    from controller.domain.sms import SmsStatus
    from controller.ports.clock import Clock
    from controller.ports.sms import QueuedSms

QUIET = timedelta(hours=1)
"""Whoever has us text ten thousand numbers does not fill the log as well."""


@dataclass(slots=True)
class _Told:
    at: datetime
    more: int = 0


class BlockedLog:
    """Every blocked SMS is in the database with its reason; this is for whoever is to be woken."""

    def __init__(self, clock: Clock, log: FilteringBoundLogger) -> None:
        self._clock = clock
        self._log = log
        self._told: dict[str, _Told] = {}

    def note(self, sms: QueuedSms, status: SmsStatus, reason: str) -> None:
        """Take note of one SMS that was blocked."""
        now = self._clock.now()
        log = self._log.bind(sms=sms.key, number=mask(sms.number), status=status.value, reason=reason)
        told = self._told.get(reason)
        if told is not None and abs(now - told.at) < QUIET:
            told.more += 1
            log.debug("sms_blocked_too")
            return
        before = told.more if told is not None else 0
        self._told = {one: each for one, each in self._told.items() if abs(now - each.at) < QUIET}
        self._told[reason] = _Told(now)
        log.error("sms_blocked", more_before=before)
