from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.hook_events import (
    FAMILIES,
    MADE,
    TYPES,
    HookEvent,
    of_agent,
    of_call,
    of_promise,
    of_reply,
    of_sms,
    of_test,
    sms_type,
    wants,
)
from controller.domain.hook_facts import AgentFacts, CallFacts, SmsFacts
from controller.domain.lifecycle import ALLOWED, AttemptEnded, Cancelled, Event, Merged
from controller.domain.outcome import Outcome
from controller.domain.promise import Promise, PromiseState
from controller.domain.slots import Slot
from controller.domain.sms import SmsStatus

NOON = datetime(2030, 5, 6, 3, 0, 0, 123456, tzinfo=UTC)
NUMBER, MASKED = "+819012345678", "+81901234****"
PROMISE = Promise(
    id="5f1c9a0b7d3e2468",
    queue="sales",
    number=NUMBER,
    language="ja",
    since=NOON,
    not_before=NOON,
    expires_at=NOON + timedelta(hours=1),
    version=3,
)
CALL = CallFacts(id="1790000000.1", dialled="0311112222", number=NUMBER, arrived_at=NOON, pbx="east", queue="sales")
SMS = SmsFacts(7, "sales", "not_reached", NUMBER, PROMISE.id, NOON)
DATA_KEYS = ("id", "queue", "state", "before", "number")


def told(event: str, promise: Promise = PROMISE, before: PromiseState | None = None, detail: str = "") -> HookEvent:
    """Return what is told of an event of a promise's history."""
    return of_promise(promise, event=event, before=before, at=NOON, detail=detail)


@pytest.mark.parametrize("event", [kind.__name__ for kind in get_args(Event) if kind is not AttemptEnded] + [MADE])
def test_each_event_of_the_lifecycle_has_a_name_of_its_own(event: str) -> None:
    """None falls back on the general one: whoever adds an event gives it a name here."""
    assert told(event).type in TYPES
    assert told(event).type != "promise.changed"


def test_an_event_that_nobody_has_named_is_told_all_the_same() -> None:
    """As a change, with all that is known of the promise."""
    event = told("SomethingNew")
    assert event.type == "promise.changed"
    assert event.data["state"] == "waiting"


@pytest.mark.parametrize(
    ("state", "outcome", "before", "kind"),
    [
        (PromiseState.FULFILLED, Outcome.TALKED, PromiseState.CONNECTED, "promise.fulfilled"),
        (PromiseState.EXHAUSTED, Outcome.BUSY, PromiseState.DIALLING, "promise.exhausted"),
        (PromiseState.CANCELLED, Outcome.DECLINED, PromiseState.DIALLING, "promise.cancelled"),
        (PromiseState.CANCELLED, Outcome.BUSY, PromiseState.CANCELLED, "promise.changed"),
        (PromiseState.WAITING, Outcome.BUSY, PromiseState.DIALLING, "promise.waiting"),
        (PromiseState.WAITING, Outcome.POSTPONED, PromiseState.DIALLING, "promise.postponed"),
    ],
)
def test_an_attempt_that_ended_is_told_by_what_it_made_of_the_promise(
    state: PromiseState, outcome: Outcome, before: PromiseState, kind: str
) -> None:
    """And what was cancelled is not told to be cancelled twice."""
    after = replace(PROMISE, state=state, last_outcome=outcome)
    assert told(AttemptEnded.__name__, after, before).type == kind


@pytest.mark.parametrize(("state", "kind"), sorted(ALLOWED, key=str))
def test_every_move_there_is_can_be_told(state: PromiseState, kind: type[Event]) -> None:
    """Under a known type, as JSON, in less than a kilobyte, and with a name that fits into its column."""
    event = told(kind.__name__, replace(PROMISE, slot=Slot(NOON, NOON + timedelta(hours=1))), state)
    body = json.dumps(event.body(with_numbers=True))
    assert event.type in TYPES
    assert len(body) < 1000
    assert len(event.id) <= 64
    assert len(event.type) <= 64
    assert set(DATA_KEYS) <= set(json.loads(body)["data"])


def test_what_is_sent_says_what_happened_when_and_to_what() -> None:
    """Exactly this; receivers rely on it."""
    slot = Slot(NOON, NOON + timedelta(minutes=30))
    event = told("RunningLate", replace(PROMISE, slot=slot), PromiseState.WAITING, "2030-05-06T05:00:00+00:00")
    assert event.body(with_numbers=False) == {
        "type": "promise.late",
        "id": event.id,
        "at": "2030-05-06T03:00:00.123Z",
        "data": {
            "id": "5f1c9a0b7d3e2468",
            "queue": "sales",
            "state": "waiting",
            "before": "waiting",
            "number": MASKED,
            "language": "ja",
            "since": "2030-05-06T03:00:00.123Z",
            "not_before": "2030-05-06T03:00:00.123Z",
            "expires_at": "2030-05-06T04:00:00.123Z",
            "slot": {"starts_at": "2030-05-06T03:00:00.123Z", "ends_at": "2030-05-06T03:30:00.123Z"},
            "attempts_used": 0,
            "last_outcome": None,
            "urgent": False,
            "assigned_to": "",
            "version": 3,
            "expected_at": "2030-05-06T05:00:00+00:00",
        },
    }


def test_why_it_was_cancelled_or_put_off_and_from_where_it_was_moved_is_told() -> None:
    """The first word of what the history says; of an attempt that ended it is the outcome, which stands elsewhere."""
    assert told(Cancelled.__name__, detail="supervisor 2030-05-06T05:00:00+00:00").data["reason"] == "supervisor"
    assert told("Postponed", detail="agent 2030-05-06T05:00:00+00:00").data["reason"] == "agent"
    assert told("Moved", detail="loans sales").data["moved_from"] == "loans"
    declined = replace(PROMISE, state=PromiseState.CANCELLED, last_outcome=Outcome.DECLINED)
    ended = told(AttemptEnded.__name__, declined, PromiseState.DIALLING, "declined")
    assert "reason" not in ended.data
    assert ended.data["last_outcome"] == "declined"


def test_a_number_is_whole_only_where_it_is_asked_for() -> None:
    """In every family that has one, and nowhere else in the body."""
    events = [told(MADE), of_call("arrived", CALL, NOON), of_reply(NUMBER, SMS, reply="r1", at=NOON)]
    events += [of_sms(SMS, status=SmsStatus.SENT, before=SmsStatus.SENDING, at=NOON)]
    for event in events:
        assert NUMBER in json.dumps(event.body(with_numbers=True))
        masked = json.dumps(event.body(with_numbers=False))
        assert MASKED in masked
        assert NUMBER[-4:] not in masked.replace(event.id, "").replace(PROMISE.id, "")
        assert NUMBER not in repr(event)


def test_who_withheld_their_number_has_none() -> None:
    """Not the word for it: a program looks for null."""
    event = of_call("arrived", replace(CALL, number=None), NOON)
    assert event.body(with_numbers=False)["data"] == event.body(with_numbers=True)["data"]
    assert event.data["number"] is None


def test_the_same_thing_has_the_same_id_and_another_has_another() -> None:
    """However often it is told, and to whom; each part of what it is counts."""
    events = [
        told(MADE),
        told(Merged.__name__),
        told(MADE, replace(PROMISE, version=4)),
        told(MADE, replace(PROMISE, id="other")),
        of_promise(PROMISE, event=MADE, before=None, at=NOON + timedelta(microseconds=1)),
        of_call("joined", CALL, NOON),
        of_call("joined", replace(CALL, queue="loans"), NOON),
        of_reply(NUMBER, None, reply="a 1", at=NOON),
        of_reply(NUMBER, None, reply="a 2", at=NOON),
    ]
    assert len({event.id for event in events}) == len(events)
    assert told(MADE).id == told(MADE, before=PromiseState.WAITING).id
    assert told(MADE).id.startswith("evt_")


@pytest.mark.parametrize(
    ("step", "call", "state", "before"),
    [
        ("arrived", CALL, "arrived", None),
        ("joined", replace(CALL, joined_at=NOON), "in_line", "arrived"),
        ("joined", replace(CALL, joined_at=NOON - timedelta(minutes=1)), "in_line", "in_line"),
        ("answered", replace(CALL, joined_at=NOON, answered_at=NOON), "answered", "in_line"),
        ("answered", replace(CALL, answered_at=NOON), "answered", "arrived"),
        ("ended", replace(CALL, joined_at=NOON, answered_at=NOON, ended_at=NOON), "ended", "answered"),
        ("ended", replace(CALL, joined_at=NOON, ended_at=NOON), "ended", "in_line"),
        ("ended", replace(CALL, ended_at=NOON), "ended", "arrived"),
    ],
)
def test_a_call_is_told_with_what_it_was_before(step: str, call: CallFacts, state: str, before: str | None) -> None:
    """Also one that was sent on to another queue, or that no agent took."""
    event = of_call(step, call, NOON)
    assert (event.type, event.data["state"], event.data["before"]) == (f"call.{step}", state, before)
    json.dumps(event.body(with_numbers=True))


def test_every_state_of_an_sms_is_told_but_the_one_that_lasts_as_long_as_a_request() -> None:
    """What did not arrive, for whatever reason, is one type; `state` says why."""
    kinds = {status: sms_type(status) for status in SmsStatus}
    assert [status for status, kind in kinds.items() if kind is None] == [SmsStatus.SENDING]
    assert {kind for kind in kinds.values() if kind is not None} | {"sms.replied"} == {
        kind for kind in TYPES if kind.startswith("sms.")
    }
    lapsed = of_sms(SMS, status=SmsStatus.LAPSED, before=SmsStatus.QUEUED, at=NOON)
    assert (lapsed.type, lapsed.data["state"], lapsed.data["before"]) == ("sms.failed", "lapsed", "queued")


def test_an_agent_is_told_without_a_number_and_with_whom_they_serve() -> None:
    """The waiter's id leads to the rest."""
    facts = AgentFacts("hanako", "on_call", NOON, "east", queue="sales", waiter_id="1790000000.1")
    event = of_agent(facts, before="ringing")
    assert event.type == "agent.state"
    assert event.data["waiter"] == "1790000000.1"
    assert "number" not in event.data
    assert of_test("crm", NOON).data == {"hook": "crm"}


@given(st.sampled_from(TYPES))
def test_a_type_is_taken_in_by_itself_its_family_and_all(kind: str) -> None:
    """And by no other pattern that may stand in the settings."""
    patterns = ["*", *FAMILIES, *TYPES]
    family = f"{kind.partition('.')[0]}.*"
    assert [pattern for pattern in patterns if wants([pattern], kind)] == ["*", family, kind]
    assert family in FAMILIES
    assert not wants([], kind)
