"""The door for probes, over real HTTP: what it says of a process that works, waits, stands by, stops, or hangs."""

from __future__ import annotations

import asyncio
import itertools
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.ports.promises import StoreUnavailableError
from controller.web.health import MOST_CONNECTIONS, HealthServer, OfficeHealth, OfficeState, readiness
from tests.adapters.promise_house import LockedRoom

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from controller.ports.lease import Lease

IN_CONTROL, OPENING, COMING_HOME, STANDING_BY = OfficeState


@dataclass
class Process:
    """What a process knows of itself."""

    offices: tuple[OfficeHealth, ...] = ()
    stopping: bool = False
    was_in_control: bool = False
    member: str = "controller-0"


def process(*states: OfficeState, stopping: bool = False, was_in_control: bool = False) -> Process:
    """Return a process with one office in each of these states."""
    terms = {IN_CONTROL: 7, OPENING: 8}
    offices = (OfficeHealth(f"asterisk-{number}", state, terms.get(state)) for number, state in enumerate(states))
    return Process(tuple(offices), stopping, was_in_control)


class Leases(LockedRoom):
    """A database that answers, and is asked nothing but who has what."""

    async def all(self) -> list[Lease]:
        """Return none."""
        return []


class LeasesAway(LockedRoom):
    """A database that refuses."""

    async def all(self) -> list[Lease]:
        """Raise what the store raises."""
        raise StoreUnavailableError("the database does not answer")


class LeasesSilent(LockedRoom):
    """A database that never answers."""

    async def all(self) -> list[Lease]:
        """Wait for ever."""
        forever: asyncio.Future[list[Lease]] = asyncio.get_running_loop().create_future()
        return await forever


@dataclass
class Asked:
    """A health server, and a way to ask it."""

    server: HealthServer
    session: aiohttp.ClientSession = field(repr=False)

    async def get(self, path: str, method: str = "GET") -> tuple[int, Any]:
        """Return status and JSON of an answer."""
        async with self.session.request(method, path) as answer:
            is_json = answer.content_type == "application/json"
            return answer.status, (await answer.json() if is_json and method == "GET" else await answer.text())


@asynccontextmanager
async def served(health: Process, leases: Any = None) -> AsyncIterator[Asked]:
    """Serve for the length of the block."""
    server = HealthServer(health, leases or Leases(), "127.0.0.1", 0)
    serving = asyncio.create_task(server.run())
    try:
        await server.listening.wait()
        async with aiohttp.ClientSession(f"http://127.0.0.1:{server.bound_port}") as session:
            yield Asked(server, session)
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


async def test_a_process_in_control_of_an_asterisk_is_ready_and_tells_people_of_each() -> None:
    """Name, state, term; the database is not asked."""
    async with served(process(STANDING_BY, IN_CONTROL), LockedRoom()) as asked:
        assert await asked.get("/readyz") == (
            200,
            {
                "ready": True,
                "why": "in control",
                "member": "controller-0",
                "offices": [
                    {"name": "asterisk-0", "state": "standing_by", "term": None},
                    {"name": "asterisk-1", "state": "in_control", "term": 7},
                ],
            },
        )


async def test_whoever_never_came_to_do_its_work_is_not_ready_and_is_once_it_did() -> None:
    """So an upgrade that cannot do its work stops at the first controller. An Asterisk lost later is no such thing."""
    health = process(OPENING, STANDING_BY)
    async with served(health, LockedRoom()) as asked:
        status, told = await asked.get("/readyz")
        assert (status, told["why"]) == (503, "not in control yet")
        health.offices = process(IN_CONTROL, STANDING_BY).offices
        health.was_in_control = True
        assert (await asked.get("/readyz"))[0] == 200
        health.offices = process(OPENING, STANDING_BY).offices
        assert (await asked.get("/readyz"))[0] == 200


async def test_whoever_waits_for_its_own_asterisk_is_not_ready_before_it_has_it() -> None:
    """The next controller of an upgrade is stopped only after the first one has its work again."""
    async with served(process(STANDING_BY, COMING_HOME), LockedRoom()) as asked:
        status, told = await asked.get("/readyz")
        assert (status, told["offices"][1]["state"]) == (503, "coming_home")


async def test_whoever_stands_by_is_ready_as_long_as_the_database_answers() -> None:
    """Without it nothing could be taken over; a database that is silent counts as away before a probe gives up."""
    for leases, expected in ((Leases(), 200), (LeasesAway(), 503), (LeasesSilent(), 503)):
        async with served(process(STANDING_BY, STANDING_BY), leases) as asked:
            assert (await asked.get("/readyz"))[0] == expected


async def test_whoever_stops_is_not_ready_whatever_it_still_has() -> None:
    """So that nobody is sent to it any more."""
    async with served(process(IN_CONTROL, stopping=True, was_in_control=True)) as asked:
        status, told = await asked.get("/readyz")
        assert (status, told["why"]) == (503, "stopping")


async def test_a_process_lives_whatever_its_work_and_its_database_do() -> None:
    """A restart would mend none of it, and would cost the ones who wait."""
    for states in ((), (OPENING,), (STANDING_BY,)):
        async with served(process(*states, stopping=True), LeasesSilent()) as asked:
            assert await asked.get("/livez") == (200, {"alive": True, "member": "controller-0"})


@given(
    st.lists(st.sampled_from(OfficeState), max_size=4),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_the_database_decides_for_those_without_work_alone(
    states: list[OfficeState], stopping: bool, was_in_control: bool, store_answers: bool
) -> None:
    """Of all that a process can be: ready means work, or work once, or nothing to wait for and a database."""
    health = process(*states, stopping=stopping, was_in_control=was_in_control)
    works = IN_CONTROL in states or (OPENING in states and was_in_control)
    could = not {OPENING, COMING_HOME} & set(states) and store_answers
    assert readiness(health, store_answers=store_answers).ready == (not stopping and (works or could))


async def test_nothing_but_these_two_pages_is_there_and_nothing_can_be_sent() -> None:
    """No favicon, no start page, no POST; an answer is kept by nobody."""
    async with served(process(IN_CONTROL)) as asked:
        for path in ("/", "/health", "/favicon.ico", "/readyz/", "/readyz/x"):
            assert (await asked.get(path))[0] == 404
        for path, method in itertools.product(("/livez", "/readyz"), ("POST", "PUT", "DELETE")):
            assert (await asked.get(path, method))[0] == 405
        assert (await asked.get("/livez", "HEAD"))[0] == 200
        async with asked.session.get("/readyz") as answer:
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["Server"] == "orikaeshi"


async def test_more_connections_than_there_is_room_for_are_refused_and_the_others_answered() -> None:
    """Somebody who opens connections and says nothing costs us no more than these."""
    async with served(process(IN_CONTROL)) as asked:
        port = asked.server.bound_port
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(MOST_CONNECTIONS)]
        # A connection is counted when the server's loop has seen it: each of these has an answer by then.
        for reader, writer in silent:
            writer.write(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            assert await reader.read() == b""
        except ConnectionError:
            pass  # The same, as the system tells it.
        finally:
            for _, each in (*silent, (reader, writer)):
                each.close()


async def test_a_port_that_is_taken_is_named_with_the_settings_that_choose_it() -> None:
    """One clear sentence."""
    async with served(process(IN_CONTROL)) as asked:
        port = asked.server.bound_port
        named = f"probes cannot be answered at 127.0.0.1:{port} (health.host, health.port)"
        with pytest.raises(OSError, match=re.escape(named)):
            await HealthServer(process(), Leases(), "127.0.0.1", port).run()
