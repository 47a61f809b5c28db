"""The audit of the console: every request that changes something, done or refused, and what else is to be known of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog
from aiohttp import web

from controller.console.forgery import SAFE_METHODS
from controller.domain.access import Kind, Scope
from controller.domain.phone_number import mask
from controller.logs import hide_numbers
from controller.ports.audit import AuditEntry
from controller.ports.promises import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from controller.console.doors import Door
    from controller.console.house import ConsoleHouse
    from controller.domain.access import Principal

log = structlog.get_logger(__name__)

WATCHED_READS = frozenset({Scope.PRIVACY_WRITE, Scope.LISTEN})
"""To read what takes one of these is written down as well."""
_DETAIL = web.RequestKey("audit_detail", dict[str, Any])


def tell(request: web.Request, **detail: Any) -> None:
    """Have a request written into the audit, also one that only reads, with more about it; numbers get masked.

    `detail` has texts, numbers, booleans and None: nothing that is long or secret.
    """
    request.setdefault(_DETAIL, {}).update(detail)


def is_noted(door: Door, request: web.Request) -> bool:
    """Tell whether a request is written down."""
    return door.method not in SAFE_METHODS or door.scope in WATCHED_READS or _DETAIL in request


async def note(house: ConsoleHouse, who: Principal, action: str, subject: str, detail: Mapping[str, Any]) -> None:
    """Write down that somebody is about to do something, before they do it. Raises StoreUnavailableError.

    `detail` as of `tell`.
    """
    hidden = {name: _hidden(value) for name, value in detail.items()}
    entry = AuditEntry(house.now, who.kind.value, who.name, action, "ok", _masked("", subject), hidden)
    await house.store.audit.note(entry)


class Trail:
    """Writes the audit of requests."""

    def __init__(self, house: ConsoleHouse) -> None:
        self._house = house

    async def note(self, door: Door, request: web.Request, principal: Principal, status: int) -> None:
        """Write down what came of a request of somebody we know. Never raises: what was done is done."""
        if principal.kind is Kind.NOBODY:
            return  # the log has it: whoever is nobody does not fill our database
        entry = AuditEntry(
            at=self._house.now,
            kind=principal.kind.value,
            who=principal.name,
            action=f"{door.method} {door.path}",
            subject=" ".join(_masked(name, value) for name, value in request.match_info.items()),
            outcome=str(status),
            detail={name: _hidden(value) for name, value in request.get(_DETAIL, {}).items()},
        )
        try:
            await self._house.store.audit.note(entry)
        except StoreUnavailableError as error:
            # The log is the audit then: nothing of it is lost.
            log.error(  # noqa: TRY400 - expected
                "audit_not_written",
                kind=entry.kind,
                who=entry.who,
                action=entry.action,
                subject=entry.subject,
                outcome=entry.outcome,
                detail=dict(entry.detail),
                error=str(error),
            )


def _masked(name: str, value: str) -> str:
    text = mask(value) if name == "number" else hide_numbers(value)
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def _hidden(value: Any) -> Any:
    return hide_numbers(value) if isinstance(value, str) else value
