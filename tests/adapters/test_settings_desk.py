"""The settings of the agents' desk: what is taken, what it becomes, and which mistakes are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from controller.console.desk_rules import DeskRules
from tests.adapters.test_settings import SMALL, load, only_mistake

if TYPE_CHECKING:
    from pathlib import Path


def desk(lines: str) -> str:
    """Return settings with a [desk]."""
    return f"{SMALL}\n[desk]\n{lines}\n"


def test_a_site_that_says_nothing_of_its_desk_has_the_usual_one(tmp_path: Path) -> None:
    """No dispositions, no CRM."""
    settings = load(tmp_path, SMALL)
    assert settings.desk.rules == DeskRules()
    assert settings.desk.dispositions == ()


def test_what_is_set_is_what_the_page_is_told(tmp_path: Path) -> None:
    """Hours become seconds; prompts that are announced are among those that the PBX must have."""
    text = desk(
        'dispositions = ["解決", "要確認"]\nnote_max_length = 500\nnotes_open_h = 0.5\npause_reasons = ["lunch"]\n'
        'crm_url = "https://crm.example.jp/{number}?q=1"\nannouncements = ["storm"]'
    )
    settings = load(tmp_path, text)
    rules = DeskRules(("lunch",), 500, 1800, "https://crm.example.jp/{number}?q=1", announcements=("storm",))
    assert settings.desk.rules == rules
    assert settings.desk.dispositions == ("解決", "要確認")
    assert "storm" in settings.named_prompts


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('crm_url = "https://crm.example.jp/"', "must have {number} in it, once"),
        ('crm_url = "https://crm.example.jp/{number}/{number}"', "must have {number} in it, once"),
        ('crm_url = "javascript:alert({number})"', "must be an address"),
        ('crm_url = "file:///{number}"', "must be an address"),
        ('crm_url = "https://{number}.example.jp/"', "behind the host"),
        ('crm_url = "http://crm.example.jp/?tel={number}"', "must begin with https://"),
        ('crm_url = "https://user:word@crm.example.jp/?tel={number}"', "must not hold a name or password"),
        ('crm_url = "https://crm.example.jp/ ?tel={number}"', "must be an address"),
        ('pause_reasons = ["holiday"]', "must be one of break, lunch, meeting, training"),
        ("pause_reasons = []", "at least one"),
        ('dispositions = ["解決", "解決"]', 'names "解決" twice'),
        (f'dispositions = ["{"x" * 65}"]', "at most 64 characters"),
        ("note_max_length = 99", "100"),
        ("notes_open_h = 0", "0"),
        ('announcements = ["../../etc/passwd"]', "must be the id of a prompt"),
        ("colour = 1", "colour"),
    ],
)
def test_what_cannot_be_is_told_with_what_to_write(tmp_path: Path, line: str, told: str) -> None:
    """A link that every agent opens is no script, and sends no number over an open line."""
    assert told in only_mistake(tmp_path, desk(line))
