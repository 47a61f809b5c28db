"""Writes the booking link of an SMS into the database, before the SMS carries it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from controller.domain.signed import Purpose
from controller.ports.links import BookingLink

if TYPE_CHECKING:
    from collections.abc import Container

    from controller.domain.signed import Signer
    from controller.ports.clock import Clock
    from controller.ports.links import BookingLinks
    from controller.ports.sms import QueuedSms

LIFETIME_S = 48 * 3600.0


class LinkClerk:
    """Issues links. The same SMS has the same link, however often it is asked for."""

    def __init__(
        self,
        links: BookingLinks,
        signer: Signer,
        public_url: str,
        clock: Clock,
        *,
        templates: Container[str],
        lifetime_s: float = LIFETIME_S,
    ) -> None:
        """`public_url` is where our pages are, as `https://callback.example.com`; `templates` are those with a link."""
        self._links = links
        self._signer = signer
        self._public_url = public_url.rstrip("/")
        self._clock = clock
        self._templates = templates
        self._lifetime_s = lifetime_s

    async def link_for(self, sms: QueuedSms) -> str | None:
        """Return the address of the page for an SMS, durable and good for a while; None: its text has no link.

        Raises StoreUnavailableError.
        """
        if sms.template not in self._templates:
            return None
        purpose = Purpose.PROMISE if sms.promise_id else Purpose.BOOK
        link_id = self._signer.id_for(purpose, sms.key)
        await self._links.issue(
            BookingLink(
                id=link_id,
                purpose=purpose,
                queue=sms.queue,
                number=sms.number,
                language=sms.language,
                expires_at=self._clock.now() + timedelta(seconds=self._lifetime_s),
                promise_id=sms.promise_id,
            )
        )
        return f"{self._public_url}/l/{self._signer.token(purpose, link_id)}"
