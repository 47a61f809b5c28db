"""The doorbell: real sockets, people who ring, and people who lean on it."""

from __future__ import annotations

import asyncio
import socket
import stat
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from controller.store.doorbell import Doorbell, bell_of, ring
from tests.contract.store_under_test import HandClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

ONE, TWO = "0123456789abcdef", "fedcba9876543210"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the bell is to hang."""
    return bell_of(tmp_path / "orikaeshi.db")


class Heard:
    """What came through the door."""

    def __init__(self) -> None:
        self._rings: asyncio.Queue[str] = asyncio.Queue()

    def __call__(self, promise_id: str) -> None:
        """Note one."""
        self._rings.put_nowait(promise_id)

    async def next(self) -> str:
        """Return the next one."""
        return await asyncio.wait_for(self._rings.get(), 10)

    @property
    def is_quiet(self) -> bool:
        """Nothing else came."""
        return self._rings.empty()


@asynccontextmanager
async def hung(path: Path, heard: Heard, *, patience_s: float = 5) -> AsyncIterator[asyncio.Task[None]]:
    """Hang a bell and let it listen, for the length of the block."""
    task = asyncio.create_task(Doorbell(path, HandClock(), patience_s=patience_s).run(heard))
    while not await asyncio.to_thread(ring, path, []):
        assert not task.done()
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task})


async def left_alone(path: Path, letter: bytes) -> bytes:
    """Send something by hand, and return what comes back until the door is closed."""
    reader, writer = await asyncio.open_unix_connection(str(path))
    writer.write(letter)
    try:
        return await asyncio.wait_for(reader.read(), 10)
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


async def test_whoever_rings_is_heard(path: Path) -> None:
    """Once for each promise, in order."""
    heard = Heard()
    async with hung(path, heard):
        assert await asyncio.to_thread(ring, path, [ONE, TWO])
        assert await asyncio.to_thread(ring, path, [ONE])
        assert [await heard.next() for _ in range(3)] == [ONE, TWO, ONE]


async def test_the_bell_is_its_owners_alone_and_goes_with_its_controller(path: Path) -> None:
    """0600; afterwards nobody is at home, and ringing says so."""
    assert path.name == "orikaeshi.db.bell"
    async with hung(path, Heard()):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600  # noqa: ASYNC240 - one stat in a test
    assert not path.exists()  # noqa: ASYNC240 - as above
    assert not await asyncio.to_thread(ring, path, [ONE])


@pytest.mark.parametrize(
    "letter",
    [
        b"0123456789ABCDEF\n",
        b"0123456789abcde\n",
        b"0123456789abcdef0\n",
        b"0123456789abcdef\r\n",
        b"../../etc/passwd\n",
        b"\xff\xfe\x00\n",
        b"\n",
        b"x" * 100_000,
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
async def test_what_is_no_promises_id_closes_the_door_and_nothing_is_passed_on(path: Path, letter: bytes) -> None:
    """Nor is it answered; the next one is heard."""
    heard = Heard()
    async with hung(path, heard, patience_s=60):
        assert await left_alone(path, letter + f"\n{TWO}\n".encode()) == b""
        assert await asyncio.to_thread(ring, path, [ONE])
        assert await heard.next() == ONE
        assert heard.is_quiet


async def test_a_line_that_was_cut_off_is_not_passed_on(path: Path) -> None:
    """Whoever rang died while doing so; what came whole before counts."""
    heard = Heard()
    async with hung(path, heard, patience_s=60):
        _, writer = await asyncio.open_unix_connection(str(path))
        writer.write(f"{TWO}\n{ONE}0".encode())
        writer.close()
        assert await heard.next() == TWO
        assert await asyncio.to_thread(ring, path, [TWO])
        assert await heard.next() == TWO
        assert heard.is_quiet


async def test_whoever_says_nothing_is_shown_out(path: Path) -> None:
    """After the door's patience, not ours."""
    async with hung(path, Heard(), patience_s=0.05):
        assert await left_alone(path, b"0123") == b""


async def test_a_crowd_that_says_nothing_does_not_grow(path: Path) -> None:
    """Who comes while sixteen stand there is shown out at once."""
    async with hung(path, Heard(), patience_s=60):
        crowd = [await asyncio.open_unix_connection(str(path)) for _ in range(16)]
        assert await left_alone(path, b"") == b""
        for _, writer in crowd:
            writer.close()


async def test_a_listener_that_fails_leaves_the_bell_where_it_is(path: Path) -> None:
    """The next ring is heard."""
    heard = Heard()

    def fail_at_first(promise_id: str) -> None:
        heard(promise_id)
        if promise_id == ONE:
            raise RuntimeError("a mistake in a listener")

    task = asyncio.create_task(Doorbell(path, HandClock()).run(fail_at_first))
    while not await asyncio.to_thread(ring, path, [ONE, TWO]):
        assert not task.done()
    assert [await heard.next(), await heard.next()] == [ONE, TWO]
    task.cancel()
    await asyncio.wait({task})


async def test_the_bell_of_a_dead_controller_is_replaced(path: Path) -> None:
    """Killed, it left its socket behind."""
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(path))
    dead.close()
    assert not await asyncio.to_thread(ring, path, [ONE])
    heard = Heard()
    async with hung(path, heard):
        assert await asyncio.to_thread(ring, path, [ONE])
        assert await heard.next() == ONE


async def test_of_two_controllers_one_has_the_bell_and_the_other_inherits_it(path: Path) -> None:
    """By asking every two seconds; the first one's end does not take the second one's bell down."""
    first, second, clock = Heard(), Heard(), HandClock()
    async with hung(path, first):
        waits = asyncio.create_task(Doorbell(path, clock).run(second))
        assert await asyncio.wait_for(clock.slept.get(), 10) == 2
        assert await asyncio.to_thread(ring, path, [ONE])
        assert await first.next() == ONE
    clock.turn(2)
    while not await asyncio.to_thread(ring, path, [TWO]):
        assert not waits.done()
    assert await second.next() == TWO
    assert first.is_quiet
    waits.cancel()
    await asyncio.wait({waits})


async def test_a_bell_that_somebody_else_has_hung_meanwhile_stays_when_the_first_one_leaves(path: Path) -> None:
    """An admin took the socket away, and the next controller made its own."""
    heard = Heard()
    async with hung(path, Heard()):
        path.unlink()  # noqa: ASYNC240 - one unlink in a test
        second = asyncio.create_task(Doorbell(path, HandClock()).run(heard))
        while not await asyncio.to_thread(ring, path, []):
            assert not second.done()
    assert await asyncio.to_thread(ring, path, [ONE])
    assert await heard.next() == ONE
    second.cancel()
    await asyncio.wait({second})


@pytest.mark.parametrize("place", ["a file", "a folder", "no folder", "too long"])
async def test_where_no_bell_can_hang_the_controller_is_told_and_works_without(tmp_path: Path, place: str) -> None:
    """What stands there is not touched."""
    path = tmp_path / "x.bell"
    match place:
        case "a file":
            path.write_text("a letter")
        case "a folder":
            path.mkdir()
        case "no folder":
            path = tmp_path / "missing" / "x.bell"
        case _:
            path = tmp_path / ("x" * 110)
    there = sorted(tmp_path.iterdir())  # noqa: ASYNC240 - nothing else runs
    with capture_logs() as logs:
        await asyncio.wait_for(Doorbell(path, HandClock()).run(Heard()), 10)
    (told,) = logs
    assert told["event"] == "doorbell_not_hung"
    assert told["log_level"] == "warning"
    assert "107 bytes" in told["error"] or place != "too long"
    assert "do not stop a phone" in told["remedy"]
    assert sorted(tmp_path.iterdir()) == there  # noqa: ASYNC240 - as above
    assert not await asyncio.to_thread(ring, path, [ONE])
