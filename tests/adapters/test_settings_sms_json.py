"""A provider that is described in the settings file: what a description may say, and how its mistakes are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from controller.settings.sms_json import JsonHttp
from controller.sms.json_http import JsonProvider
from controller.sms.json_webhook import JsonWebhook, ReceiptFields, ReplyFields, Verification
from tests.adapters.test_settings_sms import JSON, WEB, of_file
from tests.adapters.test_settings_sms_mistakes import told

if TYPE_CHECKING:
    from pathlib import Path

BODY = {"to": "{number}", "text": "{text}"}
RECEIPTS = '[sms.json_http.receipts]\nstatus = "s"\ndelivered = ["1"]\nundelivered = ["2"]\nreference = "id"\n'
REPLIES = '[sms.json_http.replies]\nnumber = "from"\ntext = "text"\n'
PROOF = '[sms.json_http.verification]\nmethod = "hmac"\nheader = "X-Signature"\n'
REFERENCE = JSON + 'reference = "id"\n'


def described(folder: Path, text: str) -> JsonHttp:
    """Return the description in a file."""
    found = of_file(folder, text).sms.json_http
    assert found is not None
    return found


def test_a_description_of_nothing_but_the_address_and_the_fields_is_enough(tmp_path: Path) -> None:
    """All else is as the gateway has it."""
    provider = described(tmp_path, JSON).provider("")
    assert provider == JsonProvider("https://sms.example.jp/send", BODY)
    assert described(tmp_path, JSON).webhook("", home="JP") is None


def test_receipts_and_replies_become_what_reads_them(tmp_path: Path) -> None:
    """With the secret that comes from the environment, and the country of the house."""
    found = described(tmp_path, REFERENCE + 'items = "events"\n' + RECEIPTS + REPLIES + PROOF + WEB)
    assert found.webhook("s", home="US") == JsonWebhook(
        Verification("hmac", "X-Signature", "s"),
        receipts=ReceiptFields("s", frozenset({"1"}), frozenset({"2"}), reference="id"),
        replies=ReplyFields("from", "text"),
        items="events",
        home="US",
    )


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ("{text}", "hello", "5: sms.json_http.body: must hold {text}"),
        ("{number}", "x", "5: sms.json_http.body: must hold one of {number}, {number_digits}, {national_number}"),
        (
            "{number}",
            "+{number}",
            '5: sms.json_http.body: "+{number}" must be one placeholder as a whole; did you mean',
        ),
        ("{number}", "{phone}", '5: sms.json_http.body: "{phone}" must be one placeholder as a whole; known are {num'),
        ('"{text}" }', '"{text}", at = 2026-01-01 }', "5: sms.json_http.body: must hold text, numbers, true or false"),
        (
            '"{text}" }',
            '"{text}", a = ' + "[" * 12 + "]" * 12 + " }",
            "5: sms.json_http.body: must not be nested deeper",
        ),
        ("https:", "http:", '4: sms.json_http.url: must begin with https://, as "https://sms.example.jp/v1/messages":'),
        ("https:", "ftp:", '4: sms.json_http.url: must be an address, as "https://sms.example.jp/v1/messages", not'),
        ("https://", "https://u:p@", "4: sms.json_http.url: must not hold a name or password"),
    ],
)
def test_a_request_that_could_not_be_made_is_told(tmp_path: Path, old: str, new: str, wrong: str) -> None:
    """At the field that is wrong."""
    (line,) = told(tmp_path, JSON.replace(old, new, 1))
    assert line.startswith(wrong)


@pytest.mark.parametrize(
    ("more", "wrong"),
    [
        ('method = "GET"\n', '6: sms.json_http.method: must be "POST" or "PUT", not "GET"'),
        ('auth = "basic"\n', '3: sms.json_http: needs both auth = "basic" and user, or neither'),
        ('user = "me"\n', '3: sms.json_http: needs both auth = "basic" and user, or neither'),
        ('auth = "header"\n', '3: sms.json_http: needs both auth = "header" and header, or neither'),
        ('auth = "header"\nheader = "Host"\n', "7: sms.json_http.header: is a header that HTTP itself sets"),
        ('auth = "header"\nheader = "X Y"\n', '7: sms.json_http.header: must be the name of an HTTP header, as "X-Sig'),
        (
            'headers = { X-A = "{text}" }\n',
            "6: sms.json_http.headers.X-A: must be plain ASCII, or one of {secret}, {key",
        ),
        ('headers = { X-A = "a\\r\\nb" }\n', "6: sms.json_http.headers.X-A: must be plain ASCII, or one of"),
        ('headers = { X-Api-Key = "abc" }\n', "6: sms.json_http.headers.X-Api-Key: is a secret and must not stand in"),
        ('headers = { Authorization = "abc" }\n', "6: sms.json_http.headers.Authorization: is a secret and must not"),
        ('code = "c"\n', "3: sms.json_http: needs both code and accepted_codes, or neither"),
        ('accepted_codes = ["0"]\n', "3: sms.json_http: needs both code and accepted_codes, or neither"),
        ('retry_codes = ["0"]\n', "3: sms.json_http: needs code: where do retry_codes stand?"),
        (
            'code = "c"\naccepted_codes = ["0"]\nretry_codes = ["0"]\n',
            "3: sms.json_http: has a code that is both accepted and tried again",
        ),
        ("accepted_codes = [0]\n", '6: sms.json_http.accepted_codes[1]: must be text in quotes: write "0"'),
        ("accepted_statuses = [503]\n", "3: sms.json_http: has a status that is both accepted and tried again"),
        ("accepted_statuses = [20]\n", "6: sms.json_http.accepted_statuses[1]: must be 100 or more, not 20"),
        ('reference = "a..b"\n', "6: sms.json_http.reference: must be a field, with dots where it lies in another, as"),
        ('reference = "id"\n' + RECEIPTS, "3: sms.json_http: needs [sms.json_http.verification]: anybody could send"),
        (PROOF, "3: sms.json_http: needs [sms.json_http.receipts] or [sms.json_http.replies]"),
        (RECEIPTS + PROOF, "3: sms.json_http: needs receipts.key, or reference: its receipts could not be told apart"),
        (RECEIPTS + 'key = "tag"\n' + PROOF, "3: sms.json_http: needs {key} in body: receipts name the SMS by it"),
        (
            RECEIPTS.replace('reference = "id"\n', "") + PROOF,
            "6: sms.json_http.receipts: needs reference or key: which SMS is it about?",
        ),
        (
            'reference = "id"\n' + RECEIPTS.replace('"2"', '"1"') + PROOF,
            "7: sms.json_http.receipts: has a status that stands for two things",
        ),
        (
            REPLIES + PROOF + 'signs = ["timestamp"]\ntimestamp_header = "X"\n',
            '9: sms.json_http.verification: must sign the body: signs = ["body"]',
        ),
        (
            REPLIES + PROOF + 'timestamp_header = "X"\n',
            '9: sms.json_http.verification: needs both timestamp_header and "timestamp" in signs, or neither',
        ),
        (
            REPLIES + PROOF + 'signs = ["timestamp", "body"]\n',
            '9: sms.json_http.verification: needs both timestamp_header and "timestamp" in signs, or neither',
        ),
        (
            (REPLIES + PROOF).replace("hmac", "header") + 'signs = ["timestamp", "body"]\ntimestamp_header = "X"\n',
            '9: sms.json_http.verification: has no signature with method = "header": leave timestamp_header out',
        ),
        (REPLIES + PROOF + 'algorithm = "md5"\n', '12: sms.json_http.verification.algorithm: must be "sha256", "sha1"'),
    ],
)
def test_what_is_at_odds_in_a_description_is_told(tmp_path: Path, more: str, wrong: str) -> None:
    """Alone, at the table or the key that it is about."""
    (line,) = told(tmp_path, JSON + more + WEB)
    assert line.startswith(wrong)


def test_a_form_has_no_tables(tmp_path: Path) -> None:
    """There is no one way to write them in it."""
    nested = JSON.replace('text = "{text}"', 'message.text = "{text}"')
    (line,) = told(tmp_path, nested + 'encoding = "form"\n')
    assert line == "3: sms.json_http: is sent as a form: its body can hold no tables and no lists"
    assert described(tmp_path, nested).provider("").body == {"to": "{number}", "message": {"text": "{text}"}}


anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["{text}", "{number}", "{key}"]),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(sorted(JsonHttp.model_fields)), anything, max_size=4))
def test_whatever_a_description_holds_is_taken_or_told(more: dict[str, Any]) -> None:
    """Nothing but pydantic's own error is raised."""
    given_values = {"url": "https://sms.example.jp", "body": BODY} | more
    try:
        found = JsonHttp.model_validate(given_values)
    except ValidationError:
        return
    assert found.provider("secret").url == found.url
    found.webhook("secret", home="JP")
