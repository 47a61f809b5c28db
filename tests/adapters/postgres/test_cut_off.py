"""The server is killed in the middle, or loses an answer, or undoes what was written: it is done once all the same."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import insert, select, text

from controller.domain.effects import SendSms, SmsTemplate
from controller.domain.lifecycle import DeadlinePassed
from controller.domain.sms_limits import SmsBill, SmsLimits
from controller.ports.promises import StoreUnavailableError
from controller.store.claims import CLAIMS
from controller.store.dialect import wait_for_other_bookings
from controller.store.tables import callers
from tests.adapters.postgres.lost_answers import LostAnswers
from tests.adapters.postgres.messages import assert_one_line_for_a_person, str_url
from tests.contract.store_under_test import NOON, NUMBER, HandClock, make, rows, store_at, wanted

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from controller.store import Store
    from lab.postgres import Postgres


@pytest.mark.parametrize("code", ["40001", "40P01"])
async def test_what_others_were_in_the_way_of_is_done_again(server: Postgres, name: str, code: str) -> None:
    """Twice in the way, and then no more: a sequence counts on, whatever is undone."""
    async with store_at(server.url(name), HandClock()) as store:
        server.sql(
            "CREATE SEQUENCE tries; GRANT ALL ON SEQUENCE tries TO PUBLIC; "
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF nextval('tries') < 3 THEN RAISE "
            f"EXCEPTION 'in the way' USING ERRCODE = '{code}'; END IF; RETURN NEW; END $$; "
            "CREATE TRIGGER fails BEFORE INSERT ON promises FOR EACH ROW EXECUTE FUNCTION fail()",
            database=name,
        )
        assert (await make(store, wanted())).is_new
        assert server.sql("SELECT last_value FROM tries", database=name) == "3"
        assert len(await rows(store, "SELECT id FROM promise_events JOIN promises ON id = promise_id")) == 1


async def test_two_who_wait_in_a_circle_both_come_to_an_end(store: Store) -> None:
    """The server undoes one of them, which is then done again."""
    for number in ("1", "2"):
        await store.callers.remember_language(number, "ja")
    have_one = {"a": asyncio.Event(), "b": asyncio.Event()}

    def change(own: str, other: str, first: str, second: str) -> Any:
        async def work(connection: AsyncConnection) -> str:
            await connection.execute(text("UPDATE callers SET language = 'en' WHERE number = :n"), {"n": first})
            have_one[own].set()
            await have_one[other].wait()
            await connection.execute(text("UPDATE callers SET language = 'en' WHERE number = :n"), {"n": second})
            return own

        return work

    async with store_at(str_url(store), HandClock(), busy_timeout_s=10) as patient:
        write = patient.database.write
        done = await asyncio.gather(write(change("a", "b", "1", "2")), write(change("b", "a", "2", "1")))
    assert list(done) == ["a", "b"]


async def test_a_server_that_restarted_is_noticed_by_nobody(server: Postgres, store: Store) -> None:
    """Every connection in the pool is dead by then."""
    await asyncio.gather(*(make(store, wanted(f"c{n}", number=f"+8190000000{n:02}")) for n in range(10)))
    await asyncio.to_thread(server.stop)
    await asyncio.to_thread(server.start)
    assert len(await store.promises.waiting()) == 10
    assert (await make(store, wanted())).is_new


@pytest.mark.parametrize("how", [signal.SIGQUIT, signal.SIGKILL, signal.SIGINT])
async def test_a_transaction_that_a_crash_cut_in_the_middle_is_done_once(
    server: Postgres, store: Store, how: signal.Signals
) -> None:
    """The server is killed between two statements, and is back before the second."""
    tries: list[int] = []

    async def work(connection: AsyncConnection) -> int:
        tries.append(len(tries))
        row = {"number": f"{how.name} {len(tries)}", "language": "ja", "changed_at": NOON}
        await connection.execute(insert(callers).values(row))
        if len(tries) == 1:
            await asyncio.to_thread(server.stop, how)
            await asyncio.to_thread(server.start)
        return len((await connection.execute(select(callers))).all())

    assert await store.database.write(work) == 1
    assert tries == [0, 1]
    assert await rows(store, "SELECT number FROM callers") == [{"number": f"{how.name} 2"}]


async def test_a_server_that_stays_away_says_so_and_what_was_committed_is_there(server: Postgres, store: Store) -> None:
    """For whoever asked meanwhile: one line, at once."""
    made = await make(store, wanted())
    await asyncio.to_thread(server.stop, signal.SIGQUIT)
    try:
        with pytest.raises(StoreUnavailableError) as raised:
            await store.promises.advance(made.promise.id, DeadlinePassed())
        assert_one_line_for_a_person(raised, "cannot be reached", "Check that it runs")
    finally:
        await asyncio.to_thread(server.start)
    assert await store.promises.waiting() == [made.promise]


@pytest.mark.parametrize("is_passed_on", [True, False])
async def test_a_commit_whose_answer_was_lost_is_asked_about_and_never_done_twice(
    server: Postgres, name: str, is_passed_on: bool
) -> None:
    """Cut before the server got it: done again. Cut after: it is taken for what it is, done; and told once."""
    async with LostAnswers(server.port) as proxy:
        url = server.url(name, by_tcp=True).replace(str(server.port), str(proxy.port))
        async with store_at(url, HandClock()) as store:
            heard: list[str] = []
            store.changed.append(lambda promise: heard.append(promise.id))
            proxy.lose_next_commit(is_passed_on=is_passed_on)
            made = await make(store, wanted())
            assert proxy.lost == 1
            assert heard == [made.promise.id]
            assert await store.promises.waiting() == [made.promise]
            assert len(await rows(store, "SELECT seq FROM promise_events")) == 1


async def test_a_commit_that_nobody_can_tell_about_is_no_success(server: Postgres, name: str) -> None:
    """The network goes with it: whoever asked is told that it is not known to be written."""
    async with LostAnswers(server.port) as proxy:
        url = server.url(name, by_tcp=True).replace(str(server.port), str(proxy.port))
        async with store_at(url, HandClock()) as store:
            proxy.lose_next_commit(is_passed_on=True, then_refuse=True)
            with pytest.raises(StoreUnavailableError, match="Check that it runs"):
                await make(store, wanted())
            proxy.mend()
            assert (await make(store, wanted())).is_new is False  # the same call, asked again: it had been written


async def test_tables_that_another_version_changed_are_read_on(server: Postgres, name: str, store: Store) -> None:
    """What the driver had prepared is of no use any more; nobody notices."""
    made = await make(store, wanted())
    assert await store.promises.waiting() == [made.promise]
    server.sql("ALTER TABLE promises ALTER COLUMN number TYPE varchar(40)", database=name)
    assert await store.promises.waiting() == [made.promise]
    server.sql("ALTER TABLE promises ALTER COLUMN number TYPE varchar(50)", database=name)
    assert (await make(store, wanted("another", number="+81312345678"))).is_new


async def test_a_process_that_was_stopped_in_a_transaction_stops_no_other(server: Postgres, name: str) -> None:
    """It holds the lock that every claim waits by; the server ends its session before a lease has run out."""
    async with store_at(server.url(name), HandClock(), busy_timeout_s=30) as store:
        await store.texts.owe(SendSms("page:1", SmsTemplate.WEB_PAGE, NUMBER, "ja", "sales"))
        sms = await store.outbox.due(NOON)
        assert sms is not None
        async with store.database.engine.connect() as stopped:
            await wait_for_other_bookings(stopped, CLAIMS)
            claim = await store.outbox.claim(sms, SmsBill(1), SmsLimits(per_number=None, breaker=None), NOON)
            assert claim.status == "sending"
            await stopped.invalidate()
