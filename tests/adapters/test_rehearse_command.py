"""The command `controller rehearse`: what it prints, its options, and its exit codes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from controller.settings.first_file import DEFAULT_TEMPLATE
from tests.adapters.command_line import CommandLine

MENUS_PAGE = Path(__file__).parents[2] / "docs" / "menus.md"
IN_ORDER = (Path(__file__).parent / "settings_in_order.toml").read_text("utf-8")


@pytest.fixture
def controller(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """Give the command line."""
    return CommandLine(capsys)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Give a settings file in order."""
    path = tmp_path / "controller.toml"
    path.write_text(IN_ORDER, encoding="utf-8")
    return path


def test_the_command_tells_moment_trees_prompts_and_what_to_look_at(controller: CommandLine, file: Path) -> None:
    """Exit code 0: nothing of it is a mistake for sure."""
    said = controller("rehearse", file, "--at", "2026-12-31T20:00")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith(
        f"{file}, as of Thu 2026-12-31 20:00 (Asia/Tokyo)\n\nentrance front: 0120-123-456 (ja)\n"
    )
    assert "\nentrance support: 03-1234-5678 (ja)\n" in said.out
    assert "\n  ja: goodbye, max-wait, menu-main, welcome\n" in said.out
    assert "\nTo look at (4):\n" in said.out
    assert controller("rehearse", "--settings", file, "--at", "2026-12-31T20:00").out == said.out


def test_the_command_gives_json_to_a_program(controller: CommandLine, file: Path) -> None:
    """Trees, prompts and concerns apart; or the one path."""
    data = controller("rehearse", file, "--json", "--at", "2026-11-30T10:00+00:00").data
    assert data["at"] == "2026-11-30T19:00:00+09:00"
    menu = data["entrances"][0]["after"][0]
    assert (menu["what"], [step["how"] for step in menu["after"]][:3]) == ("menu main", ["1", "2", "3"])
    assert {"prompt": "menu-main", "language": "en", "first_played_at": 'menu "main"'} in data["prompts"]
    assert {"worry": "nothing leads here", "text": 'menu "more"'} in data["concerns"]
    path = controller("rehearse", file, "--json", "--entrance", "0312345678").data
    assert [tree["what"] for tree in path["entrances"]] == ["entrance support: 03-1234-5678 (ja)"]
    walked = controller("rehearse", file, "--json", "--press", "84").data["path"]
    assert [step["what"] for step in walked][2:] == ["menu main in en", "is connected with 03-9876-5432"]


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (["--press", "2,x"], 2, "'x' is no key: write 0 to 9, * and #, and - for none"),
        (["--at", "tomorrow"], 2, "'tomorrow' is no time: write it as 2026-12-31T20:00"),
        (["--entrance", "back"], 1, 'there is no entrance "back"; there are: front, support'),
        (["--catalogue", "nowhere.tsv"], 1, "nowhere.tsv: No such file or directory"),
    ],
)
def test_what_cannot_be_rehearsed_is_one_clear_line(
    controller: CommandLine, file: Path, words: list[str], code: int, why: str
) -> None:
    """Wrong usage is exit code 2, as everywhere."""
    said = controller("rehearse", file, *words)
    assert said.code == code
    assert said.err.splitlines()[-1].endswith(why)


def test_mistakes_in_the_settings_come_before_any_rehearsal(controller: CommandLine, file: Path) -> None:
    """As `controller check` tells them."""
    file.write_text(IN_ORDER.replace('1 = { queue = "support" }', '1 = { queue = "suport" }'), "utf-8")
    said = controller("rehearse", file, "--json")
    assert said.code == 2
    assert json.loads(said.out)["mistakes"][0]["key"] == "menus.main.keys.1"


def test_the_settings_that_are_shipped_leave_nothing_to_look_at(controller: CommandLine) -> None:
    """An admin begins with a clean sheet."""
    assert controller("rehearse", DEFAULT_TEMPLATE).out.endswith("\nNothing to look at.\n")


def test_the_page_on_menus_shows_what_its_example_gives(controller: CommandLine, tmp_path: Path) -> None:
    """The tree, what to look at, and the path; made of the settings on the page, put into the default ones."""
    page = MENUS_PAGE.read_text("utf-8")
    (example,) = re.findall(r"^```toml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    path = tmp_path / "controller.toml"
    before, queues, after = DEFAULT_TEMPLATE.read_text("utf-8").partition("\n[[queues]]")
    path.write_text(f"{before}\n{example}{queues}{after}", encoding="utf-8")
    whole = controller("rehearse", path, "--entrance", "main", "--at", "2026-12-31T20:00").out
    walked = controller("rehearse", path, "--press", "8,3").out
    shown = {line.removeprefix("    ") for line in page.splitlines()}
    assert {line for text in (whole, walked) for line in text.splitlines()[1:]} - shown == set()
