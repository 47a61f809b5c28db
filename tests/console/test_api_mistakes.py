from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from controller.console.api.reading import BODY_BYTES
from controller.domain.access import Role, Scope

if TYPE_CHECKING:
    from tests.console.house import Answer, ConsoleSite

PROMISES = "/api/v1/promises"
JSON = {"Content-Type": "application/json"}


def places(answer: Answer) -> list[str]:
    """Return where the mistakes are that an answer names; it is problem details of a request."""
    assert answer.status == 422, answer.text
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert answer.json["type"] == "urn:orikaeshi:problem:invalid"
    assert answer.json["status"] == 422
    assert all(mistake["what"] for mistake in answer.json["mistakes"])
    return sorted(mistake["where"] for mistake in answer.json["mistakes"])


async def test_every_mistake_in_an_address_is_named(site: ConsoleSite) -> None:
    """Not only the first: what is unknown, of another kind, too large, or there twice."""
    crm = await site.key(Scope.PROMISES_READ)
    answer = await crm.get(
        f"{PROMISES}?limit=0&state=lost&open_only=perhaps&colour=red&made_since=yesterday&queue=a&queue=b"
    )
    assert places(answer) == [
        "query.colour",
        "query.limit",
        "query.made_since",
        "query.open_only",
        "query.queue",
        "query.state",
    ]


async def test_every_mistake_in_a_body_is_named(site: ConsoleSite) -> None:
    """What is missing, too."""
    crm = await site.key(Scope.PROMISES_WRITE)
    body = {"number": 9012345678, "language": "japanese", "colour": "red", "slot_starts_at": "2026-11-24T03:00:00"}
    answer = await crm.post(PROMISES, body, Idempotency_Key="k")
    assert places(answer) == ["body.colour", "body.language", "body.number", "body.queue", "body.slot_starts_at"]
    assert await site.store.promises.waiting() == []


@pytest.mark.parametrize(
    "asked",
    [
        "limit=1.5",
        "limit=",
        "limit=null",
        "limit=1e2",
        "made_since=1764000000",
        "made_since=2026-11-24",
        "made_since=2026-11-24T10:00:00",
        "made_since=1999-12-31T23:59:59Z",
        "made_since=0001-01-01T00:00:00%2B14:00",
        "made_since=9999-12-31T23:59:59-14:00",
        "made_since=null",
        "open_only=2",
        "queue=",
        "queue=a%00b",
        "cursor=" + "x" * 601,
        "number=abc",
    ],
)
async def test_what_a_parameter_cannot_be_is_refused(site: ConsoleSite, asked: str) -> None:
    """Never guessed at: an instant has its offset, a number is whole, nothing is no text with a zero in it."""
    crm = await site.key(Scope.PROMISES_READ, Scope.NUMBERS_READ)
    assert places(await crm.get(f"{PROMISES}?{asked}")) == [f"query.{asked.partition('=')[0]}"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff", b"[" * 100_000, b'{"queue":"\\ud800"}'])
async def test_a_body_that_is_no_object_is_malformed(site: ConsoleSite, body: bytes) -> None:
    """400: a program that writes no JSON has a fault of its own."""
    crm = await site.key(Scope.PROMISES_WRITE)
    answer = await crm.send("POST", PROMISES, data=body, headers={**JSON, "Idempotency-Key": "k"})
    assert answer.status in {400, 413}
    assert answer.json["type"] in {"urn:orikaeshi:problem:malformed", "urn:orikaeshi:problem:too-large"}


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
async def test_only_json_is_read(site: ConsoleSite, kind: str) -> None:
    """What a form of another site could send is not."""
    crm = await site.key(Scope.PROMISES_WRITE)
    headers = {"Content-Type": kind, "Idempotency-Key": "k"}
    answer = await crm.send("POST", PROMISES, data=b'{"queue":"support","number":"09012345678"}', headers=headers)
    assert (answer.status, answer.json["type"]) == (415, "urn:orikaeshi:problem:not-json")


async def test_a_body_has_an_end(site: ConsoleSite) -> None:
    """One byte more is too many."""
    crm = await site.key(Scope.PROMISES_WRITE)
    for length, status in ((BODY_BYTES, 422), (BODY_BYTES + 1, 413)):
        body = b'{"number":"' + b"9" * (length - 13) + b'"}'
        answer = await crm.send("POST", PROMISES, data=body, headers={**JSON, "Idempotency-Key": "k"})
        assert (len(body), answer.status) == (length, status)


@pytest.mark.parametrize("body", [{"queue": "a\0b"}, {"a\0": 1}, {"language": "j\0"}, {"number": ["\0"]}])
async def test_a_zero_in_a_text_goes_nowhere(site: ConsoleSite, body: dict[str, Any]) -> None:
    """PostgreSQL could not keep it."""
    crm = await site.key(Scope.PROMISES_WRITE)
    answer = await crm.post(PROMISES, {"queue": "support", "number": "09012345678", **body}, Idempotency_Key="k")
    assert answer.status == 422


@pytest.mark.parametrize("place", ["%00", "a%00", "%0A", "x" * 151, "%F0%9F", "a%E2%80%AE"])
async def test_a_place_in_a_path_is_printable_and_short(site: ConsoleSite, place: str) -> None:
    """What cannot be an id is not looked for."""
    supervisor = await site.client(Role.SUPERVISOR)
    answer = await supervisor.get(f"{PROMISES}/{place}")
    assert answer.status in {404, 422}
    assert answer.headers["Content-Type"].startswith("application/problem+json")


async def test_the_first_scope_that_is_missing_is_named(site: ConsoleSite) -> None:
    """So that an admin knows what key to make."""
    answer = await (await site.key(Scope.SMS_READ)).get(PROMISES)
    assert (answer.status, answer.json["detail"]) == (403, "this takes promises:read")
    floor = await (await site.key(Scope.SMS_READ)).post("/api/v1/agents/agent-1/unpause")
    assert (floor.status, floor.json["detail"]) == (403, "this takes floor:write or desk")


async def test_nobody_learns_from_mistakes_what_they_may_not_ask(site: ConsoleSite) -> None:
    """Who is not allowed is told so, whatever else is wrong."""
    assert (await (await site.key(Scope.SMS_READ)).get(f"{PROMISES}?colour=red")).status == 403
    assert (await site.stranger().get(f"{PROMISES}?colour=red")).status == 401


async def test_a_number_never_gets_into_the_audit_whole(site: ConsoleSite) -> None:
    """Neither that of a path nor that of a body."""
    supervisor = await site.client(Role.SUPERVISOR)
    await supervisor.post(PROMISES, {"queue": "support", "number": "090 1234 5678"}, Idempotency_Key="k")
    await supervisor.put("/api/v1/do-not-call/+819012345678", {"reason": "by 090-1234-5678"})
    lines = await site.store.audit.listed(limit=9)
    assert len(lines) == 2
    assert "5678" not in str(lines)
    assert lines[1].entry.detail["number"] == "090 1234 ****"
