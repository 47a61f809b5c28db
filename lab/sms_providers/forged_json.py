"""The ways in which a webhook of the signed described provider can be forged by somebody who has seen genuine ones."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from lab.sms_providers.json_http import MAC_HEADER, TIME_HEADER

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from lab.sms_providers.json_http import BearerJsonProvider
    from lab.sms_providers.provider import SignedWebhook

_PREFIX = "sha256="
_STALE_S = (301, 3600, 10**8)


def _with(webhook: SignedWebhook, name: str, value: str) -> SignedWebhook:
    return replace(webhook, headers={**webhook.headers, name: value})


def _unsigned(_: BearerJsonProvider, webhook: SignedWebhook, dice: random.Random, __: datetime) -> SignedWebhook:
    headers = {name: value for name, value in webhook.headers.items() if name != MAC_HEADER}
    return replace(webhook, headers=headers | dice.choice(({}, {MAC_HEADER: ""}, {MAC_HEADER: _PREFIX})))


def _guessed(provider: BearerJsonProvider, webhook: SignedWebhook, _: random.Random, __: datetime) -> SignedWebhook:
    return provider.forged(webhook)


def _one_letter(_: BearerJsonProvider, webhook: SignedWebhook, dice: random.Random, __: datetime) -> SignedWebhook:
    mac = webhook.headers[MAC_HEADER]
    at = dice.randrange(len(mac))
    other = dice.choice([sign for sign in "0123456789abcdefshé\x00" if sign != mac[at]])
    return _with(webhook, MAC_HEADER, mac[:at] + other + mac[at + 1 :])


def _cut_off(_: BearerJsonProvider, webhook: SignedWebhook, dice: random.Random, __: datetime) -> SignedWebhook:
    mac = webhook.headers[MAC_HEADER]
    return _with(webhook, MAC_HEADER, mac[: dice.randrange(len(mac))])


def _more(_: BearerJsonProvider, webhook: SignedWebhook, dice: random.Random, __: datetime) -> SignedWebhook:
    mac = webhook.headers[MAC_HEADER]
    return _with(webhook, MAC_HEADER, dice.choice((f"{mac} ", f"{mac}0", f" {mac}", mac + mac, mac[len(_PREFIX) :])))


def _body_alone(provider: BearerJsonProvider, webhook: SignedWebhook, _: random.Random, __: datetime) -> SignedWebhook:
    """Signed by the right secret, and the time left out."""
    mac = hmac.new(provider.signature_secret.encode(), webhook.body, hashlib.sha256).hexdigest()
    return _with(webhook, MAC_HEADER, _PREFIX + mac)


def _other_time(_: BearerJsonProvider, webhook: SignedWebhook, dice: random.Random, __: datetime) -> SignedWebhook:
    """Give a kept one a new time, under the old signature."""
    return _with(webhook, TIME_HEADER, str(int(webhook.headers[TIME_HEADER]) + dice.choice((-1, 1, 60, 299))))


def _no_time(_: BearerJsonProvider, webhook: SignedWebhook, dice: random.Random, __: datetime) -> SignedWebhook:
    return _with(webhook, TIME_HEADER, dice.choice(("", "now", "-1", "1e9", "9" * 30, "١")))


def _stale(provider: BearerJsonProvider, webhook: SignedWebhook, dice: random.Random, now: datetime) -> SignedWebhook:
    """Bring a genuine one that somebody kept."""
    return provider.signed_bytes(webhook.url, webhook.body, now - timedelta(seconds=dice.choice(_STALE_S)))


def _ahead(provider: BearerJsonProvider, webhook: SignedWebhook, dice: random.Random, now: datetime) -> SignedWebhook:
    return provider.signed_bytes(webhook.url, webhook.body, now + timedelta(seconds=dice.choice(_STALE_S)))


def _one_bit(_: BearerJsonProvider, webhook: SignedWebhook, dice: random.Random, __: datetime) -> SignedWebhook:
    body = bytearray(webhook.body)
    body[dice.randrange(len(body))] ^= 1 << dice.randrange(8)
    return replace(webhook, body=bytes(body))


def _longer(_: BearerJsonProvider, webhook: SignedWebhook, dice: random.Random, __: datetime) -> SignedWebhook:
    return replace(webhook, body=webhook.body + dice.choice((b" ", b"\n", b"\x00", b"{}")))


def _moved_dot(_: BearerJsonProvider, webhook: SignedWebhook, __: random.Random, ___: datetime) -> SignedWebhook:
    """Let the last digit of the time go over to the body."""
    at = webhook.headers[TIME_HEADER]
    return replace(_with(webhook, TIME_HEADER, at[:-1]), body=at[-1:].encode() + b"." + webhook.body)


def _no_body(_: BearerJsonProvider, webhook: SignedWebhook, __: random.Random, ___: datetime) -> SignedWebhook:
    return replace(webhook, body=b"")


WAYS: Mapping[str, Callable[[BearerJsonProvider, SignedWebhook, random.Random, datetime], SignedWebhook]] = {
    "no signature": _unsigned,
    "a guessed secret": _guessed,
    "one letter of the signature": _one_letter,
    "a signature cut off": _cut_off,
    "a signature and more": _more,
    "the time not signed": _body_alone,
    "another time": _other_time,
    "no time": _no_time,
    "a stale one": _stale,
    "one of the future": _ahead,
    "one bit of the body": _one_bit,
    "a longer body": _longer,
    "a piece of the time in the body": _moved_dot,
    "no body": _no_body,
}
