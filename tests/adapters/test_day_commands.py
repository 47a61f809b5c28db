"""`controller figures` and `controller staffing`: a day of the database as tables, CSV and JSON."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import TYPE_CHECKING

import pytest

from controller.domain.agents import AgentState
from controller.domain.call_ending import Ending
from controller.domain.csv_text import BYTE_ORDER_MARK
from controller.domain.figure_rows import AGENT_COLUMNS, COLUMNS, Language, agent_headings, headings
from controller.domain.line import WaiterKind
from controller.figures_table import GROUPS
from controller.ports.agent_spans import SpanRecord
from controller.settings.first_file import DEFAULT_TEMPLATE
from controller.text_table import width
from tests.adapters.command_line import CommandLine
from tests.contract.store_under_test import HandClock, store_at

if TYPE_CHECKING:
    from pathlib import Path

    from controller.store import Store

NINE = datetime(2026, 11, 20, 0, 0, tzinfo=UTC)
"""Nine in the morning in Tokyo."""
DAY = ("--day", "2026-11-20")


@pytest.fixture
def controller(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """Return the command line."""
    return CommandLine(capsys)


def at(seconds: float) -> datetime:
    """Return the instant so many seconds after nine."""
    return NINE + timedelta(seconds=seconds)


async def called(store: Store, nth: int, at_s: float, *, queue: str = "support", answered: bool = True) -> None:
    """Record a call that was answered after 10 s, for 100 s and 20 s of wrap-up; or given up after 30 s."""
    call_id = f"{queue}-{nth}"
    await store.calls.arrived(call_id, dialled="0312345678", number=None, arrived_at=at(at_s))
    await store.calls.joined(call_id, queue=queue, joined_at=at(at_s))
    if not answered:
        await store.calls.ended(call_id, ending=Ending.ABANDONED, ended_at=at(at_s + 30))
        return
    await store.calls.answered(call_id, agent="agent-1", answered_at=at(at_s + 10))
    await store.calls.ended(call_id, ending=Ending.SERVED, ended_at=at(at_s + 110))
    of_whom = {"queue": queue, "waiter_id": call_id, "kind": WaiterKind.LIVE, "queues": frozenset({"support"})}
    await store.agent_spans.record(
        [
            SpanRecord("agent-1", AgentState.ON_CALL, at(at_s + 10), at(at_s + 110), **of_whom),  # type: ignore[arg-type]
            SpanRecord("agent-1", AgentState.WRAP_UP, at(at_s + 110), at(at_s + 130), **of_whom),  # type: ignore[arg-type]
        ]
    )


@pytest.fixture
async def settings(tmp_path: Path) -> Path:
    """Return the default settings beside a database with a morning: eight calls from nine, two from eleven."""
    path = tmp_path / "controller.toml"
    path.write_text(DEFAULT_TEMPLATE.read_text("utf-8"), "utf-8")
    async with store_at(f"sqlite+aiosqlite:///{tmp_path}/orikaeshi.db", HandClock()) as store:
        for nth in range(8):
            await called(store, nth, 200 * nth, answered=nth < 6)
        for nth in (8, 9):
            await called(store, nth, 7200 + 200 * (nth - 8))
        await called(store, 1, 9000, queue="of an older file")
    return path


def lines(out: str, title: str) -> list[list[str]]:
    """Return the rows of the block that is headed so, cut at two blanks."""
    block = next(block for block in out.split("\n\n") if re.sub(r"\s+", " ", block).startswith(title))
    return [re.split(r"\s{2,}", line.strip()) for line in block.splitlines()]


def test_every_figure_stands_in_one_group_and_is_chosen_from_it() -> None:
    """A figure that is added must not be missing on the screen."""
    keys = [key for group in GROUPS for key in group.keys]
    assert sorted(keys) == sorted(column.key for column in COLUMNS)
    assert all(set(group.chosen) <= set(group.keys) for group in GROUPS)


def test_a_day_is_shown_by_queue_with_all_of_them_last(controller: CommandLine, settings: Path) -> None:
    """A line for each figure. A queue that was taken out of the settings is shown too; what is not known is a dash."""
    said = controller("figures", *DAY, "--settings", settings)
    assert said.code == 0
    calls = lines(said.out, "Calls")
    assert calls[0] == ["Calls", "support", "of an older file", "All queues"]
    assert ["Calls offered", "10", "1", "11"] in calls
    assert ["Abandoned", "2", "0", "2"] in calls
    assert ["Answer rate (%)", "80.0", "100.0", "81.8"] in lines(said.out, "Answering")
    assert ["AHT (s)", "120.0", "120.0", "120.0"] in lines(said.out, "Agents")
    assert ["Promise-kept rate (%)", "-", "-", "-"] in lines(said.out, "Callbacks")


def test_the_headings_are_japanese_for_those_who_want_it_so(controller: CommandLine, settings: Path) -> None:
    """The columns stand in line all the same."""
    said = controller("figures", *DAY, "--language", "ja", "--settings", settings)
    assert ["着信呼数", "10", "1", "11"] in lines(said.out, "着信")
    assert ["応答率(%)", "80.0", "100.0", "81.8"] in lines(said.out, "応答")
    first, second = said.out.splitlines()[2:4]
    assert width(first[: first.index("11")]) == width(second[: second.index("11")])


def test_intervals_in_which_nothing_was_are_left_out_and_the_others_have_what_matters(
    controller: CommandLine, settings: Path
) -> None:
    """A table for each group, of what fits into a window."""
    said = controller("figures", *DAY, "--by", "interval", "--queue", "support", "--settings", settings)
    rows = lines(said.out, "From Calls offered")
    assert rows[0] == [
        "From",
        "Calls offered",
        "Answered",
        "Abandoned",
        "Left a number",
        "Sent elsewhere",
        "When closed",
    ]
    assert [row[:4] for row in rows[2:]] == [["09:00", "8", "6", "2"], ["11:00", "2", "2", "0"]]
    assert max(map(len, said.out.splitlines())) < 120
    quarters = controller(
        "figures", *DAY, "--by", "interval", "--interval", "15m", "--settings", settings, "--json"
    ).data
    assert len(quarters["rows"]) == 96
    assert sum(row["offered"] for row in quarters["rows"]) == 11


def test_each_queue_can_be_cut_into_intervals_too(controller: CommandLine, settings: Path) -> None:
    """The rows say which queue they are of."""
    said = controller("figures", *DAY, "--interval", "30m", "--settings", settings)
    rows = lines(said.out, "From Queue")
    assert [row[:3] for row in rows[2:]] == [
        ["09:00", "support", "8"],
        ["11:00", "support", "2"],
        ["11:30", "of an older file", "1"],
        ["09:00", "All queues", "8"],
        ["11:00", "All queues", "2"],
        ["11:30", "All queues", "1"],
    ]


def test_csv_has_every_column_of_every_interval_and_opens_in_a_spreadsheet(
    controller: CommandLine, settings: Path
) -> None:
    """With the byte order mark, and lines that end as RFC 4180 has it."""
    said = controller(
        *("figures", *DAY, "--by", "interval", "--interval", "30m", "--csv", "--language", "ja"),
        *("--queue", "support", "--settings", settings),
    )
    assert said.out.startswith(BYTE_ORDER_MARK)
    rows = list(csv.reader(StringIO(said.out.removeprefix(BYTE_ORDER_MARK), newline="")))
    assert rows[0] == headings(Language.JA)
    assert len(rows) == 1 + 48
    assert rows[19][:4] == ["2026-11-20T09:00+09:00", "2026-11-20T09:30+09:00", "support", "8"]
    assert said.out.endswith("\r\n")
    assert not said.out.endswith("\r\n\r\n")


def test_agents_are_shown_with_their_talks_and_their_time(controller: CommandLine, settings: Path) -> None:
    """As a table, as CSV and for a program."""
    said = controller("figures", *DAY, "--by", "agent", "--settings", settings)
    title, _, row = [re.split(r"\s{2,}", line.strip()) for line in said.out.splitlines()]
    assert title == agent_headings(Language.EN)
    assert row == ["agent-1", "9", "0", "100.0", "20.0", "120.0", "1080.0", "100.0", "100.0"]
    (agent,) = controller("figures", *DAY, "--by", "agent", "--json", "--settings", settings).data["rows"]
    assert set(agent) == {"agent", *(column.key for column in AGENT_COLUMNS)}
    as_csv = controller("figures", *DAY, "--by", "agent", "--csv", "--settings", settings).out
    assert as_csv.splitlines()[1].startswith("agent-1,9,0,100.0")
    of_nobody = controller("figures", "--day", "2026-11-19", "--by", "agent", "--settings", settings)
    assert of_nobody.out == "no agents\n"


def test_a_program_gets_every_figure_by_its_key(controller: CommandLine, settings: Path) -> None:
    """The numbers are those of the table; None where there is nothing to tell."""
    data = controller("figures", *DAY, "--json", "--settings", settings).data
    assert (data["day"], data["time_zone"]) == ("2026-11-20", "Asia/Tokyo")
    assert [row["queue"] for row in data["rows"]] == ["support", "of an older file", None]
    first = data["rows"][0]
    assert set(first) == {"queue", "since", "until", *(column.key for column in COLUMNS)}
    assert (first["since"], first["until"]) == ("2026-11-19T15:00:00+00:00", "2026-11-20T15:00:00+00:00")
    assert (first["offered"], first["asa_s"], first["kept_percent"]) == (10, 10.0, None)


def test_a_queue_is_counted_by_its_own_settings(controller: CommandLine, settings: Path) -> None:
    """The target time of the queue is not that of the house."""
    text = settings.read_text("utf-8").replace(
        "\n[queues.retry", "\n[queues.figures]\nanswer_within_s = 5\n\n[queues.retry"
    )
    settings.write_text(text, "utf-8")
    rows = controller("figures", *DAY, "--json", "--settings", settings).data["rows"]
    assert [row["service_level_percent"] for row in rows] == [0.0, 100.0, 81.8]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("figures", "--queue", "suport"), "There is no queue 'suport'; there are: support."),
        (("figures", "--csv", "--json"), "choose one"),
        (("figures", "--by", "agent", "--interval", "30m"), "of the whole day"),
        (("figures", "--day", "23.11.2026"), "is no day; write it as 2026-11-23"),
        (("staffing", "--queue", "suport"), "There is no queue 'suport'"),
        (("staffing", "--queue", "support", "--aht", "0"), "is no length in seconds"),
        (("staffing", "--queue", "support", "--aht", "inf"), "is no length in seconds"),
    ],
)
def test_what_cannot_be_shown_is_told_with_what_can(
    controller: CommandLine, settings: Path, words: tuple[str, ...], said: str
) -> None:
    """As wrong usage."""
    refused = controller(*words, "--settings", settings)
    assert refused.code == 2
    assert said in refused.out + refused.err


def test_the_agents_that_a_day_wanted_are_shown_as_numbers_and_bars(controller: CommandLine, settings: Path) -> None:
    """From the first interval with a call to the last; 8 calls x 120 s in half an hour are 0.53 erlangs."""
    said = controller("staffing", *DAY, "--queue", "support", "--settings", settings)
    assert said.code == 0
    rows = [re.split(r"\s{2,}", line.strip()) for line in said.out.splitlines()]
    assert rows[0] == ["From", "Calls", "Erlangs", "Agents", "On the roster", "Service level", "Give up", "Occupancy"]
    assert rows[2][:5] == ["09:00", "8", "0.53", "2", "2"]
    assert rows[2][-1] == "██"
    assert [row[0] for row in rows[2:7]] == ["09:00", "09:30", "10:00", "10:30", "11:00"]
    assert rows[3][1:4] == ["0", "0.00", "0"]
    assert said.out.splitlines()[-1] == "A call takes 120 s. Erlang A: callers hold 70 s on average."


def test_the_plan_follows_target_patience_roster_and_handle_time(controller: CommandLine, settings: Path) -> None:
    """What is said on the command line, or in the settings, goes before what the day shows."""
    text = settings.read_text("utf-8").replace("shrinkage = 0  ", "shrinkage = 0.5\npatience_s = 600\nasa_s = 1 #")
    settings.write_text(text, "utf-8")
    said = controller("staffing", *DAY, "--queue", "support", "--aht", "600", "--settings", settings, "--json").data
    assert (said["aht_s"], said["patience_s"]) == (600.0, 600.0)
    first = said["rows"][0]
    assert (first["calls"], first["erlangs"]) == (8, 2.67)
    assert first["agents"] > 4
    assert first["rostered"] == 2 * first["agents"]
    assert first["service_level_percent"] >= 80


def test_without_talks_nothing_can_be_planned_unless_their_length_is_said(
    controller: CommandLine, settings: Path
) -> None:
    """Nor is there anything to plan without calls."""
    empty = ("staffing", "--day", "2026-11-19", "--queue", "support", "--settings", settings)
    refused = controller(*empty)
    assert (refused.code, "--aht SECONDS" in refused.err) == (2, True)
    assert controller(*empty, "--aht", "100").out == "no calls for support on 2026-11-19\n"
