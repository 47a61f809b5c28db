"""What a phone call leaves in writing: the link to the booking page, and what was promised."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from controller.domain.menu import JoinQueue, Menu, OpenMenu, TextBookingLink
from controller.domain.slots import SlotPlan
from controller.journeys import prompts
from tests.journeys.scene import CARDS
from tests.journeys.scripted_channel import Person

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.journeys.scene import Scene

MAIN = "menu-main"
MENU = Menu(
    "main",
    (MAIN,),
    {"7": TextBookingLink("loans")},
    no_key=JoinQueue("cards"),
    wrong_key=JoinQueue("cards"),
)
WANTS_THE_LINK = Person(presses={MAIN: ["7"], prompts.SMS_CONFIRM: ["1"]}, patience_s=60)
LEAVES = {prompts.HOLD_OFFER: ["1"], prompts.USE_THIS_NUMBER: ["1"]}


def at_menu(open_scene: Callable[..., Scene], **call: object) -> Scene:
    """Somebody calls and presses 7."""
    scene = open_scene(leads_to=OpenMenu("main"), menus=[MENU])
    scene.rings(WANTS_THE_LINK, **call)
    scene.pass_s(60)
    return scene


def test_the_link_is_sent_to_the_mobile_phone_that_calls(open_scene: Callable[..., Scene]) -> None:
    """For the queue of the menu's key; the call ends as guided."""
    scene = at_menu(open_scene)
    rows = scene.theatre.sql("SELECT number, template, language, queue FROM sms_outbox")
    assert rows == [("+819012345678", "booking_link", "ja", "loans")]
    (caller,) = scene.pbx.channels
    assert prompts.SMS_SENT in caller.heard
    assert scene.endings() == {caller.id: "guided"}


def test_the_link_is_sent_once_an_hour(open_scene: Callable[..., Scene]) -> None:
    """However often a machine calls; who has used it up gets another one later."""
    scene = at_menu(open_scene)
    scene.pass_s(3600 - scene.theatre.clock.now().timestamp() % 3600)
    for _ in range(3):
        scene.rings(WANTS_THE_LINK)
        scene.pass_s(60)
    assert len(scene.theatre.sql("SELECT id FROM sms_outbox")) == 2


@pytest.mark.parametrize("number", [None, "0312345679", "05012345678"])
def test_a_phone_that_takes_no_sms_hears_the_menu_again(open_scene: Callable[..., Scene], number: str | None) -> None:
    """Nothing is sent, and nobody is asked for a number that is not theirs."""
    scene = at_menu(open_scene, number=number)
    (caller,) = scene.pbx.channels
    assert caller.heard[1:4] == [MAIN, prompts.SMS_NEEDS_MOBILE, MAIN]
    assert scene.theatre.sql("SELECT id FROM sms_outbox") == []


def test_a_link_that_cannot_be_written_down_is_not_said_to_be_sent(open_scene: Callable[..., Scene]) -> None:
    """The database is locked: sorry, and the menu."""
    scene = open_scene(leads_to=OpenMenu("main"), menus=[MENU])
    caller = scene.rings(WANTS_THE_LINK)
    scene.pass_s(2)
    with scene.theatre.database_locked():
        scene.pass_s(30)
    assert prompts.SMS_FAILED in caller.heard
    assert prompts.SMS_SENT not in caller.heard


@pytest.mark.parametrize("chooses_time", [False, True])
def test_what_was_promised_on_the_phone_is_confirmed_by_sms(
    open_scene: Callable[..., Scene], chooses_time: bool
) -> None:
    """Where the queue says so: with the window, or with the first moment."""
    cards = replace(CARDS, confirm_sms=True, slots=SlotPlan(length_min=30, capacity=1))
    keys = {prompts.WHEN_MENU: ["2"], prompts.CHOOSE_DAY: ["2"], prompts.CHOOSE_TIME: ["1"]} if chooses_time else {}
    scene = open_scene(cards=cards)
    scene.rings(Person(presses={**LEAVES, prompts.WHEN_MENU: ["1"], **keys}))
    scene.pass_s(200)
    (promise,) = scene.promises()
    ((template, promise_id, details),) = scene.theatre.sql("SELECT template, promise_id, details FROM sms_outbox")
    slot = promise.slot
    when = {"not_before": promise.not_before.isoformat()}
    if slot:
        when = {"starts_at": slot.starts_at.isoformat(), "ends_at": slot.ends_at.isoformat()}
    assert (slot is not None) is chooses_time
    assert (template, promise_id, json.loads(details)) == ("confirmed", promise.id, when)


@pytest.mark.parametrize(
    ("confirms", "person"),
    [
        (False, Person(presses=LEAVES)),
        (
            True,
            Person(
                presses={
                    prompts.HOLD_OFFER: ["1"],
                    prompts.USE_THIS_NUMBER: ["2"],
                    prompts.ENTER_NUMBER: ["0312345678#"],
                    prompts.CONFIRM_NUMBER: ["1"],
                }
            ),
        ),
    ],
)
def test_no_sms_confirms_what_the_queue_does_not_want_or_no_phone_takes(
    open_scene: Callable[..., Scene], confirms: bool, person: Person
) -> None:
    """The setting is off; or the number is a landline. The promise is made all the same."""
    scene = open_scene(cards=replace(CARDS, confirm_sms=confirms))
    scene.rings(person)
    scene.pass_s(100)
    assert len(scene.promises()) == 1
    assert scene.theatre.sql("SELECT id FROM sms_outbox") == []
