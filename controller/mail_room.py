"""SMS and the web as the assembly knows them: gateway, sender, replies and pages, from the settings."""

from __future__ import annotations

import secrets
from ipaddress import ip_network
from typing import TYPE_CHECKING

import structlog

from controller import from_settings
from controller.domain.signed import ID_BYTES, Signer
from controller.domain.sms_gate import SmsGate
from controller.sms.json_http import JsonGateway
from controller.sms.log_gateway import LogGateway
from controller.sms.smpp import SmppGateway
from controller.sms.texts import WITH_LINK, renderer
from controller.sms.twilio import TwilioGateway, TwilioWebhook
from controller.sms.vonage import VonageGateway, VonageWebhook
from controller.web.app import build
from controller.web.house import WebHouse
from controller.web.rates import RateLimits, Rates
from controller.web.server import WebServer
from controller.workers.late_watch import LateWatch
from controller.workers.link_clerk import LinkClerk
from controller.workers.reply_desk import ReplyDesk
from controller.workers.sms_sender import Postage, SmsSender

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from controller.journeys.house import House
    from controller.ports.sms import IncomingSms, Receipt, SmsGateway, Webhook
    from controller.settings import Settings
    from controller.store import Store
    from controller.system_clock import SystemClock
    from controller.workers.line_keeper import LineKeeper

_HOUR_S = 3600.0


class MailRoom:
    """Everything in writing. Raises UnknownTextError for a text that is not whole."""

    def __init__(self, settings: Settings, store: Store, house: House, keeper: LineKeeper, clock: SystemClock) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._gate = SmsGate(settings.sms_plan, settings.sms_plan.countries)
        self._signer = Signer(settings.secrets.web.get_secret_value().encode()) if settings.web.enabled else None
        self._gateway = self._gateway_of_the_settings()
        self.sender = SmsSender(
            store.outbox,
            self._gateway,
            self._postage(),
            clock,
            structlog.get_logger("controller.sms"),
            max_tries=settings.sms.retry_limit,
        )
        self.replies = ReplyDesk(store.inbox, house)
        self.late_watch = LateWatch(
            house, keeper, notice_s={queue.name: queue.late_notice_s for queue in settings.queues}
        )
        self._web = self._web_server(house)
        store.on_sms_queued = self.sender.wake
        store.on_reply = self.replies.wake

    @property
    def workers(self) -> dict[str, Coroutine[None, None, None]]:
        """What has to run, by name. To be taken once."""
        return {
            "replies": self.replies.run(),
            "SMS sender": self._send(),
            "late watch": self.late_watch.run(),
            **({"web": self._web.run()} if self._web else {}),
        }

    async def _send(self) -> None:
        """Send, once the replies that an earlier process left were read: a STOP among them counts already."""
        await self.replies.caught_up.wait()
        await self.sender.run()

    def _postage(self) -> Postage:
        settings = self._settings
        senders = settings.sms_senders
        return Postage(
            text_of=renderer(
                from_settings.signatures(settings),
                settings.pages_by_name,
                two_way=settings.sms_two_way,
                code_of=self._signer.code if self._signer else None,
            ),
            sender_of=lambda sms: senders[sms.queue],
            bill=from_settings.sms_bill(settings),
            gate=self._gate,
            limits=settings.sms.limits,
            link_for=self._clerk(self._signer).link_for if self._signer else None,
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

    def _webhooks(self) -> dict[str, Webhook]:
        settings = self._settings
        sms, public_url = settings.sms, self._public_url
        secret, webhook_secret = (
            one.get_secret_value() for one in (settings.secrets.sms, settings.secrets.sms_webhook)
        )
        found: Webhook | None = None
        if sms.gateway == "twilio" and sms.twilio:
            # The auth token signs; where an API key's secret is used to send, it is told apart.
            token = webhook_secret or ("" if sms.twilio.api_key_sid else secret)
            found = TwilioWebhook(token, account_sid=sms.twilio.account_sid, public_url=public_url)
        elif sms.gateway == "vonage" and sms.vonage:
            found = VonageWebhook(webhook_secret, api_key=sms.vonage.api_key)
        elif sms.gateway == "json_http" and sms.json_http:
            found = sms.json_http.webhook(webhook_secret, home=settings.dialer.home_country)
        return {found.name: found} if found else {}

    def _web_server(self, house: House) -> WebServer | None:
        web = self._settings.web
        if self._signer is None:
            return None
        limits = RateLimits(
            per_address_per_minute=web.per_address_per_minute,
            per_subnet_per_minute=web.per_subnet_per_minute,
            per_number_per_hour=web.per_number_per_hour,
        )
        site = WebHouse(
            house=house,
            signer=self._signer,
            titles={queue.name: queue.titles for queue in self._settings.queues},
            shown_number=from_settings.shown_number(self._settings),
            public_url=self._public_url,
            inbox=self._store.inbox,
            proofs=self._store.proofs,
            rates=Rates(limits, self._clock),
            objection=self._gate.objection,
            new_challenge_id=lambda: secrets.token_hex(ID_BYTES),
            webhooks=self._webhooks(),
            open_page=web.open_page,
            link_lifetime_s=web.link_lifetime_h * _HOUR_S,
            trusted_proxies=tuple(map(ip_network, web.trusted_proxies)),
        )
        return WebServer(web.host, web.port, build(site))
