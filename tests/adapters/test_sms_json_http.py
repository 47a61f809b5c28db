"""The described provider against servers of the two kinds that docs/sms-json.md shows, by the settings shown there."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.ports.sms import Accepted, Refused, Unclear
from controller.settings import load_settings
from controller.sms.json_http import PLACEHOLDERS, JsonGateway, JsonProvider, at, filled, text_at
from controller.system_clock import SystemClock
from lab.sms_providers.json_http import BearerJsonProvider, FormProvider
from lab.sms_providers.provider import Fault
from lab.sms_providers.server import ProviderServer
from tests.adapters.test_settings import SMALL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from controller.ports.sms import SendResult
    from controller.settings import Settings
    from lab.sms_providers.provider import Provider

PAGE = Path(__file__).resolve().parents[2] / "docs" / "sms-json.md"
BEARER, FORM = re.findall(r"^```toml\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
PUBLIC = "https://callback.example.jp"
WEB = f'[web]\nenabled = true\npublic_url = "{PUBLIC}"\n'
SECRET, WEBHOOK_SECRET = "b3-sEcr3t/+=", "callback-0123456789abcdef"
NUMBER, KEY = "+819012345678", "promise-1:confirmed"
PATIENCE_S = 0.5
"""Of a gateway whose provider never answers."""
HOSTILE = [
    '"}], "to": "09099999999", "x": [{"a": "',
    "a&phoneNumber=09099999999&message=x",
    "line\r\nX-Injected: yes\r\n\r\nbody",
    "{number} {secret} {{text}}",
    "{secret}",
    "\x00\x1b[2J\u202e\U0001f4de 折り返し「お電話」",
    "%7B%22 \\u0022 \\",
]


@dataclass
class Kind:
    """One of the two providers: the settings that describe it, and its own side."""

    settings: str
    side: Callable[[], Provider]


def bearer_side() -> BearerJsonProvider:
    """Return the first provider."""
    return BearerJsonProvider(secret=SECRET, signature_secret=WEBHOOK_SECRET, public_url=PUBLIC)


def form_side() -> FormProvider:
    """Return the second provider."""
    return FormProvider(secret=SECRET, callback_secret=WEBHOOK_SECRET, public_url=PUBLIC)


KINDS = {"bearer": Kind(BEARER, bearer_side), "form": Kind(FORM, form_side)}


def settings_of(folder: Path, text: str) -> Settings:
    """Return what the page's example means in a file that is in order otherwise."""
    path = folder / "controller.toml"
    path.write_text(f"{SMALL}{WEB}{text}", encoding="utf-8")
    return load_settings(path, {}, needs_secrets=False)


def provider_of(folder: Path, text: str) -> JsonProvider:
    """Return the provider that the page's example describes."""
    described = settings_of(folder, text).sms.json_http
    assert described is not None
    return described.provider(SECRET)


@asynccontextmanager
async def reached(folder: Path, kind: Kind, **changes: Any) -> AsyncIterator[tuple[JsonGateway, ProviderServer]]:
    """Serve one provider, without webhooks, and open the gateway to it."""
    async with ProviderServer(kind.side()).serving() as server:
        server.manners.receipts = False
        text = kind.settings.replace("https://sms.example.jp", server.url)
        provider = replace(provider_of(folder, text), **changes)
        url = f"{PUBLIC}/sms/json_http"
        gateway = JsonGateway(provider, clock=SystemClock(), webhook_url=url, timeout_s=PATIENCE_S)
        try:
            yield gateway, server
        finally:
            await gateway.close()


async def send(gateway: JsonGateway, text: str = "折り返しお電話します。", key: str = KEY) -> SendResult:
    """Hand over one SMS."""
    return await gateway.send(key=key, sender="20012", number=NUMBER, text=text)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("text", HOSTILE)
async def test_every_text_arrives_as_it_is_and_changes_nothing_else(tmp_path: Path, name: str, text: str) -> None:
    """Quotes, line ends, ampersands and placeholders in it are letters like any others."""
    async with reached(tmp_path, KINDS[name]) as (gateway, server):
        result = await send(gateway, text)
    (taken,) = server.taken
    assert (taken.number, taken.sender, taken.key, taken.text) == (NUMBER, "20012", KEY, text)
    assert result == Accepted(taken.reference)
    assert "x-injected" not in server.requests[0].headers


async def test_the_first_kind_is_signed_in_by_a_header_and_told_where_receipts_go(tmp_path: Path) -> None:
    """The key stands in a header too, for providers that keep it there."""
    async with reached(tmp_path, KINDS["bearer"]) as (gateway, server):
        await send(gateway)
    (asked,) = server.requests
    assert (asked.headers["x-request-id"], asked.headers["content-type"]) == (KEY, "application/json")
    assert server.taken[0].receipts_to == f"{PUBLIC}/sms/json_http"
    assert SECRET.encode() not in asked.body


async def test_the_second_kind_takes_a_key_once_and_a_repeat_is_as_good_as_accepted(tmp_path: Path) -> None:
    """Its answer has no id: our key is the reference, as its receipts have it."""
    async with reached(tmp_path, KINDS["form"]) as (gateway, server):
        assert [await send(gateway), await send(gateway)] == [Accepted(KEY), Accepted(KEY)]
    assert len(server.taken) == 1


@pytest.mark.parametrize(
    ("auth", "header"),
    [
        ({"auth": "none"}, ""),
        ({"auth": "header", "header": "X-Own"}, ""),
        ({"auth": "basic", "user": "me"}, "Basic bWU6YjMtc0VjcjN0Lys9"),
    ],
)
async def test_who_is_not_signed_in_is_refused_for_good(tmp_path: Path, auth: dict[str, str], header: str) -> None:
    """Each way to sign in sends what it says and nothing more."""
    async with reached(tmp_path, KINDS["bearer"], **auth) as (gateway, server):
        result = await send(gateway)
    assert result == Refused("the provider answered 401, unknown token", None)
    headers = server.requests[0].headers
    assert headers.get("authorization", "") == header
    assert headers.get("x-own") == (SECRET if auth["auth"] == "header" else None)


TOLD = {
    Fault.THROTTLED: (Refused, 7.0),
    Fault.UNAVAILABLE: (Refused, 7.0),
    Fault.REFUSED: (Refused, None),
    Fault.BROKEN: (Unclear, None),
    Fault.HANG: (Unclear, None),
    Fault.CUT: (Unclear, None),
    Fault.TAKEN_THEN_SILENT: (Unclear, None),
    Fault.TAKEN_THEN_CUT: (Unclear, None),
    Fault.TAKEN_THEN_BROKEN: (Unclear, None),
    Fault.HALF_ANSWERED: (Unclear, None),
}


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("fault", TOLD)
async def test_only_what_was_certainly_not_taken_is_refused(tmp_path: Path, name: str, fault: Fault) -> None:
    """Whatever else goes wrong once the request has left is unclear, and nobody sends it again."""
    async with reached(tmp_path, KINDS[name]) as (gateway, server):
        server.faults.retry_after_s = 7
        server.faults.planned.append(fault)
        result = await send(gateway)
    kind, retry_in_s = TOLD[fault]
    assert isinstance(result, kind)
    assert getattr(result, "retry_in_s", None) == retry_in_s
    assert len(server.requests) == 1


@pytest.mark.parametrize(("told_s", "waited_s"), [(0, 1.0), (10**30, 24 * 3600.0)])
async def test_no_provider_can_have_us_ask_at_once_or_never(tmp_path: Path, told_s: int, waited_s: float) -> None:
    """Retry-After is the provider's word, within reason."""
    async with reached(tmp_path, KINDS["form"]) as (gateway, server):
        server.faults.retry_after_s = told_s
        server.faults.planned.append(Fault.THROTTLED)
        result = await send(gateway)
    assert isinstance(result, Refused)
    assert result.retry_in_s == waited_s


async def test_where_nobody_listens_nothing_was_sent(tmp_path: Path) -> None:
    """That is known, and it may pass."""
    async with reached(tmp_path, KINDS["bearer"]) as (gateway, _):
        pass
    result = await send(gateway)
    await gateway.close()
    assert isinstance(result, Refused)
    assert result.retry_in_s is not None


async def test_a_500_that_the_settings_call_a_refusal_is_tried_again(tmp_path: Path) -> None:
    """For a provider that says so in its documents; the time grows while it does not say, and begins anew after."""
    async with reached(tmp_path, KINDS["bearer"], retry_statuses=frozenset({500})) as (gateway, server):
        server.faults.planned.extend([Fault.BROKEN, Fault.BROKEN, Fault.NONE, Fault.BROKEN])
        results = [await send(gateway) for _ in range(4)]
    waits = [result.retry_in_s for result in results if isinstance(result, Refused)]
    assert waits[0] is not None
    assert waits[1] is not None
    assert waits[0] < waits[1]
    assert waits[2] == waits[0]
    assert isinstance(results[2], Accepted)


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"reference": "message.nothing"}, Unclear),
        ({"code": "message.nothing", "accepted_codes": frozenset({"0"})}, Unclear),
        ({"code": "message.id", "accepted_codes": frozenset({"0"})}, Refused),
        ({"accepted_statuses": frozenset({200})}, Unclear),
    ],
)
async def test_an_acceptance_that_is_not_as_described_is_no_refusal_that_is_tried_again(
    tmp_path: Path, changes: dict[str, Any], wanted: type
) -> None:
    """The description may be wrong, and the SMS on its way."""
    async with reached(tmp_path, KINDS["bearer"], **changes) as (gateway, _):
        result = await send(gateway)
    assert isinstance(result, wanted)
    assert getattr(result, "retry_in_s", None) is None


async def test_no_number_and_no_secret_gets_into_a_reason(tmp_path: Path) -> None:
    """Reasons are logged and listed; providers like to repeat what they were sent."""
    async with reached(tmp_path, KINDS["form"]) as (gateway, _):
        result = await gateway.send(key=KEY, sender="20012", number="+12025550123", text="x")
    assert isinstance(result, Refused)
    assert "2025550123" not in result.reason
    assert "110" in result.reason
    assert SECRET not in repr(provider_of(tmp_path, BEARER))


values = st.fixed_dictionaries({name: st.text() for name in PLACEHOLDERS})
templates: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from(PLACEHOLDERS) | st.integers() | st.booleans() | st.text(alphabet="abc"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet="{}textkey"), inner, max_size=3),
    max_leaves=8,
)


def shape(place: Any) -> Any:
    """Return a template with every placeholder made the same."""
    if isinstance(place, dict):
        return {name: shape(inner) for name, inner in place.items()}
    if isinstance(place, list):
        return [shape(inner) for inner in place]
    return "*" if isinstance(place, str) and place in PLACEHOLDERS else place


def shape_like(template: Any, place: Any) -> Any:
    """Return what a template became with every value in the place of a placeholder made the same."""
    if isinstance(template, dict):
        return {name: shape_like(template[name], place[name]) for name in place}
    if isinstance(template, list):
        return [shape_like(one, other) for one, other in zip(template, place, strict=True)]
    return "*" if isinstance(template, str) and template in PLACEHOLDERS else place


@given(templates, values)
def test_values_never_change_the_shape_of_a_request(template: Any, given_values: dict[str, str]) -> None:
    """Nor are they looked through for placeholders."""
    result = filled(template, given_values)
    assert shape_like(template, result) == shape(template)
    if isinstance(template, str) and template in PLACEHOLDERS:
        assert result == given_values[template]


json_like: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("ab01"), inner, max_size=3),
    max_leaves=12,
)


@given(json_like, st.lists(st.sampled_from(["a", "b", "0", "1", "99999", "-1", "", "²"]), min_size=1, max_size=4))
def test_a_path_leads_to_something_or_to_nothing(place: Any, parts: list[str]) -> None:
    """Whatever a provider answers, and never round from the end of a list."""
    path = ".".join(parts)
    found = at(path, place)
    assert text_at(path, place) in {None, str(found)}


def test_a_path_goes_into_lists_by_number() -> None:
    """Counted from 0."""
    answer = {"results": [{"id": 41}, {"id": 42, "ok": True}]}
    assert (text_at("results.1.id", answer), text_at("results.2.id", answer)) == ("42", None)
    assert text_at("results.1.ok", answer) is None
    assert text_at("", answer) is None
