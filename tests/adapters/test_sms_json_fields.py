"""What a described provider's signed requests are read as, field by field, whatever they hold."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.ports.sms import ForgedWebhookError, IncomingSms, MalformedWebhookError, Receipt, WebhookRequest
from controller.sms.json_webhook import e164_of
from tests.adapters.test_sms_json_http import NUMBER
from tests.adapters.test_sms_json_webhook import BY_BODY, NOW, PLAIN, URL, signed


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (f"{URL}/receipt", Receipt),
        (f"{URL}/receipt?id=reply", Receipt),
        (f"{URL}/reply", IncomingSms),
        (URL, IncomingSms),
    ],
)
def test_the_address_says_what_it_is_and_else_the_fields(url: str, told: type) -> None:
    """At one address for both, what has a text is a reply."""
    body = json.dumps({"id": "1", "status": "ok", "from": "09012345678", "text": "1"}).encode()
    (one,) = PLAIN.read(signed(body, url=url))
    assert isinstance(one, told)
    (other,) = PLAIN.read(signed(b'{"id": 7, "status": "ok"}', url=URL))
    assert isinstance(other, Receipt)
    assert other.reference == "7"


def test_several_can_come_in_one_request() -> None:
    """In a list that the settings name."""
    webhook = replace(PLAIN, items="data.events")
    body = {"data": {"events": [{"id": "1", "status": "ok"}, {"id": "2", "status": "?"}, {"id": "3", "status": "no"}]}}
    told = webhook.read(signed(json.dumps(body).encode()))
    assert [one.event_id for one in told] == ["1:ok", "3:no"]
    wrong: Any
    for wrong in (
        {},
        {"data": {"events": {}}},
        {"data": {"events": [{"id": "1", "status": "ok"}] * 501}},
        {"data": {"events": ["x"]}},
    ):
        with pytest.raises(MalformedWebhookError):
            webhook.read(signed(json.dumps(wrong).encode()))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"[" * 60_000,
        b'"\\ud800"',
        b"{}",
        b'{"id": "1"}',
        b'{"status": "ok"}',
        b'{"id": {}, "status": "ok"}',
        b'{"id": "1", "status": true}',
    ],
)
def test_what_is_signed_and_not_as_described_is_malformed(body: bytes) -> None:
    """Without a word of what was in it."""
    with pytest.raises(MalformedWebhookError) as caught:
        PLAIN.read(signed(body))
    assert "ud800" not in str(caught.value)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"text": "1"},
        {"from": NUMBER},
        {"from": "Bank", "text": "1"},
        {"from": "110", "text": "1"},
        {"from": NUMBER, "text": ["1"]},
        {"from": f"{NUMBER};ext=1", "text": "1"},
    ],
)
def test_a_reply_needs_a_number_and_a_text(fields: dict[str, Any]) -> None:
    """A short code or a name cannot be called."""
    with pytest.raises(MalformedWebhookError):
        PLAIN.read(signed(json.dumps(fields).encode(), url=f"{URL}/reply"))


def test_the_same_reply_twice_is_one_and_another_is_another() -> None:
    """By all that it says, in whatever order, where it has no id of its own."""
    url = f"{URL}/reply"
    bodies = [
        b'{"from": "09012345678", "text": "1", "at": "10:00"}',
        b'{"at":"10:00","text":"1","from":"09012345678"}',
        b'{"from": "09012345678", "text": "1", "at": "10:01"}',
    ]
    first, again, other = (PLAIN.read(signed(body, url=url))[0] for body in bodies)
    assert first == again
    assert first.event_id != other.event_id


def test_an_id_that_cannot_be_kept_as_it_is_stays_one_of_its_kind() -> None:
    """Long ones are cut to a digest, not to a beginning that they share."""
    long = "x" * 500
    ids = {PLAIN.read(signed(json.dumps({"id": long + end, "status": "ok"}).encode()))[0].event_id for end in "abé"}
    assert len(ids) == 3
    assert max(map(len, ids)) <= 128


def test_a_form_is_read_as_fields_and_a_field_that_stands_there_twice_is_refused() -> None:
    """Two parsers could take different ones."""
    form = "application/x-www-form-urlencoded; charset=utf-8"
    (one,) = PLAIN.read(signed(b"id=1&status=ok", content_type=form))
    assert isinstance(one, Receipt)
    for body in (b"id=1&status=ok&status=no", b"id=1&status=%ff", b"status"):
        with pytest.raises(MalformedWebhookError):
            PLAIN.read(signed(body, content_type=form))


json_like: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
fields_like = st.dictionaries(st.sampled_from(["id", "tag", "status", "from", "text", "to", "x"]), json_like)


@given(
    fields_like.map(lambda fields: json.dumps(fields).encode()) | st.binary(max_size=60),
    st.sampled_from(["/receipt", "/reply", "", "/other"]),
    st.sampled_from(["application/json", "application/x-www-form-urlencoded", ""]),
)
def test_whatever_is_signed_is_read_or_malformed(body: bytes, end: str, content_type: str) -> None:
    """Nothing else is raised, and what is read can be stored."""
    try:
        told = PLAIN.read(signed(body, url=f"{URL}{end}", content_type=content_type))
    except MalformedWebhookError:
        return
    for one in told:
        assert 0 < len(one.event_id) <= 200
        one.event_id.encode()
        if isinstance(one, IncomingSms):
            one.text.encode()
            assert one.number.startswith("+")


@given(st.binary(max_size=60), st.dictionaries(st.sampled_from(["x-signature", "x-timestamp"]), st.text()), st.text())
def test_whatever_is_not_signed_is_forged(body: bytes, headers: dict[str, str], url: str) -> None:
    """Whatever its headers and address hold, lone surrogates and NUL included."""
    how = replace(BY_BODY, signs=("url", "timestamp", "body"), timestamp_header="X-Timestamp")
    with pytest.raises(ForgedWebhookError):
        replace(PLAIN, verification=how).read(WebhookRequest("POST", url, headers, body, NOW))


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("09012345678", NUMBER),
        ("819012345678", NUMBER),
        ("+819012345678", NUMBER),
        ("090-1234-5678", NUMBER),
        ("12025550123", "+12025550123"),
        ("+12025550123", "+12025550123"),
        ("447400123456", "+447400123456"),
        ("110", None),
        ("20012", None),
        ("", None),
        ("+", None),
        ("09012345678 ext 9", None),
        ("0" * 21, None),
        ("Example", None),
    ],
)
def test_a_number_is_understood_as_providers_write_it(written: str, number: str | None) -> None:
    """With its country's code and without."""
    assert e164_of(written, "JP") == number


def test_a_number_that_could_be_one_of_two_countries_is_one_of_home() -> None:
    """Ten digits of New York's are a number of New Zealand's too, with a + in front."""
    assert e164_of("+6467203683", "US") == "+6467203683"
    assert e164_of("6467203683", "US") == "+16467203683"
