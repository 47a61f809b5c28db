from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from lab.crash_points import Points, commit_name, request_name

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("method", "uri", "query", "name"),
    [
        ("POST", "channels/customer-ab12", {"endpoint": "PJSIP/09012345678@carrier"}, "POST channels (customer)"),
        ("POST", "channels/agent-ab12", {"endpoint": "PJSIP/agent-1"}, "POST channels (agent)"),
        ("POST", "channels/1795348736.0/answer", None, "POST channels/*/answer"),
        ("POST", "bridges/talk-1/addChannel", {"channel": "x"}, "POST bridges/*/addChannel"),
        ("GET", "channels", None, "GET channels"),
    ],
)
def test_a_request_has_the_name_of_its_kind(method: str, uri: str, query: dict[str, str] | None, name: str) -> None:
    """Ids are stars, and whom a call is placed to is told."""
    assert request_name(method, uri, query) == name


class _Book:
    async def open_attempt(self) -> object:
        async def work() -> None:
            pass

        return work


async def test_a_commit_has_the_name_of_the_method_that_it_is_in() -> None:
    """Not of the function inside it, which is called work everywhere."""
    work = await _Book().open_attempt()
    assert callable(work)
    assert commit_name(work) == "open_attempt"


def test_the_points_that_are_passed_are_written_down(tmp_path: Path) -> None:
    """In their order, each time."""
    record = tmp_path / "points"
    points = Points(record=record, at="", nth=1)
    for name in ("before SMS", "after SMS", "before SMS"):
        points.pass_by(name)
    assert record.read_text("utf-8").splitlines() == ["before SMS", "after SMS", "before SMS"]


def test_the_process_dies_at_the_passing_that_was_asked_for(tmp_path: Path) -> None:
    """By SIGKILL: no handler, no farewell."""
    record = tmp_path / "points"
    child = os.fork()
    if child == 0:  # pragma: no cover - another process
        points = Points(record=record, at="before SMS", nth=2)
        for _ in range(5):
            points.pass_by("before SMS")
        sys.stderr.flush()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert len(record.read_text("utf-8").splitlines()) == 2
