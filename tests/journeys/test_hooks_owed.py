"""Every change owes a webhook: each story of the sweeps, with a hook that wants to hear of everything."""

from __future__ import annotations

import json
import logging
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from controller.domain.hook_events import TYPES
from controller.ports.hooks import HookWish
from tests.journeys.conftest import IN_MEMORY
from tests.journeys.repertoire import JOURNEYS
from tests.journeys.swept import LASTS_S
from tests.journeys.theatre import Theatre

if TYPE_CHECKING:
    from collections.abc import Iterator

ALL = HookWish("all", "https://crm.example.jp/in", ("*",), with_numbers=True)


@pytest.fixture(scope="module")
def hooked() -> Iterator[Theatre]:
    """Open a theatre whose house has a hook."""
    told = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with tempfile.TemporaryDirectory(dir=IN_MEMORY if IN_MEMORY.is_dir() else None) as folder:
        opened = Theatre(Path(folder), hooks=(ALL,))
        yield opened
        opened.close()
    structlog.configure(**told)


def told_in(theatre: Theatre) -> list[dict[str, Any]]:
    """Return what the hook is owed, in its order."""
    return [json.loads(body) for (body,) in theatre.sql("SELECT body FROM hook_deliveries ORDER BY id")]


def steps_in(theatre: Theatre) -> Counter[tuple[str, str]]:
    """Return the steps of calls that the record knows of."""
    columns = {"arrived": "arrived_at", "joined": "joined_at", "answered": "answered_at", "ended": "ended_at"}
    found: Counter[tuple[str, str]] = Counter()
    for step, column in columns.items():
        ids = theatre.sql(f"SELECT id FROM calls WHERE {column} IS NOT NULL")  # noqa: S608 - names of ours
        found.update((f"call.{step}", row[0]) for row in ids)
    return found


@pytest.mark.parametrize("name", JOURNEYS)
def test_whatever_is_written_down_is_told_once(hooked: Theatre, name: str) -> None:
    """Each entry of a promise's history, each step of a call, each SMS: no more and no less, the last word last."""
    scene = JOURNEYS[name].play(hooked)
    scene.pass_s(LASTS_S)
    told = told_in(hooked)
    scene.close()
    assert {one["type"] for one in told} <= set(TYPES)
    assert len({one["id"] for one in told}) == len(told)

    history = hooked.sql("SELECT promise_id, seq FROM promise_events")
    promises = [one["data"] for one in told if one["type"].startswith("promise.")]
    assert Counter((one["id"], one["version"]) for one in promises) == Counter(map(tuple, history))
    assert {one["id"]: one["state"] for one in promises} == dict(hooked.sql("SELECT id, state FROM promises"))

    steps = Counter((one["type"], one["data"]["id"]) for one in told if one["type"].startswith("call."))
    # Who is sent on to another queue comes to two.
    assert set(steps) == set(steps_in(hooked))
    assert all(count == 1 for (kind, _), count in steps.items() if kind != "call.joined")

    texts = [one["data"]["id"] for one in told if one["type"] == "sms.queued"]
    assert texts == [row[0] for row in hooked.sql("SELECT id FROM sms_outbox ORDER BY id")]
