from __future__ import annotations

import os
import subprocess
import sys

import pytest

from bench.cpu import tree_of, used_by

BURNS = "import time\nwhile time.process_time() < 0.2: pass\nprint('done', flush=True)\ninput()"


def test_what_a_child_uses_counts_while_it_lives_and_after() -> None:
    """It burns a fifth of a second of processor time, then waits."""
    before_s = used_by(os.getpid()).cpu_s
    with subprocess.Popen(  # noqa: S603 - our own Python
        [sys.executable, "-c", BURNS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert child.pid in tree_of(os.getpid())
        assert used_by(child.pid).cpu_s >= 0.19
        living_s = used_by(os.getpid()).cpu_s
        assert living_s - before_s >= 0.19
        child.communicate("\n")
    assert used_by(os.getpid()).cpu_s >= living_s - 0.02


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
