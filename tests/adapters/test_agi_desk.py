"""A dialplan asks for a promise over FastAGI: from the connection to the database, and back to the dialplan."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from controller.journeys.house import Queue
from controller.workers.agi_desk import AgiDesk
from tests.adapters.agi_client import Caller, environment, serving
from tests.adapters.promise_house import SUPPORT, promise_house

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.adapters.promise_house import PromiseHouse

SHOWN = "+819012340001"
SALES = Queue(name="sales", language="en")
YES = {"use-this-number": ["1"]}


class Desk:
    """A running service."""

    def __init__(self, house: PromiseHouse, port: int) -> None:
        self.house = house
        self._port = port

    async def asked(
        self, query: str = "queue=support", caller: Caller | None = None, *, script: str = "promise", **said: str
    ) -> Caller:
        """Let a dialplan ask for a promise; return the caller once the dialplan goes on."""
        caller = caller or Caller(YES)
        async with asyncio.timeout(10):
            await caller.call(self._port, environment(agi_request=f"agi://127.0.0.1:4573/{script}?{query}", **said))
        return caller

    def promises(self) -> list[dict[str, Any]]:
        """Return every promise."""
        return self.house.rows("select * from promises order by made_at")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """Run a service with the queues support (ja) and sales (en)."""
    async with opened(tmp_path, SUPPORT, SALES) as running:
        yield running


@asynccontextmanager
async def opened(folder: Path, *queues: Queue) -> AsyncIterator[Desk]:
    """Run one for the length of the block."""
    async with promise_house(folder, *queues) as house:
        desk = AgiDesk(house.house, languages={"ja", "en"})
        async with serving(desk.receive) as server:
            yield Desk(house, server.bound_port)


async def test_a_caller_from_a_dialplan_leaves_the_shown_number(desk: Desk) -> None:
    """The promise is on disk, the dialplan knows it, and the call is in the figures."""
    caller = await desk.asked("queue=support&lang=en")
    assert caller.variables["ORI_RESULT"] == "PROMISED"
    (promise,) = desk.promises()
    assert (promise["queue"], promise["number"], promise["language"]) == ("support", SHOWN, "en")
    assert caller.heard[-1] == "promise-made"
    assert desk.house.endings() == {"1763790000.12": ("support", "promised")}


async def test_the_promise_stands_in_line_from_when_the_caller_joined_the_pbxs_own_queue(desk: Desk) -> None:
    """As the dialplan says it; not from when they pressed the key."""
    came = int(desk.house.house.clock.now().timestamp()) - 600
    await desk.asked(f"queue=support&since={came}")
    since = datetime.fromisoformat(desk.promises()[0]["since"]).replace(tzinfo=UTC)
    assert since == datetime.fromtimestamp(came, UTC)


async def test_a_number_that_holds_a_promise_is_told_so_and_so_is_the_dialplan(desk: Desk) -> None:
    """One promise for a number and queue, whichever way it was asked for."""
    await desk.asked()
    caller = await desk.asked(agi_uniqueid="1763790000.99")
    assert caller.variables["ORI_RESULT"] == "EXISTS"
    assert "promise-exists" in caller.heard
    assert len(desk.promises()) == 1
    assert set(desk.house.endings().values()) == {("support", "promised")}


async def test_a_caller_without_a_number_keys_one(desk: Desk) -> None:
    """A withheld number is neither used nor read out."""
    caller = Caller({"enter-number": ["0312340099#"], "confirm-number": ["1"]})
    await desk.asked(caller=caller, agi_callingpres="32")
    assert caller.variables["ORI_RESULT"] == "PROMISED"
    assert [promise["number"] for promise in desk.promises()] == ["+81312340099"]


async def test_who_leaves_no_number_goes_back_and_is_not_in_our_figures(desk: Desk) -> None:
    """What becomes of them, the PBX's own queue knows."""
    caller = await desk.asked(caller=Caller({"use-this-number": ["2"]}))
    assert caller.variables["ORI_RESULT"] == "NONE"
    assert desk.promises() == []
    assert desk.house.endings() == {}


async def test_who_hangs_up_before_there_is_a_promise_has_none_and_is_counted_as_abandoned(desk: Desk) -> None:
    """They pressed the key, and left."""
    caller = await desk.asked(caller=Caller(hangs_up_at="use-this-number"))
    assert "ORI_RESULT" not in caller.variables
    assert desk.promises() == []
    assert desk.house.endings() == {"1763790000.12": ("support", "abandoned")}


async def test_who_hangs_up_while_being_told_of_the_promise_keeps_it(desk: Desk) -> None:
    """It was on disk before the first word."""
    await desk.asked(caller=Caller(YES, hangs_up_at="promise-made"))
    assert len(desk.promises()) == 1
    assert desk.house.endings() == {"1763790000.12": ("support", "promised")}


async def test_a_pbx_that_fails_after_the_promise_was_made_does_not_undo_it(desk: Desk) -> None:
    """The dialplan is not told, but sees by the stage on its channel that there is one."""
    caller = await desk.asked(caller=Caller(YES, odd_answers={"STREAM FILE orikaeshi/promise-made": b"520 What?\n\n"}))
    assert caller.variables["ORI_STAGE"] == "booked"
    assert len(desk.promises()) == 1
    assert desk.house.endings() == {"1763790000.12": ("support", "promised")}


async def test_a_number_that_cannot_be_written_down_is_not_promised(desk: Desk) -> None:
    """The dialplan hears of it, and sends the caller back; another process has the database."""
    with closing(sqlite3.connect(desk.house.file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        caller = await desk.asked()
    assert caller.variables["ORI_RESULT"] == "FAILED"
    assert not {"promise-made", "promise-exists"} & set(caller.heard)
    assert desk.promises() == []


@pytest.mark.parametrize("query", ["queue=cards", "lang=ja", "", "queue=", "queue=support%0a"])
async def test_a_queue_that_does_not_exist_is_an_error_of_the_dialplan(desk: Desk, query: str) -> None:
    """The caller is asked for nothing, and the log names the queues that there are."""
    with capture_logs() as logs:
        caller = await desk.asked(query)
    assert caller.variables == {"ORI_RESULT": "UNAVAILABLE"}
    assert caller.heard == []
    (line,) = [line for line in logs if line["log_level"] == "error"]
    assert line["queues"] == ["sales", "support"]


async def test_a_service_that_does_not_exist_is_an_error_of_the_dialplan(desk: Desk) -> None:
    """There is one: promise."""
    with capture_logs() as logs:
        caller = await desk.asked(script="cancel")
    assert caller.variables == {"ORI_RESULT": "UNAVAILABLE"}
    assert [line["asked"] for line in logs if line["log_level"] == "error"] == ["cancel"]


@pytest.mark.parametrize(
    ("query", "spoken"),
    [
        ("queue=sales", "en"),
        ("queue=support", "ja"),
        ("queue=support&lang=en", "en"),
        ("queue=support&lang=en_US", "en"),
        ("queue=support&lang=fr", "ja"),
        ("queue=support&lang=../../etc", "ja"),
        ("queue=support&lang=", "ja"),
    ],
)
async def test_the_caller_is_spoken_to_in_the_language_asked_for_or_the_queues_own(
    desk: Desk, query: str, spoken: str
) -> None:
    """Only in one that there are prompts in. The channel gets its own back."""
    caller = await desk.asked(query, agi_language="de")
    languages = [command for command in caller.commands if "CHANNEL(language)" in command]
    assert languages == [f'SET VARIABLE CHANNEL(language) "{spoken}"', 'SET VARIABLE CHANNEL(language) "de"']
    assert desk.promises()[0]["language"] == spoken


async def test_parameters_that_nobody_knows_change_nothing(desk: Desk) -> None:
    """Above all not the number, nor whose call it is: those are Asterisk's to say."""
    with capture_logs() as logs:
        caller = await desk.asked("queue=support&number=0312349999&call_id=x&state=cancelled")
    assert caller.variables["ORI_RESULT"] == "PROMISED"
    assert [promise["number"] for promise in desk.promises()] == [SHOWN]
    (line,) = [line for line in logs if "parameters" in line["event"]]
    assert line["names"] == ["call_id", "number", "state"]


async def test_a_strange_time_of_arrival_is_taken_for_now(desk: Desk) -> None:
    """And named in the log."""
    with capture_logs() as logs:
        await desk.asked("queue=support&since=yesterday")
    (promise,) = desk.promises()
    assert promise["since"] <= promise["made_at"]
    assert any("EPOCH" in line.get("reason", "") for line in logs)


async def test_no_number_and_no_key_gets_into_the_log(desk: Desk) -> None:
    """Masked, as everywhere."""
    caller = Caller({"use-this-number": ["2"], "enter-number": ["0312340099#"], "confirm-number": ["1"]})
    with capture_logs() as logs:
        await desk.asked(caller=caller)
    said = str(logs)
    assert "0901234****" in said
    assert not any(secret in said for secret in ("09012340001", "0312340099", "12340099"))


async def test_a_fault_of_ours_ends_that_call_alone_and_its_caller_goes_back(tmp_path: Path) -> None:
    """The dialplan is told, so that it does not take silence for success."""
    broken = Queue(name="support", language="ja", hours=object())  # type: ignore[arg-type]  # trips up the journey
    async with opened(tmp_path, broken, SALES) as desk:
        with capture_logs() as logs:
            first = await desk.asked("queue=support")
        second = await desk.asked("queue=sales")
    assert first.variables["ORI_RESULT"] == "UNAVAILABLE"
    assert second.variables["ORI_RESULT"] == "PROMISED"
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["a caller's journey failed"]
