"""Entrances, menus, hours, slots and limits in the settings file: what they become, and how mistakes are told."""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from controller.domain.menu import (
    DESTINATIONS,
    CallOut,
    Entrance,
    JoinQueue,
    JoinUrgently,
    LeaveNumber,
    OpenMenu,
    Repeat,
    SayGoodbye,
    SwitchLanguage,
    TextPage,
)
from controller.domain.menu_graph import Turn
from controller.domain.opening_hours import Span
from controller.domain.slots import SlotPlan
from controller.settings import SettingsError, load_settings
from controller.settings.destinations import parse_destination, word_of
from controller.settings.first_file import DEFAULT_TEMPLATE

if TYPE_CHECKING:
    from controller.settings import Settings

HERE = Path(__file__).parent
BIG = (HERE / "settings_in_order.toml").read_text("utf-8")
MISTAKES = tomllib.loads((HERE / "settings_mistakes.toml").read_text("utf-8"))
"""How each mistake is told: what of `BIG` is replaced by what, and the line, key and message."""


def load(folder: Path, text: str) -> Settings:
    """Write `text` as controller.toml and load it."""
    path = folder / "controller.toml"
    path.write_text(text, encoding="utf-8")
    return load_settings(path, {}, needs_secrets=False)


def mistakes(folder: Path, text: str) -> list[str]:
    """Return the mistakes of `text` as they are told, without the name of the file."""
    with pytest.raises(SettingsError) as caught:
        load(folder, text)
    return [line.replace(f"{folder}/controller.toml:", "") for line in caught.value.lines()]


def test_ways_in_and_menus_become_what_the_domain_knows(tmp_path: Path) -> None:
    """An entrance first; then the queues' own numbers, which are entrances too."""
    settings = load(tmp_path, BIG)
    assert settings.ways_in == (
        Entrance("front", ("0120123456",), "ja", OpenMenu("main")),
        Entrance("support", ("0312345678",), "ja", JoinQueue("support")),
    )
    main = settings.menus_by_name["main"]
    assert main.keys == {
        "1": JoinQueue("support"),
        "2": JoinUrgently("support"),
        "3": TextPage("hours"),
        "4": CallOut("0398765432"),
        "8": SwitchLanguage("en"),
        "9": Repeat(),
    }
    assert (main.no_key, main.wrong_key) == (JoinQueue("support"), SayGoodbye("goodbye"))
    assert settings.menus_by_name["more"].keys["*"] == LeaveNumber("sales")
    assert settings.pages_by_name["hours"].titles == {"ja": "営業時間のご案内", "en": "Opening hours"}


def test_what_the_file_names_is_known_as_a_whole(tmp_path: Path) -> None:
    """Prompts and languages are looked for on the PBX at the start; the gate lets no other number outside pass."""
    settings = load(tmp_path, BIG)
    assert settings.named_prompts == {
        *("welcome", "menu-main", "menu-more", "message-moved", "goodbye", "max-wait"),
        *settings.desk.announcements,
    }
    assert settings.languages == {"ja", "en"}
    assert settings.gate.external == {"0398765432", "0570012345"}
    assert settings.gate.clear_external("0398765433") is None


def test_hours_slots_and_limits_become_what_the_domain_knows(tmp_path: Path) -> None:
    """A queue without hours is always open, one without slots has none."""
    settings = load(tmp_path, BIG)
    hours = settings.opening_hours["support"]
    assert hours.zone == ZoneInfo("Asia/Tokyo")
    assert hours.weekly[0] == (Span(time(9), time(12)), Span(time(13), time(18)))
    assert not any(hours.weekly[1:])
    assert hours.spans_on(date(2026, 11, 23)) == (Span(time(10), time(12)),)  # 勤労感謝の日, a Monday
    assert hours.spans_on(date(2026, 12, 31)) == (Span(time(9), time(12)),)
    assert settings.opening_hours["sales"].is_open(datetime(2026, 1, 1, tzinfo=UTC))
    assert settings.slot_plans == {"support": SlotPlan(60, 1, 30, 7)}
    support, sales = settings.queues
    assert support.limits.exits == {
        Turn.ON_CLOSED: LeaveNumber("support"),
        Turn.ON_FULL: JoinQueue("sales"),
        Turn.ON_MAX_WAIT: SayGoodbye("max-wait"),
    }
    assert (support.announcements.offer, support.announcements.offer_after_wait_s) == ("by_wait", 90)
    assert (support.recaptured_after_s, sales.recaptured_after_s) == (None, 15)


def test_spans_may_stand_in_any_order(tmp_path: Path) -> None:
    """The clock puts them in order."""
    text = BIG.replace('["09:00-12:00", "13:00-18:00"]', '["13:00-18:00", "09:00-12:00"]')
    assert load(tmp_path, text).opening_hours == load(tmp_path, BIG).opening_hours


def test_a_title_in_another_language_stands_beside_the_two_of_the_house(tmp_path: Path) -> None:
    """For a column of prompts that an admin added."""
    text = BIG.replace('title_en = "Support"', 'title_en = "Support"\ntitles = { fr = "Assistance" }\nlanguage = "fr"')
    queue = load(tmp_path, text).queues[0]
    assert queue.titles == {"ja": "サポート窓口", "en": "Support", "fr": "Assistance"}
    assert queue.language == "fr"


def test_every_example_in_the_default_file_can_be_used_as_it_stands(tmp_path: Path) -> None:
    """Whoever takes the # away in front of it gets settings that are in order."""
    text = re.sub(r"^#(?=[\w\[])", "", DEFAULT_TEMPLATE.read_text("utf-8"), flags=re.MULTILINE)
    text = text.replace('offer = "at_once"', 'offer = "by_wait"').replace(
        "recapture_sms = false", "recapture_sms = true"
    )
    text = re.sub(r"^(\[web\].*\n)enabled = false", r"\1enabled = true", text, flags=re.MULTILINE)
    settings = load(tmp_path, text)
    assert [entrance.name for entrance in settings.ways_in] == ["main", "support"]
    assert set(settings.menus_by_name["main"].keys) == set("123456789")
    assert settings.slot_plans["support"].length_min == 30
    assert set(settings.queues[0].limits.exits) == {turn for turn in Turn if turn.value.startswith("on_")}


@pytest.mark.parametrize("word", DESTINATIONS)
def test_every_word_for_a_destination_can_be_written(word: str) -> None:
    """And means the destination of that word."""
    written = {"repeat": True, "external": "0398765432", "language": "en"}.get(word, "some-name")
    assert type(parse_destination({word: written})) is DESTINATIONS[word]
    assert word_of(parse_destination({word: written})) == word


def test_a_queue_that_only_an_existing_dialplan_leads_to_is_in_order_when_there_may_be_one(tmp_path: Path) -> None:
    """With [agi], what leads to a queue does not stand in this file."""
    text = BIG.replace('"*" = { callback = "sales" }', '"*" = { menu = "main" }').replace(
        'on_full = { queue = "sales" }', 'on_full = { message = "line-full" }'
    )
    (told,) = mistakes(tmp_path, text)
    assert "queues.sales: nobody reaches it: give it dialled_numbers, or let an entrance, a menu or another" in told
    assert load(tmp_path, f"{text}[agi]\nenabled = true\n").agi.port == 4573


@pytest.mark.parametrize("name", MISTAKES)
def test_each_mistake_is_told_with_its_line_its_key_and_what_to_do(tmp_path: Path, name: str) -> None:
    """Alone: what follows from it is not told on top."""
    mistake = MISTAKES[name]
    assert BIG.count(mistake["old"]) == 1
    assert mistakes(tmp_path, BIG.replace(mistake["old"], mistake["new"])) == [mistake["told"]]


def test_menus_that_lead_to_each_other_without_a_key_are_told_once_at_the_first(tmp_path: Path) -> None:
    """With the whole way round."""
    text = BIG.replace('{ queue = "support" }\n[menus.keys]', '{ menu = "more" }\n[menus.keys]')
    text = text.replace('no_key = { message = "message-moved" }', 'no_key = { menu = "main" }')
    (told,) = mistakes(tmp_path, text)
    assert told.startswith("13: menus.main.no_key: goes round for ever without a key of the caller's:")
    assert 'menu "main" (no_key) -> menu "more" (no_key) -> menu "main"; let one of them end' in told


def test_an_urgent_caller_may_come_back_to_a_line_that_was_full(tmp_path: Path) -> None:
    """Nobody who is urgent is turned away because a line is full."""
    text = BIG.replace("on_full = { queue", "on_full = { urgent")
    text = text.replace("on_no_agents", 'max_length = 3\non_full = { queue = "support" }\non_no_agents')
    assert load(tmp_path, text).queues[1].limits.max_length == 3


def test_a_number_outside_is_not_the_one_that_we_show(tmp_path: Path) -> None:
    """Whoever calls that comes to us, also where no queue of this file names it."""
    text = BIG.replace('caller_id = "0312345678"', 'caller_id = "0398765432"')
    assert mistakes(tmp_path, text) == [
        '18: menus.main.keys.4: "0398765432" leads to us (dialer.caller_id): the call would come back to us'
    ]


def test_hours_may_adjoin_and_be_of_another_place(tmp_path: Path) -> None:
    """A span that begins where another ends overlaps nothing."""
    text = BIG.replace('["09:00-12:00", "13:00-18:00"]', '["09:00-12:00", "12:00-13:00"]\ntime_zone = "Europe/Berlin"')
    hours = load(tmp_path, text).opening_hours["support"]
    assert hours.zone == ZoneInfo("Europe/Berlin")
    assert hours.weekly[0] == (Span(time(9), time(12)), Span(time(12), time(13)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("length_min = 60", "length_min = 300"),
        ('caller_id = "0312345678"', 'caller_id = "0312345678"\ncalling_hours = "17:00-20:00"'),
        ('"09:00-12:00", "13:00-18:00"]', '"09:00-09:30"]'),
    ],
    ids=["as long as the opening", "as long as opening and calling hours share", "on public holidays alone"],
)
def test_a_slot_that_just_fits_is_in_order(tmp_path: Path, old: str, new: str) -> None:
    """Anywhere in the hours is enough."""
    text = BIG.replace('exceptions = { 2026-12-31 = ["09:00-12:00"], 2027-01-02 = [] }', "").replace(old, new)
    assert load(tmp_path, text).slot_plans


@pytest.mark.parametrize("number", ["0120987654", "0570012345", "117", "+81398765432", "050-", "03987654321"])
def test_a_number_outside_may_be_any_that_can_be_dialled_at_home(tmp_path: Path, number: str) -> None:
    """Freephone, Navi Dial and short ones too: it is the admin who names it, not the caller."""
    text = BIG.replace('external = "0398765432"', f'external = "{number}"')
    if number in {"050-", "03987654321"}:
        assert len(mistakes(tmp_path, text)) == 1
    else:
        assert number in load(tmp_path, text).gate.external
