"""What goes on, as open screens hear of it: over HTTP, and one reader at a time."""

from __future__ import annotations

import asyncio
import socket
import tracemalloc
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from controller.console.live import BEAT_S, LIVE, MOST_STREAMS, Live
from controller.console.today import TodaysFigures
from controller.domain.access import Role, Scope
from controller.domain.figure_rows import COLUMNS
from controller.ports.promises import StoreUnavailableError
from controller.system_clock import SystemClock
from tests.console.a_day import write_day
from tests.console.floor import NUMBER, ScriptedFloor
from tests.console.house import TUESDAY_TEN, ConsoleSite, site_at
from tests.console.stream_reader import EVENTS, Reader, event_of, ids_in, with_line

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime
    from pathlib import Path

    from controller.console.house import ConsoleHouse
    from controller.ports.floor import FloorNow

MASKED = "+81901234****"


def live_of(house: ConsoleHouse) -> Live:
    """Return what is live in a house of its own."""
    return Live(house, TodaysFigures(house))


@pytest.fixture
async def timed(tmp_path: Path) -> AsyncIterator[ConsoleSite]:
    """Serve a console whose time passes by itself."""
    async with site_at(tmp_path, clock=SystemClock()) as opened:
        yield opened


async def test_a_new_reader_sees_the_floor_at_once_as_the_api_tells_it(site: ConsoleSite) -> None:
    """Word for word: there is one way in which the floor is told."""
    supervisor = await site.client(Role.SUPERVISOR)
    async with supervisor.stream(EVENTS) as response:
        assert (response.status, response.content_type) == (200, "text/event-stream")
        assert response.headers["Cache-Control"] == "no-store"
        assert "script-src 'self'" in response.headers["Content-Security-Policy"]
        name, told = await Reader(response).next()
    assert name == "floor"
    assert told == (await supervisor.get("/api/v1/floor")).json


async def test_a_change_on_the_floor_is_told(timed: ConsoleSite) -> None:
    """Whoever rings is there, and whoever is gone is not."""
    async with (await timed.client(Role.AGENT)).stream(EVENTS) as response:
        reader = Reader(response)
        await reader.next("floor")
        for ids in (["rang"], ["rang", "rang later"], []):
            timed.floor.changed(with_line(timed.floor.shown, *ids))
            assert ids_in((await reader.next("floor"))[1]) == ids


@pytest.mark.parametrize(
    ("role", "query", "number"),
    [
        (Role.SUPERVISOR, "", NUMBER),
        (Role.SUPERVISOR, "?numbers=masked", MASKED),
        (Role.AGENT, "", MASKED),
        (Role.AGENT, "?numbers=masked", MASKED),
    ],
)
async def test_numbers_are_whole_for_who_may_see_them_and_wants_them(
    site: ConsoleSite, role: Role, query: str, number: str
) -> None:
    """A wallboard asks for masked ones, whoever has opened it."""
    async with (await site.client(role)).stream(EVENTS + query) as response:
        _, told = await Reader(response).next("floor")
    assert told["line"][0]["number"] == number


async def test_who_may_not_see_the_floor_gets_no_stream(site: ConsoleSite) -> None:
    """A key needs the scope."""
    assert (await (await site.key(Scope.FIGURES_READ)).get(EVENTS)).status == 403
    assert (await site.stranger().get(EVENTS)).status == 401


class CountingFloor(ScriptedFloor):
    """Counts how often it is looked at."""

    looks = 0

    def now(self) -> FloorNow:
        """Count."""
        self.looks += 1
        return super().now()


async def test_what_changes_together_is_one_event_and_there_are_five_a_second_at_most(site: ConsoleSite) -> None:
    """However often it changes: the newest is told, and then there is a pause."""
    floor = CountingFloor(site.house.clock)
    live, loop = live_of(replace(site.house, floor=floor)), asyncio.get_running_loop()
    running = asyncio.create_task(live.run())
    stream = live.join("a session", whole_numbers=False)
    await stream.next()
    for nth in range(3):
        for ids in ([f"one {nth}"], [f"one {nth}", f"two {nth}"]):
            floor.changed(with_line(floor.shown, *ids))
        event = await stream.next()
        while not event.startswith(b"event: floor"):
            event = await stream.next()
        assert ids_of(event) == [f"one {nth}", f"two {nth}"]
    began_s, floor.looks = loop.time(), 0
    while loop.time() < began_s + 1.5:
        floor.changed(with_line(floor.shown, "one more"))
        await live.news.wait()
    assert floor.looks <= (loop.time() - began_s) / 0.2 + 2
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def ids_of(event: bytes) -> list[str]:
    """Return who is in the line of an event as it is sent."""
    name, floor = event_of(event)
    assert name == "floor"
    return ids_in(floor)


async def test_a_slow_reader_gets_the_newest_and_misses_what_was_between(site: ConsoleSite) -> None:
    """Nothing is kept for it meanwhile."""
    live = live_of(site.house)
    stream = live.join("a session", whole_numbers=False)
    await stream.next()
    for nth in range(100):
        site.floor.changed(with_line(site.floor.shown, f"caller {nth}"))
        live.join("another", whole_numbers=False)  # Looks.
    assert ids_of(await stream.next()) == ["caller 99"]


async def test_the_floor_is_written_out_once_for_all_who_see_the_same(site: ConsoleSite) -> None:
    """And once more for those who may see numbers."""
    live = live_of(site.house)
    first, second = (live.join(name, whole_numbers=False) for name in ("one", "two"))
    await first.next()
    await second.next()
    assert live.floor is not None
    assert live.floor.written(whole_numbers=False) is live.floor.written(whole_numbers=False)
    assert live.floor.written(whole_numbers=True) != live.floor.written(whole_numbers=False)


async def test_something_is_said_at_least_every_other_second(timed: ConsoleSite) -> None:
    """The time: a screen that hears nothing knows that it is cut off."""
    async with (await timed.client(Role.AGENT)).stream(EVENTS) as response:
        reader = Reader(response)
        beats = [(await reader.next("beat"))[1] for _ in range(2)]
    assert all(set(beat) == {"at"} for beat in beats)
    assert BEAT_S <= 2


async def test_one_stream_too_many_ends_the_oldest_of_the_session(timed: ConsoleSite) -> None:
    """It is told so; the others go on, and other sessions are not concerned."""
    person = await timed.client(Role.AGENT)
    async with (await timed.client(Role.AGENT)).stream(EVENTS) as other, person.stream(EVENTS) as oldest:
        readers = [Reader(other), Reader(oldest)]
        for reader in readers:
            await reader.next("floor")
        more = [await person.stream(EVENTS).__aenter__() for _ in range(MOST_STREAMS)]
        assert (await readers[1].next("enough"))[0] == "enough"
        assert await readers[1].rest() == []
        timed.floor.changed(with_line(timed.floor.shown, "rang"))
        for reader in (readers[0], Reader(more[0]), Reader(more[-1])):
            while ids_in((await reader.next("floor"))[1]) != ["rang"]:
                pass
        for response in more:
            response.close()


async def test_a_reader_who_leaves_is_forgotten(timed: ConsoleSite) -> None:
    """With the next thing that is said."""
    live = timed.app[LIVE]
    async with (await timed.client(Role.AGENT)).stream(EVENTS) as response:
        await Reader(response).next("floor")
        assert live.streams == 1
    async with asyncio.timeout(20):
        while live.streams:
            await live.news.wait()


async def test_nobody_looks_and_nothing_is_done(tmp_path: Path) -> None:
    """A change costs nothing then, and no figures are reckoned."""
    floor = CountingFloor(SystemClock())
    async with site_at(tmp_path, clock=SystemClock(), floor=floor) as site:
        for nth in range(100):
            floor.changed(with_line(floor.shown, str(nth)))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await site.app[LIVE].news.wait()
        assert floor.looks == 0
        async with (await site.client(Role.AGENT)).stream(EVENTS) as response:
            await Reader(response).next("floor")
        assert floor.looks > 0


async def test_a_stream_ends_with_its_session(tmp_path: Path) -> None:
    """Whoever is signed out by somebody else hears nothing more."""
    async with site_at(tmp_path, clock=SystemClock(), look_again_s=0.05) as site:
        person = await site.person(Role.AGENT)
        async with (await site.browser_of(person)).stream(EVENTS) as response:
            reader = Reader(response)
            await reader.next("floor")
            await site.store.sessions.end_all(person.name)
            assert "enough" not in await reader.rest()


async def test_streams_end_when_the_console_stops(timed: ConsoleSite) -> None:
    """At once: who stops does not wait for screens."""
    person = await timed.client(Role.AGENT)
    async with person.stream(EVENTS) as response:
        reader = Reader(response)
        await reader.next("floor")
        await timed.app.shutdown()
        assert "enough" not in await reader.rest()


async def test_todays_figures_are_told_and_are_those_of_the_api(tmp_path: Path) -> None:
    """Each by its key, of each queue and of all together."""
    async with site_at(tmp_path) as site:
        await write_day(site.store, TUESDAY_TEN - timedelta(hours=1), site.house.now + timedelta(hours=6))
        site.clock.turn(6 * 3600)
        supervisor = await site.client(Role.SUPERVISOR)
        async with supervisor.stream(EVENTS) as response:
            _, told = await Reader(response).next("figures")
        (row,) = (await supervisor.get("/api/v1/figures?by=interval&interval=whole")).json["rows"]
        assert told["queues"][""] == row["figures"]
        by_queue = (await supervisor.get("/api/v1/figures?by=queue&interval=whole")).json["rows"]
        assert {each["queue"]: each["figures"] for each in by_queue} == {
            name: figures for name, figures in told["queues"].items() if name
        }
        assert row["figures"]["answered"] > 50
        assert set(told["queues"][""]) == {column.key for column in COLUMNS}


class AwayFacts:
    """`FactsBook` whose database does not answer."""

    def so_far(self, *_: Any) -> AwayFacts:
        """Return who reads a day."""
        return self

    async def read(self, _as_of: datetime) -> Any:
        """Raise."""
        raise StoreUnavailableError("the database is away")


async def test_the_floor_is_told_while_the_database_is_away(tmp_path: Path) -> None:
    """It is in memory; there are no figures meanwhile."""
    async with (
        site_at(tmp_path, clock=SystemClock(), facts=AwayFacts()) as site,
        (await site.client(Role.AGENT)).stream(EVENTS) as response,
    ):
        reader = Reader(response)
        seen = [(await reader.next())[0] for _ in range(3)]
        assert seen[0] == "floor"
        assert "figures" not in seen
        site.floor.changed(with_line(site.floor.shown, "rang"))
        assert ids_in((await reader.next("floor"))[1]) == ["rang"]


async def test_a_reader_who_takes_nothing_costs_no_memory(timed: ConsoleSite) -> None:
    """Hundreds of times the floor changes, and is a hundred thousand bytes long: what is kept does not grow with it."""
    person = await timed.client(Role.AGENT)
    many = [f"caller {nth}" for nth in range(300)]
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.connect(("127.0.0.1", timed.server.bound_port))
    head = "".join(f"{name}: {value}\r\n" for name, value in person.headers.items())
    deaf.sendall(f"GET {EVENTS} HTTP/1.1\r\n{head}\r\n".encode())
    live = timed.app[LIVE]
    other = live.join("somebody who reads", whole_numbers=False)
    event, kept_bytes = b"", []
    async with asyncio.timeout(60):
        while live.streams < 2:
            await other.next()
        tracemalloc.start()
        for nth in range(100):
            timed.floor.changed(with_line(timed.floor.shown, f"caller {nth} of this round", *many))
            while f"caller {nth} of this round".encode() not in event:
                event = await other.next()
            kept_bytes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    deaf.close()
    assert len(event) > 100_000
    assert kept_bytes[-1] - kept_bytes[40] < 5 * len(event)
