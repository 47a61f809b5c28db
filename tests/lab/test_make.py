"""The Makefile and its scripts: the list of targets, quiet when all is well, one message when Python does not serve."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the repository."""
    return subprocess.run(  # noqa: S603 - fixed words
        command, cwd=REPOSITORY, capture_output=True, text=True, check=False
    )


def test_make_alone_lists_every_target() -> None:
    """What is not listed is not found."""
    makefile = (REPOSITORY / "Makefile").read_text("utf-8")
    (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    listed = [line.split()[0] for line in run("make", "--no-print-directory").stdout.splitlines()]
    assert sorted(listed) == sorted(phony.split())


# Python in all but its number: no older one is at hand.
OLD = """#!/bin/sh
case $1 in
-V) echo Python 3.10.0 ;;
-c) exec "{python}" -c "import sys; sys.version_info = (3, 10); $2" ;;
esac
"""


@pytest.mark.parametrize(
    ("is_there", "said"),
    [(False, "There is no {python} here"), (True, "{python} is Python 3.10.0, and 3.11 or newer is needed")],
    ids=["missing", "too old"],
)
def test_a_python_that_does_not_serve_is_one_message(tmp_path: Path, said: str, *, is_there: bool) -> None:
    """And nothing was made."""
    python = tmp_path / "python3"
    if is_there:
        python.write_text(OLD.format(python=sys.executable), "utf-8")
        python.chmod(0o755)
    done = run(".ci/virtualenv", str(python), str(tmp_path / "venv"))
    assert done.returncode == 2
    assert said.format(python=python) in done.stderr
    assert "make PYTHON=" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "venv").exists()


def test_a_step_is_silent_when_it_passes_and_shows_everything_when_it_fails() -> None:
    """With the exit code of the step."""
    assert run(".ci/quiet", "echo", "much").stdout == ""
    done = run(".ci/quiet", "sh", "-c", "echo this; echo that >&2; exit 7")
    assert done.returncode == 7
    assert done.stderr == "this\nthat\nsh: failed\n"
