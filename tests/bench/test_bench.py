from __future__ import annotations

import importlib
import inspect
import json
from typing import TYPE_CHECKING

import pytest

from bench.__main__ import MEASUREMENTS, TABLE_BEGINS, TABLE_ENDS, TornPageError, main, run_all, with_table
from bench.machine import this_machine
from bench.results import Options, Row
from lab.pbx import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

ROW = Row("hand-over", "p50, 500 waiting", "ms", 4.0, 600.0, "app_queue", goal=5.0)
OURS = {"failing": "tests.bench.failing_measurement"}


@pytest.mark.parametrize("name", MEASUREMENTS)
def test_every_measurement_is_there_under_its_name(name: str) -> None:
    """And says in its docstring what is measured."""
    module = importlib.import_module(MEASUREMENTS[name])
    assert name == module.NAME
    assert inspect.iscoroutinefunction(module.measure)
    assert len(inspect.getdoc(module) or "") > 200


async def test_a_measurement_that_fails_is_named_and_the_others_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    """What it died of is on stderr."""
    told: list[str] = []
    assert await run_all({**OURS, "again": OURS["failing"]}, Options(), told.append) == ([], ["failing", "again"])
    assert "the PBX is on fire" in capsys.readouterr().err
    rows, failed = await run_all(OURS, Options(quick=True), told.append)
    assert ([row.ratio for row in rows], failed) == ([300.0], [])
    assert told[-2:] == ["failing: begins", "failing: looks"]


def test_the_table_takes_the_place_of_the_last_one() -> None:
    """The text around it stays."""
    page = f"# Performance\n\n{TABLE_BEGINS}\n\nold\n\n{TABLE_ENDS}\n\nAfter.\n"
    once = with_table(page, [ROW], "a machine")
    assert "old" not in once
    assert once.startswith("# Performance\n\n")
    assert once.endswith("\n\nAfter.\n")
    assert "a machine" in once
    assert "| hand-over | p50, 500 waiting | ms | 4 | 600 | app_queue | 150.00 | 5 | yes |" in once
    assert with_table(once, [ROW], "a machine") == once


@pytest.mark.parametrize("page", ["", TABLE_BEGINS, f"{TABLE_ENDS}\n{TABLE_BEGINS}"])
def test_a_page_without_a_place_for_the_table_is_left_alone(page: str) -> None:
    """Half a place is none."""
    with pytest.raises(TornPageError, match="needs the lines"):
        with_table(page, [ROW], "a machine")


def test_the_page_of_the_documents_has_a_place_for_the_table() -> None:
    """The command that its help names works."""
    page = (REPOSITORY / "docs" / "performance.md").read_text("utf-8")
    assert "| hand-over |" in with_table(page, [ROW], "a machine")


def test_a_page_that_cannot_be_written_is_told_before_anything_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Half an hour later would be too late."""
    assert main(["--only", "hand-over", "--markdown", str(tmp_path / "none.md")]) == 2
    assert "none.md" in capsys.readouterr().err


def test_the_json_has_the_machine_and_every_row_with_its_ratio() -> None:
    """As other programs read it."""
    assert json.loads(json.dumps(ROW.as_data()))["ratio"] == 150.0
    assert "Python" in this_machine()
