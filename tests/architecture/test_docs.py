"""What is written for people is true: links lead somewhere, commands exist, tables are those of the code."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_origin

import pytest
from pydantic import BaseModel

from controller.cli import main
from controller.settings import Settings
from docs import lifecycle
from lab.__main__ import main as lab_main

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_SETTINGS = ROOT / "docker" / "controller" / "controller.toml"
DECISIONS = ROOT / "docs" / "decisions"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "asterisk-conf").rglob("*.md")])
BY_NAME = [pytest.param(page, id=str(page.relative_to(ROOT))) for page in PAGES]

FENCED = re.compile(r"^( *)```.*?^\1```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
CODE = re.compile(r"`([^`\n]+)`|^ {4}([^|\n]+)$", re.MULTILINE)
COMMAND = re.compile(r"(?:^|(?<!exec)\s|[(;])(controller|make|python -m lab)(?: ([a-z][a-z-]*))((?: [^\s#;&|]+)*)")
OPTION = re.compile(r"--[a-z][a-z-]*")
PATH = re.compile(r"(?:controller|lab|tests|docs|docker|asterisk-conf|bench)/[\w./-]*")
TEST_NAME = re.compile(r"\btest_\w+\b(?!\.py|\*)")
TEST_WITH_FILE = re.compile(r"`((?:tests/)?[a-z/]+/test_\w+\.py)`:((?:[ ,]*`test_\w+`)+)")


def text_of(page: Path) -> str:
    """Return a page's text."""
    return page.read_text("utf-8")


def slug(heading: str) -> str:
    """Return the anchor that GitHub gives a heading: lower case, blanks as hyphens, other signs dropped."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors_of(page: Path) -> set[str]:
    """Return every anchor of a page."""
    return {slug(heading) for heading in HEADING.findall(FENCED.sub("", text_of(page)))}


def prose_of(page: Path) -> str:
    """Return a page without what it shows as code."""
    return CODE.sub("", FENCED.sub("", text_of(page)))


def code_in(page: Path) -> list[str]:
    """Return what a page shows as code: between backticks on a line, and indented by four."""
    return ["".join(found) for found in CODE.findall(FENCED.sub("", text_of(page)))]


def commands_in(page: Path) -> set[tuple[str, str, tuple[str, ...]]]:
    """Return (program, subcommand, options) of every command line that a page shows."""
    return {
        (program, name, tuple(OPTION.findall(arguments)))
        for code in code_in(page)
        for program, name, arguments in COMMAND.findall(code)
    }


def help_of(command: str, capsys: pytest.CaptureFixture[str]) -> str | None:
    """Return the help of a subcommand of the controller; None when there is no such subcommand."""
    with pytest.raises(SystemExit) as left:
        main([command, "--help"], env={})
    said = capsys.readouterr().out
    return said if left.value.code == 0 else None


def fields(model: Any) -> dict[str, Any]:
    """Return the settings of one section by name; of a list of sections, those of one of them."""
    if get_args(model) and get_origin(model) is not dict:
        model = get_args(model)[0]
    is_section = isinstance(model, type) and issubclass(model, BaseModel)
    return {one.alias or name: one.annotation for name, one in model.model_fields.items()} if is_section else {}


def names_in(path: Path) -> set[str]:
    """Return the names of the tests in a file."""
    return set(re.findall(r"^(?:async )?def (test_\w+)\(", text_of(path), re.MULTILINE))


@pytest.mark.parametrize("page", BY_NAME)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    """To a file that is there, and to a heading that is in it."""
    broken = []
    for target in LINK.findall(prose_of(page)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        found = (page.parent / name).resolve() if name else page
        anchors = anchors_of(found) if anchor and found.exists() else set()
        if not found.exists() or (anchor and anchor not in anchors):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("page", BY_NAME)
def test_every_command_that_is_shown_can_be_run(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The subcommand exists, and so does each option that is shown with it."""
    targets = set(re.findall(r"^([a-z]+):.*## ", text_of(ROOT / "Makefile"), re.MULTILINE))
    unknown = []
    for program, name, options in commands_in(page):
        if program == "make":
            unknown += [] if name in targets else [f"make {name}"]
        elif program == "controller":
            said = help_of(name, capsys)
            unknown += [f"controller {name}"] if said is None else []
            unknown += [f"controller {name} {option}" for option in options if said and option not in said]
        else:
            with pytest.raises(SystemExit) as left:
                lab_main([name, "--help"])
            unknown += [] if left.value.code == 0 else [f"python -m lab {name}"]
    assert unknown == []


def test_the_readme_names_every_command_and_every_target_that_an_admin_needs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A command that nobody is told of does not exist."""
    with pytest.raises(SystemExit):
        main(["--help"], env={})
    there = set(re.findall(r"^ {4}([a-z]+)\s", capsys.readouterr().out, re.MULTILINE))
    shown = {(program, name) for program, name, _ in commands_in(ROOT / "README.md")}
    assert len(there) >= 6
    assert {("controller", name) for name in there} - shown == set()
    assert {("make", name) for name in ("demo", "test", "up", "doctor")} - shown == set()


@pytest.mark.parametrize("page", BY_NAME)
def test_every_path_that_is_named_is_there(page: Path) -> None:
    """Paths of the repository, as they stand in code; `*` and what is made later are let be."""
    made_later = re.compile(r"recordings/|voice/|OUT_DIR|<")
    named = {code for code in code_in(page) if PATH.fullmatch(code) and not made_later.search(code)}
    # docs/recovery.md and docs/invariants.md name tests by their place below tests/.
    assert {path for path in named if not any((base / path).exists() for base in (ROOT, ROOT / "tests"))} == set()


@pytest.mark.parametrize("page", BY_NAME)
def test_every_test_that_is_named_is_there(page: Path) -> None:
    """In the file that is named with it, where one is."""
    text = text_of(page)
    everywhere = {name for path in (ROOT / "tests").rglob("test_*.py") for name in names_in(path)}
    code = {name for found in code_in(page) for name in TEST_NAME.findall(found)} - {"test_"}
    files = {path.stem for path in (ROOT / "tests").rglob("test_*.py")}
    assert code - everywhere - files == set()
    for path, names in TEST_WITH_FILE.findall(text):
        file = ROOT / "tests" / path.removeprefix("tests/")
        assert set(TEST_NAME.findall(names)) - names_in(file) == set(), path


def test_the_promises_that_are_proven_name_their_tests() -> None:
    """All twenty-five stand there once, and only one that is not proven may go without a test."""
    rows = [line.strip("|").split(" | ") for line in text_of(ROOT / "docs" / "invariants.md").splitlines()]
    by_number = {int(row[0]): row for row in rows if row[0].strip().isdecimal()}
    assert sorted(by_number) == list(range(1, 26))
    for number, (_, _, today, shown) in by_number.items():
        assert today.startswith(("proven", "in part", "not yet")), number
        if today.startswith("proven"):
            assert TEST_NAME.search(shown), number


def test_the_page_of_the_lifecycle_is_the_one_that_the_code_draws() -> None:
    """Renew it: python -m docs.lifecycle > docs/lifecycle.md."""
    assert text_of(ROOT / "docs" / "lifecycle.md") == lifecycle.page()


def settings_shown(text: str) -> dict[str, Any]:
    """Return the default settings with every example in use: a line `#key = ...`, or `# key = ...`."""
    return tomllib.loads(re.sub(r"^# ?(?=\w+ = |\[)", "", text, flags=re.MULTILINE))


def tables_of(place: str, model: Any, value: Any) -> Iterator[tuple[str, set[str], set[str]]]:
    """Yield (place, keys that stand there, keys that may) of a section and of every section within.

    Of a section that stands there several times, what is in any of them counts.
    """
    known = fields(model)
    if not known:
        return
    tables = value if isinstance(value, list) else [value]
    yield place, set().union(*tables), set(known)
    for table in tables:
        for key in table:
            yield from tables_of(f"{place}.{key}", known.get(key), table[key])


def test_every_key_of_the_default_settings_is_known_and_every_setting_is_in_them() -> None:
    """What an admin reads there is all that there is. Waits by outcome, days and keys of menus are free to be named."""
    raw = settings_shown(text_of(DEFAULT_SETTINGS))
    known = fields(Settings)
    assert set(raw) == set(known) - {"secrets"}
    for section, value in raw.items():
        for place, there, wanted in tables_of(section, known[section], value):
            assert there == wanted, place


def test_every_setting_that_the_readme_names_exists() -> None:
    """A row names its section in brackets, then keys of it."""
    rows = re.findall(r"^\| `\[+([a-z_.]+)\]+ (.+?) \| ", text_of(ROOT / "README.md"), re.MULTILINE)
    assert len(rows) >= 8
    for section, keys in rows:
        known = fields(Settings)
        for part in section.split("."):
            known = fields(known[part])
        named = {key.strip("` ") for key in keys.split(",")}
        assert named - set(known) == set(), section


def test_every_dependency_has_its_reason_in_the_readme() -> None:
    """With those of the tests."""
    project = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    names = {re.split(r"[><=]", dependency)[0] for dependency in wanted}
    rows = re.findall(r"^\| (?:\*tests:\* )?([^|]+) \| [^|]+ \| [^|]+ \|$", text_of(ROOT / "README.md"), re.MULTILINE)
    assert names - {name.strip() for row in rows for name in row.split(",")} == set()


def test_the_decisions_are_numbered_without_a_gap_and_each_says_why() -> None:
    """And each is on the list."""
    pages = sorted(DECISIONS.glob("[0-9]*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    listed = LINK.findall(text_of(DECISIONS / "README.md"))
    assert listed == [page.name for page in pages]
    for page in pages:
        headings = HEADING.findall(text_of(page))
        assert headings[0].startswith(f"{int(page.name[:4])}. "), page.name
        assert headings[1:] == ["Context", "Decision", "Alternatives considered", "Consequences"], page.name
        assert 15 <= len(text_of(page).splitlines()) <= 35, page.name
