"""The Makefile and its scripts: the list of targets, quiet when all is well, one message when Python does not serve."""

from __future__ import annotations

import re
import subprocess
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


@pytest.mark.parametrize(
    ("python", "said"),
    [("/no/such/python3", "There is no /no/such/python3 here"), ("false", "3.11 or newer is needed")],
    ids=["missing", "too old"],
)
def test_a_python_that_does_not_serve_is_one_message(tmp_path: Path, python: str, said: str) -> None:
    """And nothing was made."""
    done = run(".ci/virtualenv", python, str(tmp_path / "venv"))
    assert done.returncode == 2
    assert said in done.stderr
    assert "make PYTHON=" in done.stderr
    assert not (tmp_path / "venv").exists()


def test_a_step_is_silent_when_it_passes_and_shows_everything_when_it_fails() -> None:
    """With the exit code of the step."""
    assert run(".ci/quiet", "echo", "much").stdout == ""
    done = run(".ci/quiet", "sh", "-c", "echo this; echo that >&2; exit 7")
    assert done.returncode == 7
    assert done.stderr == "this\nthat\nsh: failed\n"
