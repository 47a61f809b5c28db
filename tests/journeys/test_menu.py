"""Menus and where they lead: keys, no key, the wrong key, another language, a page by SMS, a number outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from controller.domain.menu import (
    CallOut,
    JoinQueue,
    JoinUrgently,
    LeaveNumber,
    Menu,
    OpenMenu,
    Repeat,
    SayGoodbye,
    SwitchLanguage,
    TextPage,
    WebPage,
)
from controller.domain.outcome import Outcome
from controller.journeys import prompts
from controller.ports.survey import Role
from tests.journeys.scripted_channel import Person

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller.domain.menu import Destination
    from tests.journeys.scene import Scene
    from tests.journeys.scripted_channel import Channel

MAIN, MORE = "menu-main", "menu-more"
OFFICE = "0398765432"
PAGE = WebPage("hours", "https://example.jp/hours", {"ja": "営業時間", "en": "Opening hours"})
AGENT = Person(talks_s=20)


def menu(**keys: Destination) -> Menu:
    """Return the main menu with these keys: `k1` is key 1."""
    return Menu(
        "main",
        (MAIN,),
        {key.removeprefix("k"): destination for key, destination in keys.items()},
        no_key=JoinQueue("cards"),
        wrong_key=SayGoodbye("goodbye"),
    )


def pressing(*keys: str, **more: list[str]) -> Person:
    """Return somebody who presses these keys, one each time that the main menu is said."""
    return Person(presses={MAIN: list(keys), **{name.replace("_", "-"): said for name, said in more.items()}})


def played(open_scene: Callable[..., Scene], opening: Menu, person: Person, **scene: object) -> tuple[Scene, Channel]:
    """Have somebody call in front of `opening`, for as long as it takes."""
    stage = open_scene(leads_to=OpenMenu("main"), menus=[opening, *scene.pop("more", ())], **scene)  # type: ignore[misc]
    caller = stage.rings(person)
    stage.pass_s(60)
    return stage, caller


def test_a_key_leads_to_the_line_of_its_queue(open_scene: Callable[..., Scene]) -> None:
    """The call stands in that queue's record from then on."""
    scene, caller = played(open_scene, menu(k1=JoinQueue("loans")), pressing("1"))
    assert caller.heard[:2] == [prompts.WELCOME, MAIN]
    assert caller.held_in == "loans"
    assert scene.theatre.sql("SELECT queue FROM calls") == [("loans",)]


def test_a_key_pressed_during_the_greeting_counts_for_the_menu(open_scene: Callable[..., Scene]) -> None:
    """Type-ahead: whoever knows the menu need not hear it."""
    person = Person(presses={prompts.WELCOME: ["1"]})
    _, caller = played(open_scene, menu(k1=JoinQueue("loans")), person)
    assert caller.held_in == "loans"


def test_menus_lead_into_menus_and_back(open_scene: Callable[..., Scene]) -> None:
    """Any depth, any way round."""
    keys: dict[str, Destination] = {"1": JoinQueue("loans"), "*": OpenMenu("main")}
    deeper = Menu("more", (MORE,), keys, JoinQueue("cards"), JoinQueue("cards"))
    person = pressing("2", "2", menu_more=["*", "1"])
    _, caller = played(open_scene, menu(k2=OpenMenu("more")), person, more=[deeper])
    assert caller.heard[1:5] == [MAIN, MORE, MAIN, MORE]
    assert caller.held_in == "loans"


def test_a_phone_without_keys_comes_to_the_line_after_three_silences(open_scene: Callable[..., Scene]) -> None:
    """Told each time but the last that nothing was heard."""
    _, caller = played(open_scene, menu(k1=JoinQueue("loans")), pressing())
    assert caller.heard[1:6] == [MAIN, prompts.NO_KEY, MAIN, prompts.NO_KEY, MAIN]
    assert caller.held_in == "cards"


def test_three_wrong_keys_lead_where_wrong_keys_lead(open_scene: Callable[..., Scene]) -> None:
    """Here: goodbye. Silences in between are counted apart."""
    scene, caller = played(open_scene, menu(k1=JoinQueue("loans")), pressing("5", "", "6", "", "#"))
    assert caller.heard.count(prompts.WRONG_KEY) == 2
    assert caller.heard[-1] == "goodbye"
    assert scene.endings() == {caller.id: "informed"}


def test_repeat_says_the_menu_again_and_is_no_try(open_scene: Callable[..., Scene]) -> None:
    """As often as somebody likes."""
    _, caller = played(open_scene, menu(k9=Repeat(), k1=JoinQueue("loans")), pressing("9", "9", "9", "9", "1"))
    assert caller.heard.count(MAIN) == 5
    assert caller.held_in == "loans"


def test_who_chooses_english_is_spoken_to_in_english_now_and_on_the_next_call(
    open_scene: Callable[..., Scene],
) -> None:
    """Remembered for the number; another number hears the language of the entrance."""
    scene, caller = played(open_scene, menu(k8=SwitchLanguage("en")), pressing("8"))
    assert caller.heard[1:4] == [MAIN, prompts.LANGUAGE_SET, MAIN]
    assert caller.heard_in[:4] == ["ja", "ja", "en", "en"]
    again, other = scene.rings(Person()), scene.rings(Person(), number="09012340002")
    scene.pass_s(5)
    assert (again.heard_in[0], other.heard_in[0]) == ("en", "ja")


def test_who_withholds_their_number_chooses_a_language_for_this_call_alone(open_scene: Callable[..., Scene]) -> None:
    """There is nobody to remember."""
    scene = open_scene(leads_to=OpenMenu("main"), menus=[menu(k8=SwitchLanguage("en"))])
    caller = scene.rings(pressing("8"), number=None)
    scene.pass_s(20)
    assert caller.language == "en"
    assert scene.theatre.sql("SELECT * FROM callers") == []


def test_an_urgent_caller_is_served_ahead_of_all_and_offered_no_callback(open_scene: Callable[..., Scene]) -> None:
    """A lost card cannot wait for a callback."""
    opening = menu(k1=JoinQueue("cards"), k2=JoinUrgently("cards"))
    scene = open_scene({"alice": AGENT}, signed_in=False, leads_to=OpenMenu("main"), menus=[opening])
    first = scene.rings(pressing("1"), number="09012340001")
    scene.pass_s(10)
    urgent = scene.rings(Person(presses={MAIN: ["2"]}, talks_s=None), number="09012340002")
    scene.pass_s(70)
    assert prompts.URGENT_CONNECTING in urgent.heard
    assert prompts.HOLD_OFFER in first.heard
    assert {prompts.HOLD_OFFER, prompts.OFFER}.isdisjoint(urgent.heard)
    scene.registers("alice")
    scene.pass_s(5)
    assert (len(urgent.talked_with), first.talked_with) == (1, [])


def test_an_announcement_ends_the_call(open_scene: Callable[..., Scene]) -> None:
    """Heard to its end, and recorded as what it was."""
    scene, caller = played(open_scene, menu(k6=SayGoodbye("message-moved")), pressing("6"))
    assert caller.heard[-1] == "message-moved"
    assert (caller.hung_up_by, scene.endings()) == ("controller", {caller.id: "informed"})


def test_a_number_can_be_left_without_waiting_first(open_scene: Callable[..., Scene]) -> None:
    """Straight from the menu."""
    person = pressing("5", use_this_number=["1"])
    scene, caller = played(open_scene, menu(k5=LeaveNumber("loans")), person)
    (promise,) = scene.promises()
    assert (promise.queue, promise.number) == ("loans", "+819012345678")
    assert caller.held_in is None
    assert scene.endings() == {caller.id: "promised"}


def test_a_page_is_sent_by_sms_to_the_mobile_phone_that_calls(open_scene: Callable[..., Scene]) -> None:
    """Its number is read back first; the call ends as guided."""
    scene, caller = played(open_scene, menu(k3=TextPage("hours")), pressing("3", sms_confirm=["1"]), web_pages=[PAGE])
    assert prompts.SMS_SENT in caller.heard
    assert scene.endings() == {caller.id: "guided"}
    rows = scene.theatre.sql("SELECT number, template, language, details FROM sms_outbox")
    assert rows == [("+819012345678", "web_page", "ja", '{"page": "hours"}')]


def test_the_same_page_is_sent_to_the_same_number_once_a_day(open_scene: Callable[..., Scene]) -> None:
    """However often somebody, or a machine, calls."""
    scene, _ = played(open_scene, menu(k3=TextPage("hours")), pressing("3", sms_confirm=["1"]), web_pages=[PAGE])
    scene.rings(pressing("3", sms_confirm=["1"]))
    scene.pass_s(60)
    assert len(scene.theatre.sql("SELECT id FROM sms_outbox")) == 1
    scene.pass_s(24 * 3600)
    scene.rings(pressing("3", sms_confirm=["1"]))
    scene.pass_s(60)
    assert len(scene.theatre.sql("SELECT id FROM sms_outbox")) == 2


@pytest.mark.parametrize("number", [None, "0312345679", "05012345678", "0120123456"])
def test_a_phone_that_takes_no_sms_is_told_so_and_hears_the_menu_again(
    open_scene: Callable[..., Scene], number: str | None
) -> None:
    """A landline, an IP phone, a withheld number: nothing is sent."""
    scene = open_scene(leads_to=OpenMenu("main"), menus=[menu(k3=TextPage("hours"))], web_pages=[PAGE])
    caller = scene.rings(pressing("3"), number=number)
    scene.pass_s(20)
    assert caller.heard[1:4] == [MAIN, prompts.SMS_NEEDS_MOBILE, MAIN]
    assert scene.theatre.sql("SELECT id FROM sms_outbox") == []


def test_a_page_that_cannot_be_written_down_is_not_said_to_be_sent(open_scene: Callable[..., Scene]) -> None:
    """The database is locked: sorry, and the menu."""
    scene = open_scene(leads_to=OpenMenu("main"), menus=[menu(k3=TextPage("hours"))], web_pages=[PAGE])
    caller = scene.rings(pressing("3", sms_confirm=["1"]))
    with scene.theatre.database_locked():
        scene.pass_s(30)
    assert prompts.SMS_FAILED in caller.heard
    assert prompts.SMS_SENT not in caller.heard
    assert caller.heard.count(MAIN) >= 2


def test_a_caller_is_joined_with_the_number_outside(open_scene: Callable[..., Scene]) -> None:
    """Music until it answers; the call stands as transferred."""
    scene = open_scene(leads_to=OpenMenu("main"), menus=[menu(k4=CallOut(OFFICE))])
    scene.pbx.externals[OFFICE] = Person(answers_after_s=5, talks_s=30)
    caller = scene.rings(pressing("4"))
    scene.pass_s(7)
    assert caller.held_in is not None
    scene.pass_s(50)
    (office,) = scene.pbx.of(Role.EXTERNAL)
    assert caller.talked_with == [office.id]
    assert scene.endings() == {caller.id: "transferred"}


@pytest.mark.parametrize("office", [Person(answers_after_s=None), Person(refuses=Outcome.BUSY)])
def test_a_number_outside_that_does_not_answer_leads_back_to_the_menu(
    open_scene: Callable[..., Scene], office: Person
) -> None:
    """Nobody is lost for an answering service that sleeps."""
    scene = open_scene(leads_to=OpenMenu("main"), menus=[menu(k4=CallOut(OFFICE), k1=JoinQueue("cards"))])
    scene.pbx.externals[OFFICE] = office
    caller = scene.rings(pressing("4", "1"))
    scene.pass_s(90)
    assert prompts.TRANSFER_FAILED in caller.heard
    assert caller.held_in == "cards"


def test_a_caller_in_a_menu_when_the_controller_dies_hears_the_menu_again(open_scene: Callable[..., Scene]) -> None:
    """Not the greeting, and they have lost nothing: they had chosen nothing."""
    scene = open_scene(leads_to=OpenMenu("main"), menus=[menu(k1=JoinQueue("loans"))])
    caller = scene.rings(Person(presses={MAIN: ["", "1"]}))
    scene.pass_s(3)
    scene.restart()
    scene.pass_s(5)
    assert caller.heard == [prompts.WELCOME, MAIN, MAIN, prompts.HOLD_OFFER]
    assert caller.held_in == "loans"


def test_a_language_and_an_urgent_place_survive_the_controller(open_scene: Callable[..., Scene]) -> None:
    """Both are kept on the channel itself."""
    opening = menu(k8=SwitchLanguage("en"), k2=JoinUrgently("cards"), k1=JoinQueue("cards"))
    scene = open_scene({"alice": Person(talks_s=40)}, leads_to=OpenMenu("main"), menus=[opening])
    scene.rings(Person(presses={MAIN: ["1"]}, talks_s=None), number="09012340003")
    scene.pass_s(5)
    first = scene.rings(pressing("1"), number="09012340001")
    urgent = scene.rings(Person(presses={MAIN: ["8", "2"]}, talks_s=None), number="09012340002")
    scene.pass_s(20)
    scene.restart()
    scene.pass_s(40)
    assert (urgent.language, len(urgent.talked_with), first.talked_with) == ("en", 1, [])


def test_a_phone_without_keys_is_not_sent_round_for_ever(open_scene: Callable[..., Scene]) -> None:
    """Its menu leads to an office that does not answer: goodbye, not the menu again."""
    opening = Menu("main", (MAIN,), {"1": JoinQueue("cards")}, no_key=CallOut(OFFICE), wrong_key=SayGoodbye("goodbye"))
    scene = open_scene(leads_to=OpenMenu("main"), menus=[opening])
    scene.pbx.externals[OFFICE] = Person(refuses=Outcome.BUSY)
    caller = scene.rings(Person())
    scene.pass_s(120)
    assert caller.heard[-2:] == [prompts.TRANSFER_FAILED, prompts.GOODBYE]
    assert caller.heard.count(MAIN) == 3
    assert scene.endings() == {caller.id: "informed"}
