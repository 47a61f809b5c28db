from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Any

import jwt
import pytest
from aiohttp import encode_basic_auth
from hypothesis import given
from hypothesis import strategies as st
from vonage_jwt import verify_signature  # type: ignore[import-untyped]

from controller.domain.sms import Delivery
from controller.ports.sms import (
    Accepted,
    ForgedWebhookError,
    IncomingSms,
    MalformedWebhookError,
    Receipt,
    Refused,
    SendResult,
    Unclear,
    WebhookRequest,
)
from controller.sms.vonage import VonageAccount, VonageGateway, VonageWebhook, client_ref
from lab.sms_providers.provider import SILENT, Fault
from lab.sms_providers.server import Faults, ProviderServer
from lab.sms_providers.vonage import VonageProvider
from tests.adapters.sms_receiver import (
    API_KEY,
    API_SECRET,
    KEY,
    NUMBER,
    PUBLIC_URL,
    SENDER,
    SHORT_S,
    SIGNATURE_SECRET,
    TEXT,
    TIMEOUT_S,
    as_request,
    gateway,
    hand_over,
    provider,
)
from tests.contract.store_under_test import NOON, HandClock

UUID = "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab"
URL = f"{PUBLIC_URL}/sms/vonage/receipt"
STATUS = {
    "message_uuid": UUID,
    "to": NUMBER[1:],
    "from": SENDER[1:],
    "timestamp": "2026-11-22T06:00:00Z",
    "status": "delivered",
    "client_ref": KEY,
    "channel": "sms",
}
INBOUND = {
    "channel": "sms",
    "message_uuid": UUID,
    "to": SENDER[1:],
    "from": NUMBER[1:],
    "timestamp": "2026-11-22T06:00:00Z",
    "message_type": "text",
    "text": "16時",
}


def server_with(*faults: Fault, retry_after_s: int = 1) -> ProviderServer:
    """Return Vonage, going to fail like this."""
    planned = Faults(retry_after_s=retry_after_s)
    planned.planned.extend(faults)
    return ProviderServer(provider("vonage"), faults=planned)


def vonage() -> VonageProvider:
    """Return Vonage's side."""
    made = provider("vonage")
    assert isinstance(made, VonageProvider)
    return made


def signed(fields: Any, **claims: Any) -> WebhookRequest:
    """Return JSON that Vonage has signed; a claim of None is left out."""
    made = vonage().signed(URL, fields, NOON)
    told = {**vonage().claims(made.body, NOON), **claims}
    token = vonage().token({name: value for name, value in told.items() if value is not None})
    request = as_request(made, NOON)
    return WebhookRequest("POST", URL, {**request.headers, "authorization": f"Bearer {token}"}, made.body, NOON)


def read(request: WebhookRequest) -> Any:
    """Return the one thing that it tells."""
    (told,) = VonageWebhook(SIGNATURE_SECRET, api_key=API_KEY).read(request)
    return told


async def test_an_sms_is_handed_over_as_vonage_documents_it() -> None:
    """JSON, numbers without `+`, our key as the client's reference, receipts in the format of version 1."""
    async with server_with().serving() as server:
        result = await hand_over(gateway(server))
        (asked,) = server.requests
        (sms,) = server.taken
    assert result == Accepted(sms.reference)
    assert (asked.method, asked.path) == ("POST", "/v1/messages")
    assert asked.headers["authorization"] == encode_basic_auth(API_KEY, API_SECRET)
    assert json.loads(asked.body) == {
        "channel": "sms",
        "message_type": "text",
        "to": "819012345678",
        "from": "815012345678",
        "text": TEXT,
        "client_ref": KEY,
        "webhook_url": f"{PUBLIC_URL}/sms/vonage/receipt",
        "webhook_version": "v1",
    }


async def test_without_web_pages_receipts_go_where_the_account_says() -> None:
    """A name may be the sender."""
    async with server_with().serving() as server:
        result = await hand_over(gateway(server, public_url=None), sender="EIGYOBU")
        (asked,) = server.requests
    assert isinstance(result, Accepted)
    message = json.loads(asked.body)
    assert (message["from"], "webhook_url" in message) == ("EIGYOBU", False)


@pytest.mark.parametrize(
    ("fault", "result", "taken"),
    [
        (Fault.THROTTLED, Refused("Vonage answered 429 Throttled: Please wait, then retry your request", 7), 0),
        (Fault.UNAVAILABLE, Refused("Vonage answered 503", 7), 0),
        (Fault.REFUSED, Refused("Vonage answered 422 1050: Number barred - The number is blacklisted.", None), 0),
        (Fault.BROKEN, Unclear("Vonage answered 500 Internal error: There was an error processing your request."), 0),
        (
            Fault.TAKEN_THEN_BROKEN,
            Unclear("Vonage answered 500 Internal error: There was an error processing your request."),
            1,
        ),
        (Fault.HANG, Unclear("no answer"), 0),
        (Fault.CUT, Unclear("no answer"), 0),
        (Fault.TAKEN_THEN_SILENT, Unclear("no answer"), 1),
        (Fault.TAKEN_THEN_CUT, Unclear("no answer"), 1),
        (Fault.HALF_ANSWERED, Unclear("Vonage took it without naming a message_uuid"), 1),
    ],
)
async def test_only_what_vonage_surely_did_not_take_is_ever_handed_over_again(
    fault: Fault, result: SendResult, taken: int
) -> None:
    """And a request is sent once, whatever comes."""
    async with server_with(fault, retry_after_s=7).serving() as server:
        found = await hand_over(gateway(server, timeout_s=SHORT_S if fault in SILENT else TIMEOUT_S))
        assert (len(server.requests), len(server.taken)) == (1, taken)
    if isinstance(found, Unclear) and found.reason.startswith("no answer"):
        found = Unclear("no answer")
    assert found == result


async def test_wrong_credentials_and_wrong_fields_are_dead_letters_that_say_why() -> None:
    """As Vonage says it."""
    async with server_with().serving() as server:
        account = VonageAccount(API_KEY, "wrong", base_url=server.url)
        stranger = VonageGateway(account, public_url=None, clock=HandClock(), timeout_s=TIMEOUT_S)
        refused = await hand_over(stranger)
        assert refused == Refused("Vonage answered 401 Unauthorized: You did not provide correct credentials.", None)
        invalid = await hand_over(gateway(server), sender="営業部")
        assert isinstance(invalid, Refused)
        assert invalid.retry_in_s is None
        assert invalid.reason.startswith("Vonage answered 422 Invalid params")


def test_a_secret_is_never_shown() -> None:
    """Not when an account gets into a log."""
    assert API_SECRET not in repr(VonageAccount(API_KEY, API_SECRET))


@given(st.lists(st.text(min_size=1, max_size=255), min_size=2, max_size=2, unique=True))
def test_a_key_of_any_length_has_a_reference_of_its_own(keys: list[str]) -> None:
    """Up to the hundred characters that Vonage keeps; always the same."""
    one, other = keys
    assert len(client_ref(one)) <= 100
    assert client_ref(one) == client_ref(one)
    assert client_ref(one) != client_ref(other)


def test_a_key_that_was_cut_is_not_taken_for_one() -> None:
    """Then Vonage's own id has to do; a whole key comes back whole."""
    assert read(signed({**STATUS, "client_ref": client_ref("k" * 101)})).key is None
    assert read(signed({**STATUS, "client_ref": client_ref("k" * 100)})).key == "k" * 100


@pytest.mark.parametrize(
    ("status", "delivery"),
    [
        ("submitted", Delivery.ON_ITS_WAY),
        ("delivered", Delivery.DELIVERED),
        ("rejected", Delivery.UNDELIVERED),
        ("undeliverable", Delivery.UNDELIVERED),
    ],
)
def test_each_status_says_where_an_sms_is(status: str, delivery: Delivery) -> None:
    """By Vonage's id and by our key; the same status of the same SMS is the same receipt."""
    assert read(signed({**STATUS, "status": status})) == Receipt("vonage", f"{UUID}:{status}", UUID, delivery, KEY)


def test_a_failure_is_told_in_vonages_words() -> None:
    """With its code, without the number."""
    error = {"type": "https://x/#1050", "title": "1050", "detail": f"Number barred - {NUMBER} may not", "instance": "i"}
    told = read(signed({**STATUS, "status": "rejected", "error": error}))
    assert told.error == "1050: Number barred - **** may not"
    assert read(signed({**STATUS, "status": "rejected", "error": "no"})).error == ""


def test_an_inbound_sms_is_read_word_for_word() -> None:
    """Its number gets its `+`."""
    told = read(signed({**INBOUND, "text": " 16時に\n\x00😀"}))
    assert told == IncomingSms("vonage", UUID, NUMBER, SENDER, " 16時に\n\N{REPLACEMENT CHARACTER}😀")


@pytest.mark.parametrize(
    "wrong",
    [
        {**INBOUND, "from": "BANK"},
        {**INBOUND, "from": {"type": "sms", "number": "819012345678"}},
        {**INBOUND, "text": None},
        {**INBOUND, "channel": "whatsapp"},
        {**INBOUND, "message_uuid": "../../etc"},
        {**STATUS, "status": "teleported"},
        {**STATUS, "status": 1},
        {"channel": "sms"},
        [STATUS],
        "delivered",
        None,
    ],
)
def test_what_vonage_signed_but_never_sends_is_malformed(wrong: Any) -> None:
    """It says what is wrong, without anybody's number."""
    with pytest.raises(MalformedWebhookError) as error:
        read(signed(wrong))
    assert "8190" not in str(error.value)


def test_another_content_type_is_malformed() -> None:
    """Signed or not."""
    request = signed(STATUS)
    with pytest.raises(MalformedWebhookError):
        read(WebhookRequest("POST", URL, {**request.headers, "content-type": "text/plain"}, request.body, NOON))


@pytest.mark.parametrize(("age_s", "believed"), [(0, True), (299, True), (301, False), (-59, True), (-62, False)])
def test_a_token_is_believed_for_five_minutes(age_s: int, believed: bool) -> None:
    """And if our clock is a minute behind; a kept copy is refused, by the clock that came with the request."""
    request = signed(STATUS, iat=int((NOON - timedelta(seconds=age_s)).timestamp()))
    if believed:
        assert read(request).reference == UUID
    else:
        with pytest.raises(ForgedWebhookError):
            read(request)


@pytest.mark.parametrize("claim", ["api_key", "iat", "jti", "payload_hash"])
def test_a_token_that_says_less_is_not_believed(claim: str) -> None:
    """Without the digest of its body it would be good for any body."""
    with pytest.raises(ForgedWebhookError):
        read(signed(STATUS, **{claim: None}))


@pytest.mark.parametrize("algorithm", ["none", "HS384", "HS512"])
def test_only_the_algorithm_that_vonage_uses_counts(algorithm: str) -> None:
    """The token does not choose."""
    request = signed(STATUS)
    claims = vonage().claims(request.body, NOON)
    token = jwt.encode(claims, "" if algorithm == "none" else SIGNATURE_SECRET, algorithm=algorithm)
    with pytest.raises(ForgedWebhookError):
        read(WebhookRequest("POST", URL, {**request.headers, "authorization": f"Bearer {token}"}, request.body, NOON))


@given(
    st.dictionaries(st.text(), st.one_of(st.text(), st.integers(), st.none(), st.lists(st.text())), max_size=5),
    st.booleans(),
)
def test_ours_and_vonages_own_verifier_agree(more: dict[str, Any], ours: bool) -> None:
    """On tokens by our secret and by another's, over any body; the digest is that of the bytes as they came."""
    body = json.dumps({**more, **STATUS}, ensure_ascii=False).encode()
    claims = vonage().claims(body, NOON)
    assert claims["payload_hash"] == hashlib.sha256(body).hexdigest()
    token = jwt.encode(claims, SIGNATURE_SECRET if ours else "another" * 6, algorithm="HS256")
    # Theirs compares times with this machine's clock, which is years before the one of this test.
    now_token = jwt.encode({**claims, "iat": 0}, SIGNATURE_SECRET if ours else "another" * 6, algorithm="HS256")
    assert verify_signature(now_token, SIGNATURE_SECRET) is ours
    headers = {"content-type": "application/json", "authorization": f"bearer {token}"}
    request = WebhookRequest("POST", URL, headers, body, NOON)
    if ours:
        assert read(request).reference == UUID
    else:
        with pytest.raises(ForgedWebhookError):
            read(request)
