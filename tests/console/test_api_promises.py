from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from controller.domain.access import Role, Scope
from controller.domain.lifecycle import AttemptEnded, CustomerConnected
from controller.domain.outcome import Outcome
from controller.domain.phone_number import mask
from controller.domain.promise import Attempt, Promise
from tests.console.house import TUESDAY_TEN
from tests.console.promise_requests import NUMBER, ROOT, WINDOW, create, numbered

if TYPE_CHECKING:
    from tests.console.house import ConsoleSite


async def test_a_promise_is_made_and_shown(site: ConsoleSite) -> None:
    """By a program with a key; the number is written as at home, and told as E.164."""
    crm = await site.key(Scope.PROMISES_WRITE, Scope.PROMISES_READ, Scope.NUMBERS_READ)
    answer = await create(crm)
    assert answer.status == 201
    assert answer.json["is_new"] is True
    made = answer.json["promise"]
    assert (made["number"], made["state"], made["queue"], made["language"]) == (NUMBER, "waiting", "support", "ja")
    assert made["made_at"] == "2026-11-24T01:00:00Z"
    shown = await crm.get(f"{ROOT}/{made['id']}")
    assert (shown.status, shown.json) == (200, made)


async def test_a_number_that_holds_a_promise_keeps_it(site: ConsoleSite) -> None:
    """The wish is taken in: 200, and the same promise."""
    crm = await site.key(Scope.PROMISES_WRITE)
    first, second = await create(crm), await create(crm, slot_starts_at=WINDOW)
    assert (first.status, second.status) == (201, 200)
    assert second.json["is_new"] is False
    assert second.json["promise"]["id"] == first.json["promise"]["id"]
    assert second.json["promise"]["slot_starts_at"] == WINDOW


@pytest.mark.parametrize(
    ("number", "why"),
    [("110", "is no phone number"), ("0120-123-456", "freephone"), ("+1 212 555 0100", "country"), ("abc", "no phone")],
)
async def test_a_number_that_may_not_be_dialled_is_promised_nothing(site: ConsoleSite, number: str, why: str) -> None:
    """The plan of the settings decides, as it does on the phone; the reason is told with its place."""
    answer = await create(await site.key(Scope.PROMISES_WRITE), number=number)
    assert answer.status == 422
    (mistake,) = answer.json["mistakes"]
    assert mistake["where"] == "body.number"
    assert why in mistake["what"]
    assert await site.store.promises.waiting() == []


async def test_a_number_that_asked_never_to_be_called_is_promised_nothing(site: ConsoleSite) -> None:
    """409, and nothing is written."""
    await site.store.do_not_call.block(NUMBER, reason="by letter")
    answer = await create(await site.key(Scope.PROMISES_WRITE))
    assert (answer.status, answer.json["type"]) == (409, "urn:orikaeshi:problem:number-blocked")
    assert await site.store.promises.waiting() == []


async def test_a_window_takes_no_more_promises_than_it_has_places(site: ConsoleSite) -> None:
    """Of six who ask at once two get it; the others are told that it is full, and are promised nothing."""
    crm = await site.key(Scope.PROMISES_WRITE)
    answers = await asyncio.gather(
        *(create(crm, number=f"+8190222{nth:05d}", slot_starts_at=WINDOW) for nth in range(6))
    )
    assert sorted(answer.status for answer in answers) == [201, 201, 409, 409, 409, 409]
    assert {answer.json["type"] for answer in answers if answer.status == 409} == {"urn:orikaeshi:problem:slot-full"}
    assert len(await site.store.promises.waiting()) == 2


@pytest.mark.parametrize(
    ("wanted", "where"),
    [
        ({"slot_starts_at": "2026-11-24T03:10:00Z"}, "body.slot_starts_at"),
        ({"slot_starts_at": "2026-11-24T01:00:00Z"}, "body.slot_starts_at"),
        ({"queue": "nobody"}, "body.queue"),
        ({"not_before": "2026-11-24T00:59:59Z"}, "body.not_before"),
        ({"not_before": "2027-11-24T00:59:59Z"}, "body.not_before"),
        ({"not_before": WINDOW, "slot_starts_at": WINDOW}, "body.not_before"),
    ],
)
async def test_what_cannot_be_promised_is_refused_with_its_place(
    site: ConsoleSite, wanted: dict[str, Any], where: str
) -> None:
    """No window begins then, or too soon; no such queue; a time that is past, or too far off."""
    answer = await create(await site.key(Scope.PROMISES_WRITE), **wanted)
    assert answer.status == 422
    assert [mistake["where"] for mistake in answer.json["mistakes"]] == [where]
    assert await site.store.promises.waiting() == []


async def test_a_call_can_be_promised_from_a_time_on(site: ConsoleSite) -> None:
    """As soon as possible then, in any language that is asked for."""
    answer = await create(await site.key(Scope.PROMISES_WRITE), not_before=WINDOW, language="en")
    assert answer.status == 201
    assert (answer.json["promise"]["not_before"], answer.json["promise"]["language"]) == (WINDOW, "en")


async def test_pages_follow_each_other_whatever_is_made_meanwhile(site: ConsoleSite) -> None:
    """Each promise once, the last to be made first."""
    crm = await site.key(Scope.PROMISES_WRITE, Scope.PROMISES_READ)
    made = []
    for nth in range(5):
        made.append((await create(crm, number=f"+8190333{nth:05d}")).json["promise"]["id"])
        site.clock.turn(1)
    first = (await crm.get(f"{ROOT}?limit=2")).json
    await create(crm, number="03-1234-5678")
    second = (await crm.get(f"{ROOT}?limit=2&cursor={first['next_cursor']}")).json
    third = (await crm.get(f"{ROOT}?limit=2&cursor={second['next_cursor']}")).json
    found = [one["id"] for page in (first, second, third) for one in page["promises"]]
    assert found == made[::-1]
    assert third["next_cursor"] is None


async def test_a_cursor_is_good_for_its_own_list_alone(site: ConsoleSite) -> None:
    """Not with other filters, not for another reader, not changed, not for the audit; the number of rows may differ."""
    crm = await site.key(Scope.PROMISES_WRITE, Scope.PROMISES_READ, Scope.AUDIT_READ)
    other = await site.key(Scope.PROMISES_READ)
    await numbered(crm, 3)
    cursor = (await crm.get(f"{ROOT}?limit=1")).json["next_cursor"]
    assert len((await crm.get(f"{ROOT}?limit=200&cursor={cursor}")).json["promises"]) == 2
    swapped = cursor[:-2] + ("AA" if cursor[-2:] != "AA" else "BB")
    for client, asked in [
        (crm, f"{ROOT}?limit=1&queue=support&cursor={cursor}"),
        (other, f"{ROOT}?limit=1&cursor={cursor}"),
        (crm, f"{ROOT}?limit=1&cursor={swapped}"),
        (crm, f"{ROOT}?limit=1&cursor=x"),
        (crm, f"/api/v1/audit?limit=1&cursor={cursor}"),
    ]:
        answer = await client.get(asked)
        assert (answer.status, answer.json["type"]) == (422, "urn:orikaeshi:problem:bad-cursor"), asked


async def test_filters_are_put_together(site: ConsoleSite) -> None:
    """By state, queue, number and time."""
    crm = await site.key(Scope.PROMISES_WRITE, Scope.PROMISES_READ, Scope.NUMBERS_READ)
    gone, kept = await numbered(crm, 2)
    await crm.post(f"{ROOT}/{gone}/cancel", {"reason": "customer"})
    site.clock.turn(3600)
    new = (await create(crm, queue="sales", number="03-1234-5678")).json["promise"]["id"]

    async def found(asked: str) -> set[str]:
        return {one["id"] for one in (await crm.get(f"{ROOT}?{asked}")).json["promises"]}

    assert await found("") == {gone, kept, new}
    assert await found("open_only=true") == {kept, new}
    assert await found("state=cancelled") == {gone}
    assert await found("state=cancelled&open_only=true") == set()
    assert await found("queue=sales") == {new}
    assert await found("number=03-1234-5678") == {new}
    assert await found("made_since=2026-11-24T02:00:00Z") == {new}
    assert await found("made_until=2026-11-24T11:00:00%2B09:00") == {gone, kept}


async def test_numbers_are_masked_for_who_may_not_read_them(site: ConsoleSite) -> None:
    """In lists, one by one, in stories; and nobody finds one out by asking for it."""
    supervisor, crm = await site.client(Role.SUPERVISOR), await site.key(Scope.PROMISES_READ)
    made = (await create(supervisor)).json["promise"]
    assert made["number"] == NUMBER
    for path in (f"{ROOT}/{made['id']}", ROOT, f"{ROOT}/{made['id']}/explanation"):
        answer = await crm.get(path)
        assert answer.status == 200
        assert "5678" not in answer.text
        assert mask(NUMBER) in answer.text
    assert (await crm.get(f"{ROOT}?number=%2B819012345678")).status == 403


async def test_a_promise_is_cancelled_once(site: ConsoleSite) -> None:
    """On whose behalf stands in its history; the second time it is told how it stands."""
    supervisor = await site.client(Role.SUPERVISOR)
    (made,) = await numbered(supervisor, 1)
    answer = await supervisor.post(f"{ROOT}/{made}/cancel", {"reason": "customer"})
    assert (answer.status, answer.json["state"]) == (200, "cancelled")
    again = await supervisor.post(f"{ROOT}/{made}/cancel", {})
    assert (again.status, again.json["type"]) == (409, "urn:orikaeshi:problem:not-now")
    assert "cancelled" in again.json["detail"]
    steps = (await site.store.promise_list.history(made)).steps
    assert [(step.event, step.detail) for step in steps][1:] == [("Cancelled", "customer")]


async def test_a_talk_is_not_cut_by_cancelling(site: ConsoleSite) -> None:
    """Customer and agent talk: the promise is being kept."""
    supervisor = await site.client(Role.SUPERVISOR)
    (made,) = await numbered(supervisor, 1)
    promise = await site.store.promises.get(made)
    attempt = Attempt("a-1", made, promise.number, "agent-1", started_at=TUESDAY_TEN)
    assert isinstance(await site.store.promises.open_attempt(promise, attempt), Promise)
    await site.store.promises.advance(made, CustomerConnected())
    assert (await supervisor.post(f"{ROOT}/{made}/cancel", {})).status == 409
    later = (TUESDAY_TEN + timedelta(hours=1)).isoformat()
    assert (await supervisor.post(f"{ROOT}/{made}/postpone", {"until": later})).status == 409
    await site.store.promises.advance(made, AttemptEnded(Outcome.TALKED))
    assert (await supervisor.get(f"{ROOT}/{made}")).json["state"] == "fulfilled"


async def test_a_promise_is_put_off_but_never_beyond_its_life(site: ConsoleSite) -> None:
    """Past its expiry nobody would be called any more, and nothing would be said of it."""
    supervisor = await site.client(Role.SUPERVISOR)
    (made,) = await numbered(supervisor, 1)
    answer = await supervisor.post(f"{ROOT}/{made}/postpone", {"until": "2026-11-24T14:00:00+09:00"})
    assert (answer.status, answer.json["not_before"]) == (200, "2026-11-24T05:00:00Z")
    for until in ("2026-11-24T01:00:00Z", answer.json["expires_at"]):
        refused = await supervisor.post(f"{ROOT}/{made}/postpone", {"until": until})
        assert (refused.status, refused.json["mistakes"][0]["where"]) == (422, "body.until")
    assert (await supervisor.get(f"{ROOT}/{made}")).json["not_before"] == "2026-11-24T05:00:00Z"


@pytest.mark.parametrize("command", ["", "/explanation", "/cancel", "/postpone"])
async def test_a_promise_that_is_not_there_is_not_found(site: ConsoleSite, command: str) -> None:
    """Whatever is asked of it."""
    supervisor = await site.client(Role.SUPERVISOR)
    bodies: dict[str, Any] = {"/cancel": {}, "/postpone": {"until": "2026-11-24T02:00:00Z"}}
    path = f"{ROOT}/nobody{command}"
    body = bodies.get(command)
    answer = await (supervisor.get(path) if body is None else supervisor.post(path, body))
    assert (answer.status, answer.json["type"]) == (404, "urn:orikaeshi:problem:not-found")


async def test_a_story_is_told_in_both_languages(site: ConsoleSite) -> None:
    """The same moments, with reasons, and what comes next."""
    supervisor = await site.client(Role.SUPERVISOR)
    (made,) = await numbered(supervisor, 1)
    site.clock.turn(60)
    await supervisor.post(f"{ROOT}/{made}/postpone", {"until": "2026-11-24T12:00:00Z"})
    english = (await supervisor.get(f"{ROOT}/{made}/explanation")).json
    japanese = (await supervisor.get(f"{ROOT}/{made}/explanation?language=ja")).json
    assert [line["at"] for line in english["timeline"]] == [line["at"] for line in japanese["timeline"]]
    assert english["timeline"][0]["why"] == "over the API, as soon as possible"
    assert "supervisor" in english["timeline"][1]["why"]
    assert "スーパーバイザー" in japanese["timeline"][1]["why"]
    # 21:00 in Tokyo is past the calling hours, which begin at 8:00 the next day.
    assert english["next"]["callable_from"] == japanese["next"]["callable_from"] == "2026-11-24T23:00:00Z"
    assert "11月24日23:00" in "".join(japanese["next"]["lines"])
    assert "11-24 23:00" in "".join(english["next"]["lines"])
    assert (await supervisor.get(f"{ROOT}/{made}/explanation?language=fr")).status == 422
