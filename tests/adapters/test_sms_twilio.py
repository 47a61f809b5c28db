from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

import pytest
from aiohttp import encode_basic_auth
from hypothesis import example, given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from controller.domain.sms import Delivery
from controller.ports.sms import (
    Accepted,
    ForgedWebhookError,
    IncomingSms,
    MalformedWebhookError,
    Receipt,
    Refused,
    Unclear,
    WebhookRequest,
)
from controller.sms.twilio import TwilioAccount, TwilioGateway, TwilioWebhook, receipt_address
from lab.sms_providers.provider import SILENT, Fault, SignedWebhook
from lab.sms_providers.server import Faults, ProviderServer
from lab.sms_providers.twilio import TwilioProvider
from tests.adapters.sms_receiver import (
    ACCOUNT_SID,
    AUTH_TOKEN,
    KEY,
    NUMBER,
    PUBLIC_URL,
    SENDER,
    SHORT_S,
    TEXT,
    TIMEOUT_S,
    as_request,
    gateway,
    hand_over,
    provider,
)
from tests.contract.store_under_test import NOON, HandClock

if TYPE_CHECKING:
    from controller.ports.sms import SendResult

SIGNATURE = "X-Twilio-Signature"
SID = "SM" + "0" * 32
INTERNAL = "An internal server error has occurred"
VALIDATOR = RequestValidator(AUTH_TOKEN)
RECEIPT = {"AccountSid": ACCOUNT_SID, "MessageSid": SID, "MessageStatus": "sent", "To": NUMBER, "From": SENDER}
REPLY = {"AccountSid": ACCOUNT_SID, "MessageSid": SID, "From": NUMBER, "To": SENDER, "Body": "16時"}
urls = st.builds(
    lambda host, path, query: f"{host}/sms/twilio/{path}{query}",
    st.sampled_from([PUBLIC_URL, f"{PUBLIC_URL}:443", f"{PUBLIC_URL}:8443", "http://127.0.0.1:8090"]),
    st.text(alphabet="abcXYZ/-._~%20", max_size=12),
    st.one_of(st.just(""), st.text(alphabet="abc=&+%1?;:@", max_size=20).map("?q={}".format)),
)
fields = st.dictionaries(st.text(), st.text(), max_size=6)


def server_with(*faults: Fault, retry_after_s: int = 1) -> ProviderServer:
    """Return Twilio, going to fail like this."""
    planned = Faults(retry_after_s=retry_after_s)
    planned.planned.extend(faults)
    return ProviderServer(provider("twilio"), faults=planned)


def signed(given_fields: dict[str, str], url: str = f"{PUBLIC_URL}/sms/twilio/receipt", **kinds: str) -> WebhookRequest:
    """Return a form that Twilio's own code has signed."""
    signature = VALIDATOR.compute_signature(url, given_fields, kinds.get("algorithm"))
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8", SIGNATURE: signature}
    if kinds:
        headers["X-Twilio-Webhooks-Signature-Settings"] = f"key=webhooks_sharedkey_1,algorithm={kinds['algorithm']}"
    return as_request(SignedWebhook(url, headers, urlencode(given_fields).encode()), NOON)


def read(request: WebhookRequest) -> Any:
    """Return the one thing that it tells."""
    (told,) = TwilioWebhook(AUTH_TOKEN, account_sid=ACCOUNT_SID, public_url=PUBLIC_URL).read(request)
    return told


async def test_an_sms_is_handed_over_as_twilio_documents_it() -> None:
    """A form, signed in with account and token; the address for receipts has our key, and asks for repeats."""
    async with server_with().serving() as server:
        result = await hand_over(gateway(server))
        (asked,) = server.requests
        (sms,) = server.taken
    assert result == Accepted(sms.reference)
    assert (asked.method, asked.path) == ("POST", f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json")
    assert asked.headers["authorization"] == encode_basic_auth(ACCOUNT_SID, AUTH_TOKEN)
    form = dict(parse_qsl(asked.body.decode(), strict_parsing=True))
    callback = form.pop("StatusCallback")
    assert form == {"To": NUMBER, "From": SENDER, "Body": TEXT}
    assert callback.startswith(f"{PUBLIC_URL}/sms/twilio/receipt?key=")
    assert callback.endswith("#rc=5&rp=all")
    assert sms.key == KEY


async def test_a_messaging_service_chooses_the_sender_and_an_api_key_signs_in() -> None:
    """Without web pages there is nowhere to send receipts to."""
    async with server_with().serving() as server:
        account = TwilioAccount(ACCOUNT_SID, "api-secret", "SK1", "MG1", f"{server.url}/")
        sending = TwilioGateway(account, public_url=None, clock=HandClock(), timeout_s=TIMEOUT_S)
        refused = await hand_over(sending, text="Hi")
        (asked,) = server.requests
    assert asked.headers["authorization"] == encode_basic_auth("SK1", "api-secret")
    assert dict(parse_qsl(asked.body.decode())) == {"To": NUMBER, "MessagingServiceSid": "MG1", "Body": "Hi"}
    assert refused == Refused("Twilio answered 401, error 20003: the account, API key or secret is wrong", None)


@pytest.mark.parametrize(
    ("fault", "result", "taken"),
    [
        (Fault.THROTTLED, Refused("Twilio answered 429, error 20429: too many requests at once", 7), 0),
        (Fault.UNAVAILABLE, Refused("Twilio answered 503, error 20503: Service Unavailable", 7), 0),
        (Fault.REFUSED, Refused("Twilio answered 400, error 21610: they have opted out with STOP", None), 0),
        (Fault.BROKEN, Unclear(f"Twilio answered 500, error 20500: {INTERNAL}"), 0),
        (Fault.TAKEN_THEN_BROKEN, Unclear(f"Twilio answered 500, error 20500: {INTERNAL}"), 1),
        (Fault.HANG, Unclear("no answer"), 0),
        (Fault.CUT, Unclear("no answer"), 0),
        (Fault.TAKEN_THEN_SILENT, Unclear("no answer"), 1),
        (Fault.TAKEN_THEN_CUT, Unclear("no answer"), 1),
        (Fault.HALF_ANSWERED, Unclear("Twilio took it without naming a sid"), 1),
    ],
)
async def test_only_what_twilio_surely_did_not_take_is_ever_handed_over_again(
    fault: Fault, result: SendResult, taken: int
) -> None:
    """A 500 may have taken it, says Twilio's own page on error 20500. And a request is sent once, whatever comes."""
    async with server_with(fault, retry_after_s=7).serving() as server:
        found = await hand_over(gateway(server, timeout_s=SHORT_S if fault in SILENT else TIMEOUT_S))
        assert (len(server.requests), len(server.taken)) == (1, taken)
    if isinstance(found, Unclear) and found.reason.startswith("no answer: "):
        found = Unclear("no answer")
    assert found == result


async def test_a_number_that_is_none_is_a_dead_letter_without_the_number() -> None:
    """Twilio's message repeats it."""
    async with server_with().serving() as server:
        refused = await hand_over(gateway(server), number="+0312345678")
    assert refused == Refused("Twilio answered 400, error 21211: the number is invalid", None)


def test_a_secret_is_never_shown() -> None:
    """Not when an account gets into a log."""
    assert "api-secret" not in repr(TwilioAccount(ACCOUNT_SID, "api-secret"))


@pytest.mark.parametrize(
    ("status", "delivery"),
    [
        ("accepted", Delivery.ON_ITS_WAY),
        ("queued", Delivery.ON_ITS_WAY),
        ("sending", Delivery.ON_ITS_WAY),
        ("sent", Delivery.ON_ITS_WAY),
        ("delivered", Delivery.DELIVERED),
        ("undelivered", Delivery.UNDELIVERED),
        ("failed", Delivery.UNDELIVERED),
        ("canceled", Delivery.UNDELIVERED),
    ],
)
def test_each_status_says_where_an_sms_is(status: str, delivery: Delivery) -> None:
    """By Twilio's id; the same status of the same SMS is the same receipt."""
    told = read(signed({**RECEIPT, "MessageStatus": status}))
    assert told == Receipt("twilio", f"{SID}:{status}", SID, delivery)


def test_a_failure_is_told_in_words() -> None:
    """Twilio's own, where we have none; without the numbers in them."""
    failed = {**RECEIPT, "MessageStatus": "undelivered"}
    assert (
        read(signed({**failed, "ErrorCode": "30003"})).error == "30003: the phone is unreachable: off, or out of reach"
    )
    told = read(signed({**failed, "ErrorCode": "39999", "ErrorMessage": f"no route to {NUMBER}"}))
    assert told.error == "39999: no route to ****"
    assert read(signed({**failed, "ErrorCode": "none"})).error == ""


def test_an_incoming_sms_is_read_word_for_word() -> None:
    """Line breaks, signs and all; a NUL, which no database takes, is replaced."""
    told = read(signed({**REPLY, "Body": " 16時に&+%\n\x00😀", "SmsStatus": "received"}))
    assert told == IncomingSms("twilio", SID, NUMBER, SENDER, " 16時に&+%\n\N{REPLACEMENT CHARACTER}😀")
    assert read(signed({**REPLY, "To": "12345"})).to == "12345"


@pytest.mark.parametrize(
    "wrong",
    [
        {**REPLY, "From": "anonymous"},
        {**REPLY, "From": "whatsapp:+819012345678"},
        {**REPLY, "From": "+٨١٩٠١٢٣٤٥٦٧٨"},
        {**RECEIPT, "MessageStatus": "teleported"},
        {**RECEIPT, "MessageSid": "SM 1"},
        {name: value for name, value in RECEIPT.items() if name != "MessageSid"},
        {name: value for name, value in REPLY.items() if name != "Body"},
    ],
)
def test_what_twilio_signed_but_never_sends_is_malformed(wrong: dict[str, str]) -> None:
    """It says what is wrong, without anybody's number."""
    with pytest.raises(MalformedWebhookError) as error:
        read(signed(wrong))
    assert "8190" not in str(error.value)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=75))
@example("missed:営業/部?&=#+:+819012345678:2026-11-22")
def test_our_key_comes_back_as_it_was(key: str) -> None:
    """Whatever it is made of: no proxy finds anything in the address that it could write otherwise."""
    address = receipt_address(PUBLIC_URL, key).partition("#")[0]
    assert read(signed(RECEIPT, address)).key == key


@pytest.mark.parametrize("mangled", ["", "?key=", "?key=!!!!", "?key=_w", "?key=" + "_" * 5000, "?kex=cC0x"])
def test_a_receipt_without_a_key_that_can_be_read_is_known_by_twilios_id(mangled: str) -> None:
    """It is genuine all the same."""
    assert read(signed(RECEIPT, f"{PUBLIC_URL}/sms/twilio/receipt{mangled}")).key is None


def accepts(request: WebhookRequest, public_url: str) -> bool:
    """Tell whether the signature is believed, whatever the fields are worth."""
    try:
        TwilioWebhook(AUTH_TOKEN, account_sid=ACCOUNT_SID, public_url=public_url).read(request)
    except ForgedWebhookError:
        return False
    except MalformedWebhookError:
        return True
    return True


def origin(url: str) -> str:
    """Return an address up to its path."""
    return "/".join(url.split("/")[:3])


@given(urls, fields, st.sampled_from(["HMAC_SHA1", "HMAC_SHA256"]))
@example(f"{PUBLIC_URL}/sms/twilio/receipt?a=b+c%20d&e=", {"": "", "Body": "+&= あ😀"}, "HMAC_SHA1")
def test_what_twilios_own_code_signs_is_believed(url: str, more: dict[str, str], algorithm: str) -> None:
    """Any order, empty fields, plus signs, other alphabets, ports and queries."""
    request = signed({**more, **REPLY}, url, algorithm=algorithm)
    assert accepts(request, origin(url))


@given(urls, fields, st.integers(0, 3), st.text(max_size=3))
def test_ours_and_twilios_own_validator_agree(url: str, more: dict[str, str], what: int, scrap: str) -> None:
    """On forms that were changed on their way, and on those that were not."""
    given_fields = {**more, **RECEIPT}
    request = signed(given_fields, url)
    changed = [
        (given_fields, url),
        ({**given_fields, "To": given_fields["To"] + scrap}, url),
        ({**given_fields, scrap: scrap} | {"AccountSid": ACCOUNT_SID}, url),
        (given_fields, f"{url}&{urlencode({'x': scrap})}"),
    ][what]
    arrived = WebhookRequest("POST", changed[1], request.headers, urlencode(changed[0]).encode(), NOON)
    expected = VALIDATOR.validate(changed[1], changed[0], request.headers[SIGNATURE.lower()])
    assert accepts(arrived, origin(url)) == expected


@pytest.mark.parametrize("port", ["", ":443"])
@pytest.mark.parametrize("end", ["", "#rc=5&rp=all"])
def test_the_port_and_the_wish_for_repeats_may_be_part_of_what_is_signed(port: str, end: str) -> None:
    """Twilio is not of one mind about either, and neither travels in the request."""
    path = "/sms/twilio/receipt?key=cC0x"
    signature = VALIDATOR.compute_signature(f"{PUBLIC_URL}{port}{path}{end}", RECEIPT)
    arrived = signed(RECEIPT, f"{PUBLIC_URL}{path}")
    headers = {**arrived.headers, SIGNATURE.lower(): signature}
    assert read(WebhookRequest("POST", arrived.url, headers, arrived.body, NOON)).key == "p-1"


def test_a_genuine_webhook_for_another_installation_is_not_believed() -> None:
    """One account may serve two installations: what was meant for the one changes nothing in the other."""
    for elsewhere in ("https://staging.example.jp", f"{PUBLIC_URL}.evil.example", f"{PUBLIC_URL}:8443"):
        with pytest.raises(ForgedWebhookError):
            read(signed(RECEIPT, f"{elsewhere}/sms/twilio/receipt"))


def test_json_is_believed_when_the_digest_of_its_body_is_signed() -> None:
    """Then it is read like a form."""
    body = json.dumps(RECEIPT).encode()
    url = f"{PUBLIC_URL}/sms/twilio/receipt?bodySHA256={hashlib.sha256(body).hexdigest()}"
    assert VALIDATOR.validate(url, body.decode(), VALIDATOR.compute_signature(url, {}))
    headers = {"Content-Type": "application/json", SIGNATURE: VALIDATOR.compute_signature(url, {})}
    assert read(as_request(SignedWebhook(url, headers, body), NOON)).event_id == f"{SID}:sent"
    with pytest.raises(ForgedWebhookError):
        read(as_request(SignedWebhook(url, headers, body + b" "), NOON))


def test_the_other_side_signs_as_twilio_does() -> None:
    """What the lab brings is what Twilio's own validator takes."""
    twilio = provider("twilio")
    assert isinstance(twilio, TwilioProvider)
    made = twilio.reply(NUMBER, SENDER, TEXT, NOON)
    assert VALIDATOR.validate(
        made.url, dict(parse_qsl(made.body.decode(), keep_blank_values=True)), made.headers[SIGNATURE]
    )
