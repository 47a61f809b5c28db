from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.cpu import used_by

ROOT = Path(__file__).parents[2]
BURNS = "import time\nwhile time.process_time() < 0.2: pass\nprint('done', flush=True)\ninput()"
PARENT = """
import os, subprocess, sys
from bench.cpu import tree_of, used_by
before_s = used_by(os.getpid()).cpu_s
with subprocess.Popen(
    [sys.executable, "-c", sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
) as child:
    child.stdout.readline()
    print(child.pid in tree_of(os.getpid()), before_s, used_by(child.pid).cpu_s, used_by(os.getpid()).cpu_s)
    child.communicate("\\n")
print(used_by(os.getpid()).cpu_s)
"""


def test_what_a_child_uses_counts_while_it_lives_and_after() -> None:
    """It burns a fifth of a second of processor time, then waits. Its parent is new, and has no other child."""
    ran = subprocess.run(  # noqa: S603 - our own Python
        [sys.executable, "-c", PARENT, BURNS], cwd=ROOT, capture_output=True, text=True, check=True
    )
    is_there, *figures = ran.stdout.split()
    before_s, child_s, living_s, after_s = map(float, figures)
    assert is_there == "True"
    assert child_s >= 0.19
    assert living_s - before_s >= 0.19
    assert after_s >= living_s - 0.02


def test_memory_is_told_when_it_is_asked_for() -> None:
    """It costs milliseconds, so not otherwise."""
    assert used_by(os.getpid()).pss_kb == 0
    assert used_by(os.getpid(), memory=True).pss_kb > 1000


def test_a_process_that_is_not_there_is_told() -> None:
    """Instead of a figure of nothing."""
    with subprocess.Popen(["/bin/true"]) as gone:
        gone.wait()
    with pytest.raises(ProcessLookupError):
        used_by(gone.pid)
