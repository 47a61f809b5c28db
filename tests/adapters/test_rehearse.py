"""`controller rehearse`: a settings file walked through as text, without a phone."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.rehearse import (
    Catalogue,
    CatalogueError,
    Scene,
    Worry,
    concerns,
    read_catalogue,
    told,
    told_path,
    trees,
    walk_path,
)
from controller.rehearse.catalogue import DEFAULT_CATALOGUE
from controller.rehearse.render import WIDTH, wrapped
from controller.settings import load_settings
from controller.text_table import width

if TYPE_CHECKING:
    from collections.abc import Callable

IN_ORDER = (Path(__file__).parent / "settings_in_order.toml").read_text("utf-8")
PAGES_ONLY = '[[menus]]\nname = "pages"\nprompts = ["menu-more"]\nkeys.8 = { language = "ja" }\n'
LINKED = (
    ("9 = { repeat = true }", '5 = { booking_link = "support" }\n9 = { repeat = true }'),
    ("[dialer]", '[web]\nenabled = true\npublic_url = "https://callback.example.jp"\n\n[dialer]'),
    ('title_en = "Support"\n', 'title_en = "Support"\nconfirm_sms = true\n'),
)
"""Changes to the settings: a key gets a link to the booking page, and promises are confirmed by SMS."""
TOKYO = ZoneInfo("Asia/Tokyo")
MONDAY = datetime(2026, 11, 30, 10, tzinfo=TOKYO)
NEW_YEARS_EVE = datetime(2026, 12, 31, 20, tzinfo=TOKYO)
WORDS = Catalogue(
    {
        "ja": {"welcome": "お電話ありがとうございます。", "menu-main": "1を押してください。"},
        "en": {"menu-main": "Press 1."},
    }
)


@pytest.fixture
def scene(tmp_path: Path) -> Callable[..., Scene]:
    """Give what sets a scene: settings with one thing replaced by another, and a moment."""

    def set_scene(*changes: tuple[str, str], at: datetime = MONDAY, words: Catalogue = WORDS) -> Scene:
        text = IN_ORDER
        for old, new in changes:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        path = tmp_path / "controller.toml"
        path.write_text(text, encoding="utf-8")
        return Scene(load_settings(path, {}, needs_secrets=False), at, words)

    return set_scene


def of(scene: Scene, worry: Worry) -> list[str]:
    """Return what there is to look at of one kind."""
    return [one.text for one in concerns(scene) if one.worry is worry]


def test_an_entrance_is_a_tree_of_what_callers_hear_and_where_each_key_leads(scene: Callable[..., Scene]) -> None:
    """With the words of the prompts, in the caller's language; what was told once is not told again."""
    front, support = (told(tree) for tree in trees(scene()))
    assert front.splitlines() == [
        "entrance front: 0120-123-456 (ja)",
        "│ 「お電話ありがとうございます。」",
        "└─ menu main",
        "   │ 「1を押してください。」",
        "   │ - asked 3 times, 5 s to press a key",
        "   ├─ 1          queue support (サポート窓口)",
        "   │  │          - open until 12:00; today 09:00-12:00, 13:00-18:00",
        "   │  │          - served by agent-1",
        "   │  │          - is offered a callback when the wait may pass 90 s; key 1 takes it",
        "   │  │          - times of 60 min can be booked, one callback in each; the first 11:00",
        "   │  ├─ when closed  leaves a number for a callback by queue support",
        "   │  ├─ 20 wait      queue sales (営業)",
        "   │  │  │            - always open",
        "   │  │  │            - served by agent-1",
        "   │  │  │            - is offered a callback at once, and again every 30 s; key 1 takes it",
        "   │  │  │            - who hangs up after 15 s of waiting gets an SMS",
        "   │  │  └─ nobody on duty  is connected with 0570-012-345",
        "   │  └─ after 600 s  is hung up on",
        "   │                  [max-wait, MISSING]",
        "   ├─ 2          queue support, urgent: ahead of all others (サポート窓口) (see above)",
        "   ├─ 3          web page hours, by SMS: 営業時間のご案内",
        "   │             - https://example.jp/hours",
        "   ├─ 4          is connected with 03-9876-5432",
        "   ├─ 8          the same menu in en",
        "   │  └─ menu main (en)",
        "   │     │ “Press 1.”",
        "   │     │ - asked 3 times, 5 s to press a key",
        "   │     ├─ 1          queue support (Support)",
        "   │     │  ├─ when closed  leaves a number for a callback by queue support",
        "   │     │  ├─ 20 wait      queue sales (Sales)",
        "   │     │  │  └─ nobody on duty  is connected with 0570-012-345",
        "   │     │  └─ after 600 s  is hung up on",
        "   │     │                  [max-wait, MISSING]",
        "   │     ├─ 2          queue support, urgent: ahead of all others (Support) (see above)",
        "   │     ├─ 3          web page hours, by SMS: Opening hours",
        "   │     │             - https://example.jp/hours",
        "   │     ├─ 4          is connected with 03-9876-5432",
        "   │     ├─ 8          the same menu in en (see above)",
        "   │     ├─ 9          the same menu again",
        "   │     ├─ no key     queue support (Support) (see above)",
        "   │     └─ wrong key  is hung up on",
        "   │                   [goodbye, MISSING]",
        "   ├─ 9          the same menu again",
        "   ├─ no key     queue support (サポート窓口) (see above)",
        "   └─ wrong key  is hung up on",
        "                 [goodbye, MISSING]",
    ]
    assert support.splitlines()[-1] == "└─ queue support (サポート窓口) (see above)"


def test_a_tree_is_of_its_moment(scene: Callable[..., Scene]) -> None:
    """Hours, the reason why they are over, and when they begin again."""
    tree = told(trees(scene(at=NEW_YEARS_EVE))[0])
    assert "- closed (after hours), opens Fri 2027-01-01 10:00; today 09:00-12:00" in tree
    assert "├─ closed, as now  leaves a number for a callback by queue support" in tree
    holiday = told(trees(scene(at=datetime(2026, 11, 23, 14, tzinfo=TOKYO)))[0])
    assert "closed (after hours), opens Mon 2026-11-30 09:00; today 10:00-12:00" in holiday


def test_a_queue_that_only_urgent_callers_come_to_is_told_in_full(scene: Callable[..., Scene]) -> None:
    """Urgent callers are not told of callbacks; whoever joins it in the common way is."""
    urgent_first = ('1 = { queue = "support" }\n2 = { urgent', '1 = { urgent = "support" }\n2 = { queue')
    lines = told(trees(scene(urgent_first))[0]).splitlines()
    assert [line.split("- ")[1] for line in lines if "callback" in line and "- is" in line][:3] == [
        "is not told of callbacks first; key 1 takes one",
        "is offered a callback at once, and again every 30 s; key 1 takes it",
        "is offered a callback when the wait may pass 90 s; key 1 takes it",
    ]


def test_one_path_is_what_a_caller_with_these_keys_meets(scene: Callable[..., Scene]) -> None:
    """A key that means nothing is told, the language stays chosen, and a closed queue sends the caller on."""
    at_night = scene(at=NEW_YEARS_EVE)
    path = told_path(walk_path(at_night, at_night.entrances[0], ["7", "8", "1", "5"]))
    assert [line for line in path.splitlines() if not line.startswith(" " * 9 + "- ")] == [
        "         entrance front: 0120-123-456 (ja)",
        "         「お電話ありがとうございます。」",
        "         menu main",
        "         「1を押してください。」",
        "press 7  is not used here; the menu is said again",
        "press 8  menu main in en",
        "         “Press 1.”",
        "press 1  queue support (Support)",
        "closed   leaves a number for a callback by queue support",
        "         not pressed any more: 5",
    ]


@pytest.mark.parametrize(
    ("presses", "last"),
    [
        ([], "waits for a key: 1 2 3 4 8 9"),
        (["-"], "queue support (サポート窓口)"),
        (["7", "7", "7"], "is hung up on"),
        (["7", "7"], "waits for a key: 1 2 3 4 8 9"),
        (["9", "3"], "web page hours, by SMS: 営業時間のご案内"),
        (["2"], "queue support, urgent: ahead of all others (サポート窓口)"),
    ],
)
def test_a_path_ends_where_the_keys_end(scene: Callable[..., Scene], presses: list[str], last: str) -> None:
    """`-` is nothing pressed until the menu gives up; wrong keys count one by one."""
    by_day = scene()
    assert walk_path(by_day, by_day.entrances[0], presses)[-1].what == last


def test_a_closed_queue_without_a_destination_offers_a_callback(scene: Callable[..., Scene]) -> None:
    """In the tree as on a path."""
    at_night = scene(('on_closed = { callback = "support" }\n', ""), at=NEW_YEARS_EVE)
    assert walk_path(at_night, at_night.entrances[1], [])[-1].what == "is offered a callback for when the queue is open"
    assert "closed, as now  is offered a callback for when the queue is open" in told(trees(at_night)[0])


def test_what_the_catalogue_lacks_is_listed_by_language_with_its_place(scene: Callable[..., Scene]) -> None:
    """Only what can be heard: the menu that nothing leads to does not count."""
    assert of(scene(), Worry.MISSING_PROMPT) == [
        'goodbye (ja), of menu "main"',
        'max-wait (ja), of queue "support"',
        'goodbye (en), of menu "main"',
        'max-wait (en), of queue "support"',
    ]
    assert of(scene(words=Catalogue()), Worry.MISSING_PROMPT) == []
    assert of(scene(words=read_catalogue(DEFAULT_CATALOGUE)), Worry.MISSING_PROMPT) == []


def test_dead_ends_and_what_nothing_leads_to_are_listed(scene: Callable[..., Scene]) -> None:
    """None of it is a mistake for sure, so none of it keeps the controller from starting."""
    quiet = scene()
    assert of(quiet, Worry.LET_DOWN) == [
        'menu "main", wrong_key: hears "goodbye"',
        'queue "support", on_max_wait: hears "max-wait"',
    ]
    assert of(quiet, Worry.UNREACHED) == ['menu "more"']
    assert of(quiet, Worry.DEAD_KEY) == ['menu "main": 5 6 7 0 * #']
    assert of(quiet, Worry.NO_PERSON) == []


def test_a_menu_that_leads_to_nobody_and_a_page_that_nothing_leads_to_are_listed(scene: Callable[..., Scene]) -> None:
    """Pages alone help nobody who has another question."""
    lonely = scene(
        ('leads_to = { menu = "main" }', 'leads_to = { menu = "pages" }'),
        ("[[web_pages]]", f"{PAGES_ONLY}[[web_pages]]"),
    )
    assert of(lonely, Worry.NO_PERSON) == ['menu "pages"']
    assert of(lonely, Worry.UNREACHED) == ['menu "main"', 'menu "more"', 'web page "hours"']
    assert of(lonely, Worry.DEAD_KEY)[1] == 'menu "pages": key 8 switches to ja, which the caller hears already'


def test_a_booking_link_and_a_confirmation_by_sms_are_told(scene: Callable[..., Scene]) -> None:
    """What the key gets the caller, and what a promise is followed by."""
    linked = scene(*LINKED)
    (front, _) = (told(tree) for tree in trees(linked))
    assert "5          the link to book a callback by queue support, by SMS" in front
    assert "who leaves a number gets an SMS that says what was promised" in front
    (*_, last) = walk_path(linked, linked.entrances[0], ["5"])
    assert last.what == "the link to book a callback by queue support, by SMS"


def test_what_asks_the_silent_for_a_key_and_what_is_over_at_once_is_listed(scene: Callable[..., Scene]) -> None:
    """A phone without keys cannot leave a number; the longest wait counts from the call's arrival."""
    odd = scene(
        ('no_key = { queue = "support" }', 'no_key = { callback = "support" }'),
        ('on_max_wait = { message = "max-wait" }', 'on_max_wait = { queue = "sales" }'),
        ("on_no_agents", 'max_wait_s = 60\non_max_wait = { message = "max-wait" }\non_no_agents'),
    )
    assert of(odd, Worry.SILENT) == ['menu "main": no_key']
    assert of(odd, Worry.OVER_AT_ONCE) == [
        'queue "sales": max_wait_s (60) is over when callers come from queue "support" (after 600 s)'
    ]


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=200), st.integers(30, 120))
def test_wrapped_lines_are_no_wider_than_asked_and_lose_nothing(text: str, cells: int) -> None:
    """But for one long word, and for a sign that closes a sentence."""
    lines = wrapped(text, cells)
    kept = "".join(one if one.isprintable() else "?" for one in text)
    assert "".join(lines).replace(" ", "") == kept.replace(" ", "")
    longest = max((len(word) for word in re.findall(r"[!-~]+", kept)), default=0)
    assert all(width(line.rstrip("、。」』）,.")) <= max(cells, longest) for line in lines)


def test_a_sign_that_closes_a_sentence_stays_with_it() -> None:
    """A line that begins with a full stop reads badly (禁則処理)."""
    assert wrapped("あ" * 16 + "。" + "い", 32) == ["あ" * 16 + "。", "い"]


def test_no_line_of_a_tree_is_wider_than_a_terminal(scene: Callable[..., Scene]) -> None:
    """With the long texts of the real catalogue."""
    real = scene(words=read_catalogue(DEFAULT_CATALOGUE))
    lines = [line for tree in trees(real) for line in told(tree).splitlines()]
    assert max(width(line) for line in lines) <= WIDTH + 2


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is no table"),
        (b"\xff\xfe", "is no table"),
        (b"name\ten\nwelcome\tHello\n", 'its first column must be "id"'),
    ],
)
def test_a_catalogue_that_cannot_be_read_says_why(tmp_path: Path, content: bytes, why: str) -> None:
    """With the file's name."""
    path = tmp_path / "catalogue.tsv"
    path.write_bytes(content)
    with pytest.raises(CatalogueError, match=f"{path}: .*{why}"):
        read_catalogue(path)
    with pytest.raises(CatalogueError, match="No such file"):
        read_catalogue(tmp_path / "nowhere.tsv")
