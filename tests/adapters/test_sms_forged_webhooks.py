from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import islice
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from controller.ports.sms import (
    ForgedWebhookError,
    MalformedWebhookError,
    WebhookRequest,
)
from controller.sms.twilio import TwilioWebhook
from controller.sms.vonage import VonageWebhook
from lab.sms_providers import forged_twilio, forged_vonage
from lab.sms_providers.forgeries import forgeries, genuine_webhook
from lab.sms_providers.twilio import TwilioProvider
from lab.sms_providers.vonage import VonageProvider
from tests.adapters.sms_receiver import (
    ACCOUNT_SID,
    API_KEY,
    NUMBER,
    PUBLIC_URL,
    SENDER,
    as_request,
    provider,
    webhook,
)
from tests.contract.store_under_test import NOON

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.sms_providers.forgeries import Forgery

FORGED = 1000
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PROVIDERS = ["twilio", "vonage"]


def both() -> tuple[TwilioProvider, VonageProvider]:
    """Return both providers' sides."""
    twilio, vonage = provider("twilio"), provider("vonage")
    assert isinstance(twilio, TwilioProvider)
    assert isinstance(vonage, VonageProvider)
    return twilio, vonage


def forged(n: int, seed: int) -> Iterator[Forgery]:
    """Yield forgeries of webhooks to us."""
    twilio, vonage = both()
    return forgeries(n, seed, twilio=twilio, vonage=vonage, public_url=PUBLIC_URL, now=NOON)


def refusal(forgery: Forgery) -> type[Exception] | None:
    """Return how it is refused; None when it is believed."""
    try:
        webhook(forgery.provider).read(as_request(forgery.webhook, NOON))
    except (ForgedWebhookError, MalformedWebhookError) as error:
        return type(error)
    return None


def test_of_a_thousand_forged_webhooks_none_is_read() -> None:
    """In each of the ways there are: signatures, bodies, addresses, accounts, algorithms, times."""
    ways: Counter[tuple[str, str]] = Counter()
    for forgery in forged(FORGED, seed=20261122):
        ways[forgery.provider, forgery.how] += 1
        assert refusal(forgery) is not None, f"{forgery.provider}: {forgery.how} was believed: {forgery.webhook}"
    known = {("twilio", how) for how in forged_twilio.WAYS} | {("vonage", how) for how in forged_vonage.WAYS}
    assert set(ways) == known
    assert sum(ways.values()) == FORGED


def test_the_signature_alone_gives_nearly_all_of_them_away() -> None:
    """But for the one that Twilio signs alike, and that says nothing that can be read."""
    malformed = {forgery.how for forgery in forged(200, seed=7) if refusal(forgery) is MalformedWebhookError}
    assert malformed == {"a letter moved from a name to its value"}


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_genuine_webhook_is_read(name: str) -> None:
    """Those from which the forgeries are made: it is the forgery that is refused, and nothing else."""
    dice = Random(1)  # noqa: S311 - repeatable
    kinds = Counter(
        type(told).__name__
        for _ in range(200)
        for told in webhook(name).read(as_request(genuine_webhook(provider(name), dice, PUBLIC_URL, NOON), NOON))
    )
    assert sum(kinds.values()) == 200
    assert min(kinds["Receipt"], kinds["IncomingSms"]) > 50


def test_the_same_seed_forges_the_same_ways() -> None:
    """So that a run can be repeated."""
    ones, others = list(forged(60, seed=3)), list(forged(60, seed=3))
    assert [forgery.how for forgery in ones] == [forgery.how for forgery in others]
    assert len({forgery.how for forgery in islice(ones, 41)}) > 35


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
VONAGE_FIELDS = ("channel", "message_uuid", "status", "from", "to", "text", "client_ref", "error", "message_type")
TWILIO_FIELDS = ("MessageSid", "MessageStatus", "From", "To", "Body", "ErrorCode", "ErrorMessage", "AccountSid")


def reads_or_says_why(name: str, request: WebhookRequest) -> None:
    """Return; any other error fails the test, and so does what no database could store."""
    try:
        told = webhook(name).read(request)
    except (ForgedWebhookError, MalformedWebhookError):
        return
    for value in (getattr(one, name) for one in told for name in one.__slots__):
        assert b"\x00" not in str(value).encode()


@given(
    st.dictionaries(st.sampled_from(VONAGE_FIELDS) | st.text(), anything, max_size=8), st.sampled_from([True, False])
)
def test_whatever_vonage_signs_is_read_or_refused(fields: dict[str, Any], plausible: bool) -> None:
    """Any JSON at all in any field."""
    base = {"channel": "sms", "message_uuid": "u", "from": NUMBER[1:], "to": SENDER[1:], "text": "1"}
    made = both()[1].signed(f"{PUBLIC_URL}/sms/vonage/receipt", {**base, **fields} if plausible else fields, NOON)
    reads_or_says_why("vonage", as_request(made, NOON))


@given(st.dictionaries(st.sampled_from(TWILIO_FIELDS) | st.text(), st.text(), max_size=8), st.text(max_size=30))
def test_whatever_twilio_signs_is_read_or_refused(fields: dict[str, str], path: str) -> None:
    """Any text at all in any field, at any address."""
    made = both()[0].signed(f"{PUBLIC_URL}/{path}", {"AccountSid": ACCOUNT_SID, **fields})
    reads_or_says_why("twilio", as_request(made, NOON))


@given(
    st.binary(max_size=300), st.sampled_from(PROVIDERS), st.dictionaries(st.text(), st.text(), max_size=4), st.text()
)
def test_whatever_a_stranger_sends_is_read_or_refused(
    body: bytes, name: str, headers: dict[str, str], text: str
) -> None:
    """Any bytes, any headers, any signature."""
    claimed = {"content-type": "application/json", "authorization": f"Bearer {text}", "x-twilio-signature": text}
    for given_headers in (headers, {**claimed, **headers}):
        with pytest.raises((ForgedWebhookError, MalformedWebhookError)):
            webhook(name).read(WebhookRequest("POST", PUBLIC_URL + "/" + text, given_headers, body, NOON))


@pytest.mark.parametrize("body", [b'{"a":' * 20_000, b"[" * 60_000, b"\xff\xfe", b"", b"&" * 300, b"a=1&" * 60_000])
def test_a_signed_body_that_is_out_of_all_reason_is_refused(body: bytes) -> None:
    """Nested without end, not UTF-8, or far too long."""
    vonage = both()[1]
    token = vonage.token(vonage.claims(body, NOON))
    headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
    with pytest.raises(MalformedWebhookError):
        webhook("vonage").read(WebhookRequest("POST", PUBLIC_URL, headers, body, NOON))
    form = {"content-type": "application/x-www-form-urlencoded", "x-twilio-signature": "x"}
    with pytest.raises(ForgedWebhookError):
        webhook("twilio").read(WebhookRequest("POST", f"{PUBLIC_URL}/sms/twilio", form, body, NOON))


@pytest.mark.parametrize("name", PROVIDERS)
@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD"])
def test_only_a_post_is_read(name: str, method: str) -> None:
    """Even if its signature is genuine."""
    dice = Random(1)  # noqa: S311 - repeatable
    genuine = as_request(genuine_webhook(provider(name), dice, PUBLIC_URL, NOON), NOON)
    assert webhook(name).read(genuine)
    with pytest.raises(ForgedWebhookError):
        webhook(name).read(replace(genuine, method=method))


def test_without_a_secret_nothing_is_believed() -> None:
    """An empty one is what everybody would guess first."""
    twilio = TwilioProvider(account_sid=ACCOUNT_SID, secret="x", public_url=PUBLIC_URL)
    signature = RequestValidator("").compute_signature(f"{PUBLIC_URL}/sms/twilio/reply", {})
    by_twilio = replace(
        twilio.reply(NUMBER, SENDER, "1", NOON), headers={**FORM, "X-Twilio-Signature": signature}, body=b""
    )
    with pytest.raises(ForgedWebhookError, match="no signature"):
        TwilioWebhook("", account_sid=ACCOUNT_SID, public_url=PUBLIC_URL).read(as_request(by_twilio, NOON))
    by_vonage = both()[1].reply(NUMBER, SENDER, "1", NOON)
    with pytest.raises(ForgedWebhookError, match="no token"):
        VonageWebhook("", api_key=API_KEY).read(as_request(by_vonage, NOON))
