"""SMS as the assembly knows them: gateway, sender, replies and late windows, from the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from controller import from_settings
from controller.hooks.client import HookClient
from controller.hooks.signing import read_secrets
from controller.sms.json_http import JsonGateway
from controller.sms.log_gateway import LogGateway
from controller.sms.texts import WITH_LINK, renderer
from controller.sms.twilio import TwilioGateway
from controller.sms.vonage import VonageGateway
from controller.workers.hook_sender import HookSender
from controller.workers.late_watch import LateWatch
from controller.workers.link_clerk import LinkClerk
from controller.workers.reply_desk import ReplyDesk
from controller.workers.retention import RetentionKeeper
from controller.workers.sms_sender import Postage, SmsSender

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from controller.domain.signed import Signer
    from controller.journeys.house import House
    from controller.ports.sms import IncomingSms, QueuedSms, Receipt, SmsGateway
    from controller.settings import Settings
    from controller.store import Store
    from controller.system_clock import SystemClock
    from controller.workers.line_keeper import LineKeeper

    TextOf = Callable[[QueuedSms, str | None], str]

_HOUR_S = 3600.0


def text_of(settings: Settings) -> TextOf:
    """Return what writes the text of an SMS. Raises UnknownTextError for one that is not whole."""
    return renderer(
        from_settings.signatures(settings),
        settings.pages_by_name,
        two_way=settings.sms_two_way,
        code_of=from_settings.signer(settings).code if settings.web.enabled else None,
    )


class MailRoom:
    """Everything in writing, while the lease of the mail is ours; in the house of one office, whose line it watches."""

    def __init__(
        self, settings: Settings, store: Store, house: House, line: LineKeeper, clock: SystemClock, texts: TextOf
    ) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._texts = texts
        self._line = line
        self.sender = SmsSender(
            store.outbox,
            self._gateway_of_the_settings(),
            self._postage(),
            clock,
            structlog.get_logger("controller.sms"),
            max_tries=settings.sms.retry_limit,
        )
        self.replies = ReplyDesk(store.inbox, house)
        notice_s = {queue.name: queue.late_notice_s for queue in settings.queues}
        self._late_watch = LateWatch(house, line, notice_s=notice_s)
        self._retention = RetentionKeeper(store.privacy, clock, settings.retention.periods, settings.zone)
        self.hooks = HookSender(store.hooks, self._hook_posts(), clock, structlog.get_logger("controller.hooks"))
        store.hooks_queued.append(self.hooks.wake)
        store.sms_queued.append(self.sender.wake)
        store.replied.append(self.replies.wake)

    @property
    def workers(self) -> dict[str, Coroutine[None, None, None]]:
        """What has to run, by name. To be taken once."""
        return {
            "replies": self.replies.run(),
            "SMS sender": self._send(),
            "late watch": self._late_watch.run(),
            "retention": self._retention.run(),
            "webhooks": self.hooks.run(),
        }

    def wake(self) -> None:
        """Look at everything again: news were missed."""
        self.sender.wake()
        self.hooks.wake()
        self.replies.wake()

    def close(self) -> None:
        """Hear of nothing any more."""
        self._store.sms_queued.remove(self.sender.wake)
        self._store.hooks_queued.remove(self.hooks.wake)
        self._store.replied.remove(self.replies.wake)
        self._line.on_promise_changed = lambda _promise: None
        self._line.on_line_changed = lambda: None

    async def _send(self) -> None:
        """Send, once the replies that an earlier process left were read: a STOP among them counts already."""
        await self.replies.caught_up.wait()
        await self.sender.run()

    def _hook_posts(self) -> dict[str, HookClient]:
        secrets = self._settings.secrets.hooks
        return {
            hook.name: HookClient(
                hook.url,
                read_secrets(secrets[hook.name].get_secret_value()),
                self._clock,
                allow_private=hook.allow_private,
            )
            for hook in self._settings.hooks
            if hook.enabled
        }

    def _postage(self) -> Postage:
        settings = self._settings
        senders = settings.sms_senders
        return Postage(
            text_of=self._texts,
            sender_of=lambda sms: senders[sms.queue],
            bill=from_settings.sms_bill(settings),
            gate=from_settings.sms_gate(settings),
            limits=settings.sms.limits,
            link_for=self._clerk(from_settings.signer(settings)).link_for if settings.web.enabled else None,
        )

    def _clerk(self, signer: Signer) -> LinkClerk:
        return LinkClerk(
            self._store.links,
            signer,
            self._public_url,
            self._clock,
            templates=WITH_LINK,
            lifetime_s=self._settings.web.link_lifetime_h * _HOUR_S,
        )

    @property
    def _public_url(self) -> str:
        return self._settings.web.public_url or ""

    def _gateway_of_the_settings(self) -> SmsGateway:
        settings, clock = self._settings, self._clock
        sms, home = settings.sms, settings.dialer.home_country
        secret = settings.secrets.sms.get_secret_value()
        public_url = self._public_url if settings.web.enabled else None
        if sms.gateway == "twilio" and sms.twilio:
            return TwilioGateway(sms.twilio.account(secret), public_url=public_url, clock=clock)
        if sms.gateway == "vonage" and sms.vonage:
            return VonageGateway(sms.vonage.account(secret), public_url=public_url, clock=clock)
        if sms.gateway == "json_http" and sms.json_http:
            webhook_url = f"{public_url}/sms/json_http" if public_url else ""
            return JsonGateway(sms.json_http.provider(secret), clock=clock, webhook_url=webhook_url)
        if sms.gateway == "smpp" and sms.smpp:
            from controller.sms.smpp import SmppGateway  # noqa: PLC0415 - its library is for those who have a centre

            return SmppGateway(
                sms.smpp.account(secret, home=home),
                on_receipt=self._take_receipt,
                on_reply=self._take_reply,
                clock=clock,
                log=structlog.get_logger("controller.sms"),
            )
        return LogGateway(sms.outbox_path, clock=clock)

    async def _take_receipt(self, receipt: Receipt) -> None:
        await self._store.inbox.note_receipt(receipt, self._clock.now())

    async def _take_reply(self, incoming: IncomingSms) -> None:
        await self._store.inbox.note_reply(incoming, self._clock.now())
