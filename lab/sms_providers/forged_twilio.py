"""The ways in which a webhook of Twilio's can be forged by somebody who has seen genuine ones."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from lab.sms_providers.provider import SignedWebhook
from lab.sms_providers.twilio import TwilioProvider

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping

SIGNATURE = "X-Twilio-Signature"
SETTINGS = "X-Twilio-Webhooks-Signature-Settings"
_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_OTHER_ACCOUNT = "AC" + "f" * 32
_OTHER_PAYER = "+819099999999"


def fields_of(webhook: SignedWebhook) -> dict[str, str]:
    """Return the fields of a form."""
    return dict(parse_qsl(webhook.body.decode(), keep_blank_values=True))


def _with_signature(webhook: SignedWebhook, signature: str) -> SignedWebhook:
    return replace(webhook, headers={**webhook.headers, SIGNATURE: signature})


def _with_fields(webhook: SignedWebhook, fields: dict[str, str]) -> SignedWebhook:
    return replace(webhook, body=urlencode(fields).encode())


def _unsigned(_: TwilioProvider, webhook: SignedWebhook, __: random.Random) -> SignedWebhook:
    return replace(webhook, headers={name: value for name, value in webhook.headers.items() if name != SIGNATURE})


def _one_letter(_: TwilioProvider, webhook: SignedWebhook, dice: random.Random) -> SignedWebhook:
    signature = webhook.headers[SIGNATURE]
    at = dice.randrange(len(signature) - 1)
    other = dice.choice([letter for letter in _BASE64 if letter != signature[at]])
    return _with_signature(webhook, signature[:at] + other + signature[at + 1 :])


def _cut_off(_: TwilioProvider, webhook: SignedWebhook, dice: random.Random) -> SignedWebhook:
    signature = webhook.headers[SIGNATURE]
    return _with_signature(webhook, signature[: dice.randrange(len(signature))])


def _of_another(provider: TwilioProvider, webhook: SignedWebhook, _: random.Random) -> SignedWebhook:
    other = provider.reply(_OTHER_PAYER, "+815012345678", "1", datetime.min.replace(tzinfo=UTC))
    return _with_signature(webhook, other.headers[SIGNATURE])


def _hexadecimal(_: TwilioProvider, webhook: SignedWebhook, __: random.Random) -> SignedWebhook:
    return _with_signature(webhook, base64.b64decode(webhook.headers[SIGNATURE]).hex())


def _not_ascii(_: TwilioProvider, webhook: SignedWebhook, __: random.Random) -> SignedWebhook:
    return _with_signature(webhook, "署名" + webhook.headers[SIGNATURE])


def _guessed_secret(provider: TwilioProvider, webhook: SignedWebhook, _: random.Random) -> SignedWebhook:
    return provider.forged(webhook)


def _unknown_digest(_: TwilioProvider, webhook: SignedWebhook, dice: random.Random) -> SignedWebhook:
    settings = f"key=webhooks_sharedkey_1,algorithm={dice.choice(('NONE', 'HMAC_MD5', 'HMAC_SHA256', 'sha1'))}"
    return replace(webhook, headers={**webhook.headers, SETTINGS: settings})


def _changed_field(_: TwilioProvider, webhook: SignedWebhook, dice: random.Random) -> SignedWebhook:
    fields = fields_of(webhook)
    name = dice.choice(sorted(fields))
    return _with_fields(webhook, {**fields, name: fields[name] + dice.choice(("1", " ", "あ", "\n"))})


def _other_sender(_: TwilioProvider, webhook: SignedWebhook, __: random.Random) -> SignedWebhook:
    return _with_fields(webhook, {**fields_of(webhook), "From": _OTHER_PAYER})


def _other_outcome(_: TwilioProvider, webhook: SignedWebhook, __: random.Random) -> SignedWebhook:
    fields = fields_of(webhook)
    status = "failed" if fields.get("MessageStatus") != "failed" else "delivered"
    return _with_fields(webhook, {**fields, "MessageStatus": status})


def _added_field(_: TwilioProvider, webhook: SignedWebhook, __: random.Random) -> SignedWebhook:
    return _with_fields(webhook, {**fields_of(webhook), "OptOutType": "STOP"})


def _removed_field(_: TwilioProvider, webhook: SignedWebhook, dice: random.Random) -> SignedWebhook:
    fields = fields_of(webhook)
    del fields[dice.choice(sorted(fields))]
    return _with_fields(webhook, fields)


def _doubled_field(_: TwilioProvider, webhook: SignedWebhook, dice: random.Random) -> SignedWebhook:
    """Repeat a field: their own validator makes a set of the values, so that the same value twice is one to it."""
    fields = fields_of(webhook)
    name = dice.choice(sorted(fields))
    return replace(webhook, body=webhook.body + b"&" + urlencode({name: dice.choice((fields[name], "x"))}).encode())


def _moved_boundary(_: TwilioProvider, webhook: SignedWebhook, __: random.Random) -> SignedWebhook:
    """Names and values are signed without anything between them: what is signed stays the same here."""
    fields = fields_of(webhook)
    value = fields.pop("MessageSid")
    return _with_fields(webhook, {**fields, "MessageSi": f"d{value}"})


def _other_key(_: TwilioProvider, webhook: SignedWebhook, __: random.Random) -> SignedWebhook:
    return replace(webhook, url=f"{webhook.url.partition('?')[0]}?key=cC0y")


def _other_path(_: TwilioProvider, webhook: SignedWebhook, dice: random.Random) -> SignedWebhook:
    address, mark, query = webhook.url.partition("?")
    return replace(webhook, url=address + dice.choice(("/", "/x", "%20", "//")) + mark + query)


def _more_query(_: TwilioProvider, webhook: SignedWebhook, __: random.Random) -> SignedWebhook:
    return replace(webhook, url=f"{webhook.url}{'&' if '?' in webhook.url else '?'}a=b")


def _other_account(_: TwilioProvider, webhook: SignedWebhook, __: random.Random) -> SignedWebhook:
    """Genuinely Twilio's, for somebody else."""
    other = TwilioProvider(account_sid=_OTHER_ACCOUNT, secret="e" * 32, public_url="http://127.0.0.1")
    return other.signed(webhook.url, {**fields_of(webhook), "AccountSid": _OTHER_ACCOUNT})


def _other_account_our_secret(provider: TwilioProvider, webhook: SignedWebhook, _: random.Random) -> SignedWebhook:
    return provider.signed(webhook.url, {**fields_of(webhook), "AccountSid": _OTHER_ACCOUNT})


def _other_content_type(_: TwilioProvider, webhook: SignedWebhook, dice: random.Random) -> SignedWebhook:
    kind = dice.choice(("text/plain", "multipart/form-data; boundary=x", "application/json", "application/xml", ""))
    return replace(webhook, headers={**webhook.headers, "Content-Type": kind})


def _json_not_covered(provider: TwilioProvider, webhook: SignedWebhook, _: random.Random) -> SignedWebhook:
    """Sign the address alone: the body is the forger's."""
    return _as_json(provider, webhook, webhook.url)


def _json_other_body(provider: TwilioProvider, webhook: SignedWebhook, _: random.Random) -> SignedWebhook:
    digest = hashlib.sha256(b"{}").hexdigest()
    return _as_json(provider, webhook, f"{webhook.url}{'&' if '?' in webhook.url else '?'}bodySHA256={digest}")


def _as_json(provider: TwilioProvider, webhook: SignedWebhook, url: str) -> SignedWebhook:
    signature = provider.signed(url, {}).headers[SIGNATURE]
    headers: Mapping[str, str] = {"Content-Type": "application/json", SIGNATURE: signature}
    return SignedWebhook(url, headers, json.dumps(fields_of(webhook)).encode())


WAYS: Mapping[str, Callable[[TwilioProvider, SignedWebhook, random.Random], SignedWebhook]] = {
    "no signature": _unsigned,
    "one letter of the signature": _one_letter,
    "a signature cut off": _cut_off,
    "the signature of another webhook": _of_another,
    "a signature in hexadecimal": _hexadecimal,
    "a signature that is not ASCII": _not_ascii,
    "a guessed secret": _guessed_secret,
    "a digest that nobody agreed on": _unknown_digest,
    "a changed field": _changed_field,
    "another sender": _other_sender,
    "another outcome": _other_outcome,
    "an added field": _added_field,
    "a removed field": _removed_field,
    "a field twice": _doubled_field,
    "a letter moved from a name to its value": _moved_boundary,
    "another SMS's key": _other_key,
    "another path": _other_path,
    "a longer query": _more_query,
    "another account, by its own secret": _other_account,
    "another account, by our secret": _other_account_our_secret,
    "another content type": _other_content_type,
    "JSON whose body is not signed": _json_not_covered,
    "JSON with the digest of another body": _json_other_body,
}
