from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from controller.sms.log_gateway import LogGateway
from controller.system_clock import SystemClock
from lab.crash_points import Points, commit_name, points_in, request_name, wrap

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


def died(tmp_path: Path, *passed: str, only_changes: bool = False, third: int | None = None, nth: int = 1) -> str:
    """Have another process pass these points; return where it died, "" when it did not."""
    died_at = tmp_path / "died-at"
    before = points_in(died_at)
    child = os.fork()
    if child == 0:  # pragma: no cover - another process
        points = Points(died_at, only_changes=only_changes, third=third, nth=nth)
        for name in passed:
            points.pass_by(name)
        sys.stderr.flush()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    after = points_in(died_at)
    assert os.WIFSIGNALED(status) == (len(after) == len(before) + 1)
    assert not os.WIFSIGNALED(status) or os.WTERMSIG(status) == signal.SIGKILL
    return after[-1] if len(after) > len(before) else ""


def test_each_process_dies_at_the_first_point_at_which_none_has_died(tmp_path: Path) -> None:
    """By SIGKILL: no handler, no farewell. When all points have had theirs, it lives."""
    passed = ("before SMS", "before SMS", "after SMS")
    assert [died(tmp_path, *passed) for _ in range(3)] == ["before SMS", "after SMS", ""]


def test_a_process_may_pass_a_few_new_points_before_it_dies(tmp_path: Path) -> None:
    """So that it is not always the first passing."""
    assert died(tmp_path, "before SMS", "after SMS", "before SMS", nth=3) == "before SMS"
    assert died(tmp_path, "before SMS", "after SMS", nth=2) == ""


def test_what_only_asks_is_no_point_for_whoever_wants_changes(tmp_path: Path) -> None:
    """A question leaves nothing half done."""
    passed = ("before GET channels", "sent POST channels (agent)")
    assert died(tmp_path, *passed, only_changes=True) == "sent POST channels (agent)"
    assert died(tmp_path, *passed) == "before GET channels"


def test_each_point_is_in_one_of_three_thirds(tmp_path: Path) -> None:
    """Nobody dies at a point of another third, and no point is left out by all of them."""
    names = [f"after commit: {name}" for name in ("arrived", "make", "take_due", "record", "change", "advance")]
    seen = []
    for third in range(3):
        (folder := tmp_path / str(third)).mkdir()
        while point := died(folder, *names, third=third):
            seen.append((third, point))
    assert sorted(point for _, point in seen) == sorted(names)
    assert len({third for third, _ in seen}) > 1


def test_without_a_file_nobody_dies() -> None:
    """A controller with another clock is run by the same program."""
    Points(None).pass_by("before SMS")


@pytest.mark.parametrize("nth", [1, 2])
def test_an_sms_has_a_point_before_and_after_it_is_handed_over(tmp_path: Path, nth: int) -> None:
    """Whichever gateway it is: the point is at the end that all have in common."""
    died_at, out = tmp_path / "died-at", tmp_path / "sms.jsonl"
    child = os.fork()
    if child == 0:  # pragma: no cover - another process
        wrap(Points(died_at, nth=nth))
        gateway = LogGateway(out, clock=SystemClock())
        asyncio.run(gateway.send(key="p1:gave_up", sender="", number="+819012345678", text="..."))
        os._exit(0)
    os.waitpid(child, 0)
    assert points_in(died_at) == [("before SMS", "after SMS")[nth - 1]]
    assert out.exists() == (nth == 2)
