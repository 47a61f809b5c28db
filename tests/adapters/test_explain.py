from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.effects import SmsTemplate
from controller.domain.evidence import Evidence
from controller.domain.lifecycle import AttemptEnded, Cancelled, CancelReason, Postponed, PostponeReason
from controller.domain.line import Decision, WaiterKind
from controller.domain.outcome import Outcome
from controller.domain.phone_number import as_e164
from controller.domain.promise import FINAL, PromiseState
from controller.domain.retry_policy import RetryPolicy
from controller.domain.sms_limits import SmsBill, SmsLimits
from controller.domain.timeline import timeline
from controller.explain.command import EXAMPLE, add_arguments, explain
from controller.explain.search import NoSuchPromiseError
from controller.ports.promises import StoreUnavailableError
from controller.ports.sms import Refused
from controller.settings.first_file import DEFAULT_TEMPLATE
from controller.store.dialect import connect_to
from controller.store.history import StoredHistory
from tests.adapters.command_line import ENV, CommandLine
from tests.contract.store_under_test import NOON, NUMBER, OTHER_NUMBER, HandClock, attempt_for, make, store_at, wanted
from tests.migrations.test_kept_rows import move

if TYPE_CHECKING:
    from controller.commands import Report
    from controller.domain.promise import Promise
    from controller.ports.sms import QueuedSms
    from controller.store import Store

BUSY = Evidence(trunk="carrier", cause=17, tech_cause=486, placed_at=NOON)


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """Return a settings file with the default settings, whose database is beside it."""
    path = tmp_path / "controller.toml"
    path.write_text(DEFAULT_TEMPLATE.read_text("utf-8"), "utf-8")
    return path


def url_beside(settings: Path) -> str:
    """Return the address of the database."""
    return f"sqlite+aiosqlite:///{settings.parent}/orikaeshi.db"


async def ask(settings: Path, *words: str) -> Report:
    """Run the command with these words."""
    parser = ArgumentParser()
    add_arguments(parser)
    parser.add_argument("--settings", type=Path, default=settings)
    return await explain(parser.parse_args(words), ENV)


async def tried(store: Store, clock: HandClock, promise: Promise, attempt_id: str, ended: AttemptEnded) -> Promise:
    """Open an attempt and end it a minute later."""
    await store.promises.open_attempt(await store.promises.get(promise.id), attempt_for(promise, attempt_id))
    clock.turn(60)
    return await store.promises.advance(promise.id, ended)


async def claimed(store: Store, clock: HandClock) -> QueuedSms:
    """Claim the SMS that is due."""
    sms = await store.outbox.due(clock.now())
    assert sms is not None
    await store.outbox.claim(sms, SmsBill(1), SmsLimits(), clock.now())
    return sms


async def busy_promise(store: Store, clock: HandClock, call_id: str = "call-1", number: str = NUMBER) -> Promise:
    """Make a promise, to which one call found the line busy; the gap is not over."""
    made = await make(store, wanted(call_id, number=number, queue="support"))
    clock.turn(30)
    return await tried(
        store, clock, made.promise, f"attempt-{made.promise.id}", AttemptEnded(Outcome.BUSY, evidence=BUSY)
    )


@pytest.fixture
async def called_once(settings: Path) -> Path:
    """Give settings whose database holds a promise that was called once."""
    clock = HandClock()
    async with store_at(url_beside(settings), clock) as store:
        promise = await busy_promise(store, clock)
        turn = Decision(
            at=NOON,
            queue="support",
            waiter_id=promise.id,
            kind=WaiterKind.PROMISE,
            agent="hanako",
            since=promise.since,
            place=2,
            urgent=False,
            starving=False,
            passed=(),
        )
        await store.line_audit.record([turn])
    return settings


async def test_a_promise_is_told_with_reasons_and_with_what_comes_next(called_once: Path) -> None:
    """On the clock of the queue, with the number masked. The default settings have busy wait two minutes."""
    report = await ask(called_once, "promise-1")
    assert (report.exit_code, NUMBER in report.text + str(report.data)) == (0, False)
    heading, told, after = report.text.split("\n\n")
    assert heading.splitlines() == [
        "promise promise-1: waiting",
        "queue support, number +81901234****, in line since 05-06 11:55:00",
        "1 attempts used, 1 calls left for it; times in Asia/Tokyo",
    ]
    assert [line.rstrip() for line in told.splitlines()][2:] == [
        "05-06 12:00:00  promised",
        "                  on call call-1, as soon as possible",
        "05-06 12:00:00  given to hanako as number 2 in line",
        "                  nobody came before it",
        "05-06 12:00:30  attempt 1 by hanako",
        "                  written down before anybody is dialled",
        "05-06 12:01:30  attempt 1 over carrier: busy (SIP 486, cause 17)",
        "                  the customer's doing; uses up an attempt; next try 05-06 12:03:30, because busy waits 2 min",
    ]
    first, second, *rest = after.splitlines()
    assert first == "What comes next:"
    assert second.startswith("- not before 05-06 12:03:30 (in ")
    assert rest == [
        "- inside the calling hours then",
        "- left: 2 of 3 attempts, 9 of 10 calls",
        "- expires 05-06 14:00:00",
    ]


async def test_the_same_is_there_for_a_program(called_once: Path) -> None:
    """Instants with their zone; the number only when it is asked for."""
    data = (await ask(called_once, "promise-1")).data
    assert data["promise"]["number"] == "+81901234****"
    assert [line["what"].split()[0] for line in data["timeline"]] == ["promised", "given", "attempt", "attempt"]
    assert data["timeline"][-1]["at"] == "2030-05-06T03:01:30.123456+00:00"
    assert data["next"]["not_before"] == data["next"]["callable_from"] == "2030-05-06T03:03:30.123456+00:00"
    assert (data["next"]["attempts_left"], data["next"]["calls_left"]) == (2, 9)
    shown = await ask(called_once, "promise-1", "--show-numbers")
    assert shown.data["promise"]["number"] == NUMBER
    assert "number 090-1234-5678," in shown.text


async def test_a_cancelled_promise_and_its_sms_are_told(settings: Path) -> None:
    """With what the gateway said, in which a number is masked too; and nothing comes next."""
    clock = HandClock()
    async with store_at(url_beside(settings), clock) as store:
        made = await make(store, wanted(queue="support"))
        until = NOON.replace(hour=4, microsecond=0)
        await store.promises.advance(made.promise.id, Postponed(until, PostponeReason.AGENT))
        await tried(store, clock, made.promise, "a1", AttemptEnded(Outcome.NO_ANSWER))
        sms = await claimed(store, clock)
        await store.outbox.record(sms, Refused(f"no route to {NUMBER}", None), clock.now())
        clock.turn(60)
        await store.promises.advance(made.promise.id, Cancelled(CancelReason.ADMIN))
    report = await ask(settings, "promise-1")
    whats = [line["what"] for line in report.data["timeline"]]
    assert whats[1] == "postponed until 05-06 13:00:00"
    assert whats[-2:] == [
        f"SMS {SmsTemplate.NOT_REACHED}: failed 05-06 12:01:00 (no route to +81901234****)",
        "cancelled by an admin",
    ]
    assert report.text.endswith("What comes next:\n- nothing: the promise is cancelled")
    assert NUMBER in (await ask(settings, "promise-1", "--show-numbers")).text


@pytest.mark.parametrize("written", [NUMBER, "09012345678", "090-1234-5678"])
async def test_a_promise_is_found_by_its_number_the_newest_first(settings: Path, written: str) -> None:
    """As people write it; what there was before is named."""
    clock = HandClock()
    async with store_at(url_beside(settings), clock) as store:
        await busy_promise(store, clock)
        await store.promises.advance("promise-1", Cancelled())
        clock.turn(60)
        await make(store, wanted("call-2", queue="support"))
        await make(store, wanted("call-3", queue="support", number=OTHER_NUMBER))
    report = await ask(settings, written)
    assert report.text.startswith("promise promise-2: waiting\n")
    assert report.text.endswith("\n\nOf the same number, newest first: promise-1 (cancelled)")
    assert report.data["other_promises"] == ["promise-1"]


async def test_a_promise_is_found_by_the_first_characters_of_its_id(settings: Path) -> None:
    """If they are enough; a whole id is, also where another one begins with it."""
    clock = HandClock()
    async with store_at(url_beside(settings), clock, prefix="abc") as store:
        for count in range(1, 13):
            await make(store, wanted(f"call-{count}", number=f"+8190123456{count:02}", queue="support"))
            clock.turn(1)
    assert (await ask(settings, "ABC-12")).data["promise"]["id"] == "abc-12"
    assert (await ask(settings, "abc-1")).data["promise"]["id"] == "abc-1"
    with pytest.raises(NoSuchPromiseError, match=r"newest first: abc-12, abc-11, abc-10, .*abc-3, and more; write"):
        await ask(settings, "abc")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("ffff", "there is no promise whose id begins so; `controller promises` lists them"),
        ("09099998888", "there is no promise of that number; `controller promises` lists them"),
        ("", "there is no promise whose id begins so"),
        ("%", "there is no promise whose id begins so"),
        ("promise_1", "there is no promise whose id begins so"),
    ],
)
async def test_what_is_not_there_is_one_clear_line(called_once: Path, words: str, told: str) -> None:
    """Which does not repeat the number."""
    with pytest.raises(NoSuchPromiseError) as caught:
        await ask(called_once, words)
    assert str(caught.value).startswith(told)


async def test_a_look_makes_no_database_and_upgrades_none(settings: Path) -> None:
    """It says what to do."""
    with pytest.raises(StoreUnavailableError, match="There is no database"):
        await ask(settings, "abc")
    with pytest.raises(StoreUnavailableError):
        await StoredHistory(url_beside(settings)).history("abc")
    assert list(settings.parent.glob("*.db")) == []
    engine = connect_to(url_beside(settings), busy_timeout_s=1)
    await move(engine, "0001")
    await engine.dispose()
    with pytest.raises(StoreUnavailableError, match=r"older version, .* Start the controller once"):
        await ask(settings, "abc")


async def test_a_promise_of_a_queue_that_is_no_more_is_told_on_the_clock_of_the_house(settings: Path) -> None:
    """By the default rules."""
    async with store_at(url_beside(settings), HandClock()) as store:
        await make(store, wanted(queue="sales"))
    report = await ask(settings, "promise-1")
    assert "queue sales, number +81901234****, in line since 05-06 11:55:00\n" in report.text
    assert "times in Asia/Tokyo\n" in report.text


async def test_a_promise_that_is_not_there_has_no_history(called_once: Path) -> None:
    """It may have gone between the search and the look."""
    with pytest.raises(LookupError, match="there is no promise gone"):
        await StoredHistory(url_beside(called_once)).history("gone")


async def test_every_outcome_that_the_store_keeps_can_be_told(settings: Path) -> None:
    """Each as the only attempt of a promise of its own."""
    clock = HandClock()
    async with store_at(url_beside(settings), clock) as store:
        for count, outcome in enumerate(Outcome):
            made = await make(store, wanted(f"call-{count}", number=f"+8190123456{count:02}", queue="support"))
            later_s = 600.0 if outcome is Outcome.POSTPONED else None
            await tried(store, clock, made.promise, f"a{count}", AttemptEnded(outcome, later_s=later_s))
    book, states = StoredHistory(url_beside(settings)), set()
    for count, outcome in enumerate(Outcome, start=1):
        history = await book.history(f"promise-{count}")
        assert [one.outcome for one in history.tried] == [outcome]
        assert f"attempt 1: {outcome.value.replace('_', ' ')}" in {one.what for one in timeline(history, RetryPolicy())}
        states.add(history.promise.state)
    assert states == {*FINAL, PromiseState.WAITING} - {PromiseState.EXPIRED}


@given(st.text(max_size=24) | st.from_regex(r"[+0-9 ()-]{1,20}", fullmatch=True))
def test_whatever_is_given_is_a_number_or_none(text: str) -> None:
    """E.164, of ASCII digits; nothing is raised."""
    number = as_e164(text, "JP")
    assert number is None or (number[0] == "+" and number[1:].isascii() and number[1:].isdecimal())


def test_the_command_line_knows_the_command(called_once: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And tells what is not there in one line, exit code 1."""
    controller = CommandLine(capsys)
    said = controller("explain", "promise-1", "--settings", called_once)
    assert (said.code, said.out.splitlines()[0]) == (0, "promise promise-1: waiting")
    assert controller("explain", "promise-1", "--settings", called_once, "--json").data["promise"]["id"] == "promise-1"
    said = controller("explain", "ffff", "--settings", called_once)
    assert (said.code, said.out) == (1, "")
    assert said.err == "there is no promise whose id begins so; `controller promises` lists them\n"
    assert EXAMPLE in controller("explain", "--help").out
