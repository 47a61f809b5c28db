"""The house rules that a machine can check: who imports whom, shared names, unfinished work, the length of a file."""

from __future__ import annotations

import ast
import csv
import re
import subprocess
import sys
from pathlib import Path

import pytest

from controller.asterisk import names
from controller.journeys import prompts

ROOT = Path(__file__).resolve().parents[2]
CONF = ROOT / "asterisk-conf"
LONGEST_FILE = 300
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|NotImplementedError")
PROVES_NOTHING = re.compile(
    r"\b(TODO|FIXME)\b|unittest\.mock|mock\.patch|mark\.skip|pytest\.skip\(|importorskip|time\.sleep\("
)
CLOCK = "controller/system_clock.py"
"""The one file that may ask for the time."""


def sources(*folders: str) -> list[Path]:
    """Return every Python file of ours in these folders."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def called(path: Path) -> set[str]:
    """Return the dotted name of everything that a file calls."""
    tree = ast.parse(path.read_text("utf-8"), path.name)
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


def test_nobody_imports_what_stands_above_or_beside_them() -> None:
    """The contracts in pyproject.toml, as import-linter reads them.

    In a process of its own: it silences every logger that exists when it starts.
    """
    lint = Path(sys.executable).with_name("lint-imports")
    ran = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert re.search(r"Contracts: ([1-9]\d*) kept, 0 broken", ran.stdout)


def test_every_prompt_that_is_played_is_in_the_catalogue_in_every_language() -> None:
    """A missing one would be heard as the wrong language, or as nothing."""
    with (CONF / "prompts" / "catalogue.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    languages = set(rows[0]) - {"id"}
    assert {"en", "ja"} <= languages
    spoken = {row["id"]: row for row in rows}
    assert set(prompts.ALL) - set(spoken) == set()
    silent = {
        (prompt, language) for prompt in prompts.ALL for language in languages if not spoken[prompt][language].strip()
    }
    assert silent == set()


def test_every_channel_variable_comes_with_every_event() -> None:
    """Recovery reads them from events and lists, and looks nowhere else."""
    ours = {value for name, value in vars(names).items() if name.isupper() and str(value).startswith("ORI_")}
    assert len(ours) >= 10
    line = re.search(r"^channelvars\s*=\s*(.+)$", (CONF / "ari.conf").read_text("utf-8"), re.MULTILINE)
    assert line is not None
    assert ours - {name.strip() for name in line[1].split(",")} == set()


def test_the_dialplan_has_every_context_into_which_calls_are_placed() -> None:
    """With the extension that the controller names, and the argument by which a caller is known."""
    dialplan = (CONF / "extensions.conf").read_text("utf-8")
    for context in (names.AGENT_CONTEXT, names.CUSTOMER_CONTEXT, names.EXTERNAL_CONTEXT):
        found = re.search(rf"^\[{re.escape(context)}\]\n(.*?)(?=^\[|\Z)", dialplan, re.MULTILINE | re.DOTALL)
        assert found is not None, f"there is no [{context}]"
        assert re.search(rf"^exten => {names.EXTENSION},1,", found[1], re.MULTILINE)
    assert re.search(rf"Stasis\([a-z]+,{names.INBOUND},", dialplan)


@pytest.mark.parametrize("path", sources("controller", "lab"), ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_left_unfinished(path: Path) -> None:
    """No note to do something later, and no stub."""
    found = [
        f"line {number}: {line.strip()}"
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if UNFINISHED.search(line)
    ]
    assert found == []


def test_no_test_is_skipped_mocked_or_left_for_later() -> None:
    """A test that does not run proves nothing; this file only names what it looks for."""
    others = [path for path in sources("tests") if path != Path(__file__)]
    guilty = [path for path in others if PROVES_NOTHING.search(path.read_text("utf-8"))]
    assert guilty == []


@pytest.mark.parametrize("folder", ["controller", "lab", "tests", "asterisk-conf", "bench"])
def test_no_file_is_too_long_to_be_read_at_once(folder: str) -> None:
    """About three hundred lines; there is no exception."""
    lengths = {str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in sources(folder)}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


def test_only_the_clock_asks_for_the_time() -> None:
    """Everybody else is handed it, so that a test can say what time it is."""
    forbidden = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time"}
    asking = {str(path.relative_to(ROOT)) for path in sources("controller") if called(path) & forbidden}
    assert asking == {CLOCK}


def test_no_file_hides_behind_a_name_that_says_nothing() -> None:
    """What a file is called is what is in it."""
    vague = {"utils", "util", "helpers", "helper", "manager", "base", "common", "misc"}
    assert [path for path in sources("controller", "lab", "tests") if path.stem in vague] == []
