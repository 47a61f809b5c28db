"""Days of a whole call centre: nothing that must never happen does, and every day can be played again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parents[2]
SEEDS = (1, 2, 3, 4)
"""Worlds that are looked at each time, fifty days each. The command alone plays others: whatever is found there is
mended, and its day can be played again."""
DAYS = 50
LIMIT_S = 500
COMMON = (
    *("calls", "promises acknowledged", "calls to customers", "talks", "controller killed"),
    *("SMS", "replies acknowledged", "pages opened", "decided on a page"),
)
"""What happens on most days: a world in which it does not proves nothing."""


def command(*arguments: str, hash_seed: str = "0") -> str:
    """Run the command and return what it says on stdout."""
    ran = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "tests.simulation", *arguments],
        cwd=HERE,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert ran.stdout, ran.stderr
    return ran.stdout


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_that_must_never_happen_does(seed: int) -> None:
    """Whatever is killed, lost or set meanwhile; each day that fails is named with the command that plays it again."""
    said = json.loads(command("--days", str(DAYS), "--processes", "1", "--json", "--seed", str(seed)))
    assert said["found"] == []
    assert said["days"] == DAYS
    counts = said["counts"]
    for happens in COMMON:
        assert counts[happens] > DAYS / 2, happens


def test_a_day_can_be_played_again_word_for_word() -> None:
    """In another process, whatever names hash to there."""
    for day in ("0", "1", "2", "3"):
        first = command("--seed", "1", "--day", day)
        assert len(first.splitlines()) > 50
        assert command("--seed", "1", "--day", day, hash_seed="7") == first


def test_another_seed_is_another_world() -> None:
    """Else ten thousand days would be one."""
    assert command("--seed", "1", "--day", "0") != command("--seed", "2", "--day", "0")
