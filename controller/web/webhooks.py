"""The door for SMS providers' news, `/sms/PROVIDER`: receipts and replies, verified and written down."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import structlog
from aiohttp import web

from controller.ports.promises import StoreUnavailableError
from controller.ports.sms import ForgedWebhookError, MalformedWebhookError, Receipt, WebhookRequest
from controller.web.forms import read_body

if TYPE_CHECKING:
    from controller.ports.sms import IncomingSms
    from controller.web.house import WebHouse

log = structlog.get_logger(__name__)

BODY_BYTES = 64 * 1024
STORE_RETRY_S = 5
EMPTY = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
"""What Twilio takes for "nothing is to be answered" (TwiML). To the others 200 says all, and this is a body."""


class Webhooks:
    """Takes what providers send. It acts once: the inbox knows what it has taken, in whatever order it comes.

    200 once it is durable. 403 what is forged, 400 what is no message, 503 while the database is away: providers send
    that again. `seen` counts answers by provider and status.
    """

    def __init__(self, site: WebHouse) -> None:
        self._site = site
        self.seen: Counter[tuple[str, int]] = Counter()

    async def receive(self, request: web.Request, address: str) -> web.Response:
        """POST: one request of a provider, which comes from `address`.

        Raises HTTPNotFound for a provider that is not ours, and as `read_body` does.
        """
        name, rates = request.match_info["name"], self._site.rates
        if name not in self._site.webhooks:
            raise web.HTTPNotFound
        wait_s = rates.forger(address)
        if wait_s is not None:
            return self._answer(name, 429, {"Retry-After": str(wait_s)})
        body = await read_body(request, BODY_BYTES, self._site.body_timeout_s)
        try:
            told = self._site.webhooks[name].read(self._as_sent(request, body))
        except ForgedWebhookError as reason:
            rates.forged(address)
            log.warning("webhook_forged", provider=name, reason=str(reason))
            return self._answer(name, 403)
        except MalformedWebhookError as reason:  # The provider's own: not counted, or its next ones would be refused.
            log.warning("webhook_malformed", provider=name, reason=str(reason))
            return self._answer(name, 400)
        try:
            fresh = [await self._note(each) for each in told]
        except StoreUnavailableError as error:
            log.warning("webhook_not_taken", provider=name, error=str(error))
            return self._answer(name, 503, {"Retry-After": str(STORE_RETRY_S)})
        log.info("webhook_taken", provider=name, told=len(fresh), fresh=sum(fresh))
        answer = self._answer(name, 200)
        answer.text, answer.content_type = EMPTY, "text/xml"
        return answer

    async def _note(self, told: Receipt | IncomingSms) -> bool:
        inbox, now = self._site.inbox, self._site.now
        if isinstance(told, Receipt):
            return await inbox.note_receipt(told, now)
        return await inbox.note_reply(told, now)

    def _as_sent(self, request: web.Request, body: bytes) -> WebhookRequest:
        """Return the request as the provider signed it: at the public address, whatever a proxy has made of it."""
        headers: dict[str, str] = {}
        for name, value in request.headers.items():
            key = name.lower()
            headers[key] = f"{headers[key]}, {value}" if key in headers else value
        return WebhookRequest(
            method=request.method,
            url=self._site.public_url.rstrip("/") + request.raw_path,
            headers=headers,
            body=body,
            now=self._site.now,
        )

    def _answer(self, name: str, status: int, headers: dict[str, str] | None = None) -> web.Response:
        self.seen[name, status] += 1
        return web.Response(status=status, headers=headers)
