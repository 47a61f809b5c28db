"""The ways in which a webhook of Vonage's can be forged by somebody who has seen genuine ones."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import jwt

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from lab.sms_providers.provider import SignedWebhook
    from lab.sms_providers.vonage import VonageProvider

_BEARER = "Bearer "
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_STALE_S, _AHEAD_S = 301, 62
_GUESSES = ("secret" * 8, " " * 40, "0" * 64)


def token_of(webhook: SignedWebhook) -> str:
    """Return the token of a webhook."""
    return webhook.headers["Authorization"].removeprefix(_BEARER)


def claims_of(webhook: SignedWebhook) -> dict[str, Any]:
    """Return what its token says."""
    claims: dict[str, Any] = jwt.decode(token_of(webhook), options={"verify_signature": False})
    return claims


def _with_token(webhook: SignedWebhook, token: str) -> SignedWebhook:
    return replace(webhook, headers={**webhook.headers, "Authorization": _BEARER + token})


def _unsigned(_: VonageProvider, webhook: SignedWebhook, dice: random.Random, __: datetime) -> SignedWebhook:
    headers = {name: value for name, value in webhook.headers.items() if name != "Authorization"}
    return replace(webhook, headers=headers | dice.choice(({}, {"Authorization": ""}, {"Authorization": _BEARER})))


def _basic(_: VonageProvider, webhook: SignedWebhook, __: random.Random, ___: datetime) -> SignedWebhook:
    return replace(webhook, headers={**webhook.headers, "Authorization": f"Basic {token_of(webhook)}"})


def _no_algorithm(_: VonageProvider, webhook: SignedWebhook, dice: random.Random, __: datetime) -> SignedWebhook:
    head = _part({"alg": dice.choice(("none", "None", "NONE", "", "hs256")), "typ": "JWT"})
    signature = dice.choice(("", token_of(webhook).rpartition(".")[2]))
    return _with_token(webhook, f"{head}.{_part(claims_of(webhook))}.{signature}")


def _other_algorithm(
    provider: VonageProvider, webhook: SignedWebhook, dice: random.Random, _: datetime
) -> SignedWebhook:
    """Not the one that they sign with, even by our secret."""
    return _with_token(webhook, provider.token(claims_of(webhook), algorithm=dice.choice(("HS384", "HS512"))))


def _guessed_secret(_: VonageProvider, webhook: SignedWebhook, dice: random.Random, __: datetime) -> SignedWebhook:
    secret = dice.choice(_GUESSES)
    return _with_token(webhook, jwt.encode(claims_of(webhook), secret, algorithm="HS256"))


def _one_letter(_: VonageProvider, webhook: SignedWebhook, dice: random.Random, __: datetime) -> SignedWebhook:
    """Anywhere in the signature, spare bits of its last letter included."""
    head, _dot, signature = token_of(webhook).rpartition(".")
    at = dice.choice((len(signature) - 1, dice.randrange(len(signature))))
    other = dice.choice([letter for letter in _LETTERS if letter != signature[at]])
    return _with_token(webhook, f"{head}.{signature[:at]}{other}{signature[at + 1 :]}")


def _foreign_letter(_: VonageProvider, webhook: SignedWebhook, dice: random.Random, __: datetime) -> SignedWebhook:
    return _with_token(webhook, token_of(webhook) + dice.choice(("!", "=", ".", " ", "あ", "A")))


def _cut_off(_: VonageProvider, webhook: SignedWebhook, dice: random.Random, __: datetime) -> SignedWebhook:
    token = token_of(webhook)
    return _with_token(webhook, token[: dice.randrange(len(token))])


def _changed_claims(_: VonageProvider, webhook: SignedWebhook, __: random.Random, now: datetime) -> SignedWebhook:
    """Another body under the old signature, with the digest that fits it."""
    head, _claims, signature = token_of(webhook).split(".")
    body = webhook.body + b" "
    claims = {**claims_of(webhook), "payload_hash": hashlib.sha256(body).hexdigest(), "iat": int(now.timestamp())}
    return replace(_with_token(webhook, f"{head}.{_part(claims)}.{signature}"), body=body)


def _without_claim(provider: VonageProvider, webhook: SignedWebhook, dice: random.Random, _: datetime) -> SignedWebhook:
    claims = claims_of(webhook)
    del claims[dice.choice(("api_key", "iat", "jti", "payload_hash"))]
    return _with_token(webhook, provider.token(claims))


def _strange_claim(provider: VonageProvider, webhook: SignedWebhook, dice: random.Random, _: datetime) -> SignedWebhook:
    name = dice.choice(("api_key", "iat", "payload_hash"))
    return _with_token(
        webhook, provider.token({**claims_of(webhook), name: dice.choice((True, [], {}, "", -1, 1e300))})
    )


def _other_account(provider: VonageProvider, webhook: SignedWebhook, _: random.Random, __: datetime) -> SignedWebhook:
    return _with_token(webhook, provider.token({**claims_of(webhook), "api_key": "ffffffff"}))


def _stale(provider: VonageProvider, webhook: SignedWebhook, dice: random.Random, now: datetime) -> SignedWebhook:
    """Bring a genuine one that somebody kept."""
    iat = int(now.timestamp()) - dice.choice((_STALE_S, 3600, 10**8))
    return _with_token(webhook, provider.token({**claims_of(webhook), "iat": iat}))


def _ahead(provider: VonageProvider, webhook: SignedWebhook, dice: random.Random, now: datetime) -> SignedWebhook:
    iat = int(now.timestamp()) + dice.choice((_AHEAD_S, 3600, 10**8))
    return _with_token(webhook, provider.token({**claims_of(webhook), "iat": iat}))


def _expired(provider: VonageProvider, webhook: SignedWebhook, _: random.Random, now: datetime) -> SignedWebhook:
    return _with_token(webhook, provider.token({**claims_of(webhook), "exp": int(now.timestamp()) - _AHEAD_S}))


def _one_byte(_: VonageProvider, webhook: SignedWebhook, dice: random.Random, __: datetime) -> SignedWebhook:
    body = bytearray(webhook.body)
    body[dice.randrange(len(body))] ^= 1 << dice.randrange(8)
    return replace(webhook, body=bytes(body))


def _other_body(provider: VonageProvider, webhook: SignedWebhook, _: random.Random, now: datetime) -> SignedWebhook:
    return replace(webhook, body=provider.reply("+819099999999", "+815012345678", "1", now).body)


def _no_body(_: VonageProvider, webhook: SignedWebhook, __: random.Random, ___: datetime) -> SignedWebhook:
    return replace(webhook, body=b"")


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


WAYS: Mapping[str, Callable[[VonageProvider, SignedWebhook, random.Random, datetime], SignedWebhook]] = {
    "no token": _unsigned,
    "a token under another name": _basic,
    "no algorithm": _no_algorithm,
    "another algorithm": _other_algorithm,
    "a guessed secret": _guessed_secret,
    "one letter of the signature": _one_letter,
    "a foreign letter": _foreign_letter,
    "a token cut off": _cut_off,
    "changed claims": _changed_claims,
    "a missing claim": _without_claim,
    "a strange claim": _strange_claim,
    "another account": _other_account,
    "a stale token": _stale,
    "a token of the future": _ahead,
    "an expired token": _expired,
    "one bit of the body": _one_byte,
    "the body of another webhook": _other_body,
    "no body": _no_body,
}
