"""The web pages of a process, from the settings: imported only where there are some, with all that they are made of."""

from __future__ import annotations

import secrets
from ipaddress import ip_network
from typing import TYPE_CHECKING

from controller import from_settings
from controller.domain.signed import ID_BYTES
from controller.sms.twilio import TwilioWebhook
from controller.sms.vonage import VonageWebhook
from controller.web.app import build
from controller.web.house import WebHouse
from controller.web.rates import RateLimits, Rates
from controller.web.server import WebServer

if TYPE_CHECKING:
    from controller.journeys.house import House
    from controller.ports.sms import Webhook
    from controller.settings import Settings
    from controller.store import Store
    from controller.system_clock import SystemClock

_HOUR_S = 3600.0


def web_server(settings: Settings, store: Store, house: House, clock: SystemClock) -> WebServer:
    """Return the server of the booking page, the page without a link, and the webhooks of SMS providers."""
    web = settings.web
    limits = RateLimits(
        per_address_per_minute=web.per_address_per_minute,
        per_subnet_per_minute=web.per_subnet_per_minute,
        per_number_per_hour=web.per_number_per_hour,
    )
    site = WebHouse(
        house=house,
        signer=from_settings.signer(settings),
        titles={queue.name: queue.titles for queue in settings.queues},
        shown_number=from_settings.shown_number(settings),
        public_url=web.public_url or "",
        inbox=store.inbox,
        proofs=store.proofs,
        rates=Rates(limits, clock),
        objection=from_settings.sms_gate(settings).objection,
        new_challenge_id=lambda: secrets.token_hex(ID_BYTES),
        webhooks=_webhooks(settings),
        open_page=web.open_page,
        link_lifetime_s=web.link_lifetime_h * _HOUR_S,
        trusted_proxies=tuple(map(ip_network, web.trusted_proxies)),
    )
    return WebServer(web.host, web.port, build(site))


def _webhooks(settings: Settings) -> dict[str, Webhook]:
    sms, public_url = settings.sms, settings.web.public_url or ""
    secret, webhook_secret = (one.get_secret_value() for one in (settings.secrets.sms, settings.secrets.sms_webhook))
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
