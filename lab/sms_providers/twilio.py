"""Twilio from its own side: Messages of its REST API, status callbacks, incoming messages; signed by its own code."""

from __future__ import annotations

import base64
import json
import re
import secrets
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, parse_qsl, urldefrag, urlencode, urlsplit

from aiohttp import encode_basic_auth
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from lab.sms_providers.provider import Asked, Fault, SignedWebhook, TakenSms, Told

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

FORM = "application/x-www-form-urlencoded; charset=utf-8"
REPLY_PATH = "/sms/twilio/reply"
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_LONGEST_TEXT = 1600


class TwilioProvider:
    """One account. `public_url` is what the customer has set as the address for incoming messages, but for its path."""

    name = "twilio"
    delivered: tuple[str, ...] = ("queued", "sent", "delivered")
    undelivered: tuple[str, ...] = ("queued", "sent", "undelivered")

    def __init__(self, *, account_sid: str, secret: str, auth_token: str | None = None, public_url: str) -> None:
        self.account_sid = account_sid
        self.opted_out: set[str] = set()
        self._login = encode_basic_auth(account_sid, secret)
        self._validator = RequestValidator(auth_token or secret)
        self._public_url = public_url.rstrip("/")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], *, account: str, public_url: str) -> TwilioProvider:
        """Return the account of a controller that has these secrets in its environment."""
        return cls(
            account_sid=account,
            secret=environment["ORIKAESHI_SMS_SECRET"],
            auth_token=environment.get("ORIKAESHI_SMS_WEBHOOK_SECRET"),
            public_url=public_url,
        )

    def take(self, asked: Asked) -> TakenSms | Told:
        """Return the SMS, or the error that Twilio answers."""
        if asked.headers.get("authorization") != self._login:
            return _error(401, 20003, "Authenticate")
        if (asked.method, asked.path) != ("POST", f"/2010-04-01/Accounts/{self.account_sid}/Messages.json"):
            return _error(404, 20404, f"The requested resource {asked.path} was not found")
        if not asked.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            return _error(415, 20415, "Unsupported media type")
        form = dict(parse_qsl(asked.body.decode(), keep_blank_values=True, strict_parsing=True))
        return self._complaint(form) or _sms(form)

    def _complaint(self, form: dict[str, str]) -> Told | None:
        number, text = form.get("To", ""), form.get("Body", "")
        if not text:
            return _error(400, 21602, "Message body is required.")
        if not (form.get("From") or form.get("MessagingServiceSid")):
            return _error(400, 21603, "A 'From' phone number is required.")
        if not _NUMBER.fullmatch(number):
            return _error(400, 21211, f"The 'To' number {number} is not a valid phone number.")
        if len(text) > _LONGEST_TEXT:
            return _error(400, 21617, "The concatenated message body exceeds the 1600 character limit.")
        if number in self.opted_out:
            return _error(400, 21610, "Attempt to send to unsubscribed recipient")
        return None

    def accepted(self, sms: TakenSms) -> Told:
        """Return the message as a resource, as it is when it was just queued."""
        resource = f"/2010-04-01/Accounts/{self.account_sid}/Messages/{sms.reference}"
        by_service = sms.sender.startswith("MG")
        message = {
            "account_sid": self.account_sid,
            "api_version": "2010-04-01",
            "body": sms.text,
            "date_created": "Sun, 22 Nov 2026 06:00:00 +0000",
            "date_sent": None,
            "date_updated": "Sun, 22 Nov 2026 06:00:00 +0000",
            "direction": "outbound-api",
            "error_code": None,
            "error_message": None,
            "from": None if by_service else sms.sender,
            "messaging_service_sid": sms.sender if by_service else None,
            "num_media": "0",
            "num_segments": "1",
            "price": None,
            "price_unit": "USD",
            "sid": sms.reference,
            "status": "accepted" if by_service else "queued",
            "subresource_uris": {"media": f"{resource}/Media.json"},
            "to": sms.number,
            "uri": f"{resource}.json",
        }
        return Told(201, json.dumps(message).encode(), {"Content-Type": "application/json;charset=utf-8"})

    def failed(self, fault: Fault, retry_after_s: int) -> Told:
        """Return Twilio's answer to a fault."""
        match fault:
            case Fault.THROTTLED:
                return _error(429, 20429, "Too Many Requests", {"Retry-After": str(retry_after_s)})
            case Fault.UNAVAILABLE:
                return _error(503, 20503, "Service Unavailable", {"Retry-After": str(retry_after_s)})
            case Fault.REFUSED:
                return _error(400, 21610, "Attempt to send to unsubscribed recipient")
        return _error(500, 20500, "An internal server error has occurred")

    def receipt(self, sms: TakenSms, status: str, now: datetime) -> SignedWebhook | None:
        """Return a status callback."""
        del now  # nothing in it tells the time
        if sms.receipts_to is None:
            return None
        fields = {
            "SmsSid": sms.reference,
            "SmsStatus": status,
            "MessageStatus": status,
            "To": sms.number,
            "MessageSid": sms.reference,
            "AccountSid": self.account_sid,
            "From": sms.sender,
            "ApiVersion": "2010-04-01",
        }
        if status in {"undelivered", "failed"}:
            fields["ErrorCode"] = "30003"
        return self.signed(urldefrag(sms.receipts_to).url, fields)

    def reply(self, number: str, to: str, text: str, now: datetime) -> SignedWebhook:
        """Return an incoming message."""
        del now
        sid = f"SM{secrets.token_hex(16)}"
        fields = {
            "ToCountry": "JP",
            "ToState": "",
            "SmsMessageSid": sid,
            "NumMedia": "0",
            "ToCity": "",
            "SmsSid": sid,
            "SmsStatus": "received",
            "Body": text,
            "FromCountry": "JP",
            "To": to,
            "NumSegments": "1",
            "MessageSid": sid,
            "AccountSid": self.account_sid,
            "From": number,
            "ApiVersion": "2010-04-01",
        }
        return self.signed(self._public_url + REPLY_PATH, fields)

    def signed(self, url: str, fields: dict[str, str]) -> SignedWebhook:
        """Return a form, signed."""
        signature = self._validator.compute_signature(url, fields)
        headers = {"Content-Type": FORM, "X-Twilio-Signature": signature, "User-Agent": "TwilioProxy/1.1"}
        return SignedWebhook(url, headers, urlencode(fields).encode())

    def forged(self, genuine: SignedWebhook) -> SignedWebhook:
        """Return the same, signed with a guessed token."""
        fields = dict(parse_qsl(genuine.body.decode(), keep_blank_values=True))
        signature = RequestValidator(secrets.token_hex(16)).compute_signature(genuine.url, fields)
        return SignedWebhook(genuine.url, {**genuine.headers, "X-Twilio-Signature": signature}, genuine.body)


def _sms(form: dict[str, str]) -> TakenSms:
    callback, sender = form.get("StatusCallback"), form.get("From") or form["MessagingServiceSid"]
    return TakenSms(f"SM{secrets.token_hex(16)}", _key(callback), sender, form["To"], form["Body"], callback)


def _key(callback: str | None) -> str:
    """Return the controller's own key, for the judge: Twilio itself only calls the address."""
    wrapped = parse_qs(urlsplit(callback or "").query).get("key", [""])[0]
    return base64.urlsafe_b64decode(wrapped + "=" * (-len(wrapped) % 4)).decode()


def _error(status: int, code: int, message: str, headers: dict[str, str] | None = None) -> Told:
    body = {"code": code, "message": message, "more_info": f"https://www.twilio.com/docs/errors/{code}"}
    return Told(
        status,
        json.dumps({**body, "status": status}).encode(),
        {"Content-Type": "application/json;charset=utf-8", **(headers or {})},
    )
