"""The stories that are swept: each begins by itself and comes to an end by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from controller.domain.evidence import AnsweredBy
from controller.domain.menu import (
    CallOut,
    JoinQueue,
    JoinUrgently,
    LeaveNumber,
    Menu,
    OpenMenu,
    SayGoodbye,
    SwitchLanguage,
    TextBookingLink,
    TextPage,
    WebPage,
)
from controller.domain.outcome import Outcome
from controller.domain.recording import RecordingMode
from controller.domain.slots import SlotPlan
from controller.journeys import prompts
from controller.journeys.house import Announcements, Callbacks, DialMode, Limits, Offer, Recapture
from tests.journeys.scripted_channel import Person
from tests.journeys.stories import (
    AGENT,
    CALLER,
    DEAF,
    MAIN,
    OFFICE,
    PATIENCE_S,
    SHOWN,
    YES,
    Journey,
    at_menu,
    calling_back,
    calling_back_first,
    calls,
    came_back_first,
    closed_until_tomorrow,
    leaving,
    outside,
    redialling,
    ringing_back,
    ruled,
    someone_is_urgent,
    the_last_agent_leaves,
    twice_the_same_number,
)

MOVED = "message-moved"
LEAVES_DURING_THE_QUESTION = replace(AGENT, patience_s=3.3)
"""Answers, and is gone when the customer says yes."""
HALF_HOURS = SlotPlan(length_min=30, capacity=1)

EASY: dict[str, Journey] = {
    "served at once": Journey({"alice": AGENT}, calls()),
    "served after a wait": Journey({"alice": AGENT}, calls(), 40),
    "the first agent does not answer": Journey({"alice": DEAF, "bob": AGENT}, calls()),
    "leaves the number shown": Journey({}, leaving(use_this_number=["1", "1", "1"])),
    "leaves the number shown, and it is confirmed": Journey(
        {}, leaving(use_this_number=["1", "1", "1"]), cards=ruled(confirm_sms=True)
    ),
    "leaves another number": Journey(
        {},
        leaving(
            use_this_number=["2", "2", "2"],
            enter_number=["12#", "0120123456#", "0312345678#", "0312345678#", "0312345678#"],
            confirm_number=["1", "1", "1"],
        ),
    ),
    "leaves a number that holds a promise": Journey({}, twice_the_same_number),
    "leaves no number and is served": Journey({"alice": AGENT}, leaving(), 100),
    "called back": Journey({"alice": AGENT}, calling_back(Person(presses=YES, patience_s=PATIENCE_S))),
    "called back, with a second agent at hand": Journey(
        {"alice": AGENT, "bob": AGENT}, calling_back(Person(presses=YES, patience_s=PATIENCE_S))
    ),
    "called back, loses the agent": Journey(
        {"alice": LEAVES_DURING_THE_QUESTION, "bob": AGENT}, calling_back(Person(presses=YES, patience_s=PATIENCE_S))
    ),
    "called back, declines": Journey(
        {"alice": AGENT}, calling_back(Person(presses={prompts.CALLBACK_CONFIRM: ["3", "3"]}))
    ),
    "called back, presses nothing": Journey({"alice": AGENT}, calling_back(CALLER)),
    "called back, busy": Journey({"alice": AGENT}, calling_back(Person(refuses=Outcome.BUSY))),
    "called back, does not answer": Journey({"alice": AGENT}, calling_back(DEAF)),
}
"""The ways that lead through no menu, at no special hour, in a queue without limits."""

MENU = Menu(
    "main",
    (MAIN,),
    {
        "1": JoinQueue("loans"),
        "2": JoinUrgently("cards"),
        "3": LeaveNumber("cards"),
        "4": TextPage("hours"),
        "5": CallOut(OFFICE),
        "6": SayGoodbye(MOVED),
        "7": TextBookingLink("cards"),
        "8": SwitchLanguage("en"),
    },
    no_key=JoinQueue("cards"),
    wrong_key=SayGoodbye(MOVED),
)
AT_MENU: dict[str, Any] = {
    "leads_to": OpenMenu("main"),
    "menus": [MENU],
    "web_pages": [WebPage("hours", "https://example.jp/hours", {"ja": "営業時間", "en": "Opening hours"})],
}


MENUS: dict[str, Journey] = {
    "speaks English, and is served": Journey({"alice": AGENT}, at_menu("8", "1"), opening=AT_MENU),
    "is urgent": Journey({"alice": AGENT}, someone_is_urgent, 12, opening=AT_MENU),
    "wants a page by SMS": Journey({}, at_menu("4", sms_confirm=["1", "1"]), opening=AT_MENU),
    "wants a booking link by SMS": Journey({}, at_menu("7", sms_confirm=["1", "1"]), opening=AT_MENU),
    "is sent to a number outside": Journey({}, outside(Person(talks_s=20)), opening=AT_MENU),
    "nobody answers outside": Journey({}, outside(Person(refuses=Outcome.BUSY)), opening=AT_MENU),
    "hears a message": Journey({}, at_menu("6"), opening=AT_MENU),
    "leaves a number from the menu": Journey({}, at_menu("3", use_this_number=["1", "1"]), opening=AT_MENU),
}

DOORS: dict[str, Journey] = {
    "leaves a number at the closed door": Journey(
        {}, calls(closed_offer=["1", "1"], use_this_number=["1", "1"]), cards=closed_until_tomorrow()
    ),
    "chooses a time at the closed door": Journey(
        {},
        calls(closed_offer=["1", "1"], use_this_number=["1", "1"], when_menu=["2", "2"], choose_time=["1", "1"]),
        cards=closed_until_tomorrow(slots=HALF_HOURS),
    ),
    "two want the same time": Journey(
        {},
        calls(
            "09012345678",
            "09012340002",
            closed_offer=["1", "1"],
            use_this_number=["1", "1"],
            when_menu=["2", "2"],
            choose_time=["1", "1", "1"],
        ),
        cards=closed_until_tomorrow(slots=HALF_HOURS),
    ),
    "chooses a time while in line": Journey(
        {},
        leaving(use_this_number=["1", "1"], when_menu=["2", "2"], choose_day=["2", "2"], choose_time=["1", "1"]),
        cards=ruled(slots=HALF_HOURS),
    ),
    "wants no call": Journey({}, calls(), cards=closed_until_tomorrow()),
}

LIMITED: dict[str, Journey] = {
    "one too many": Journey(
        {},
        calls("09012340001", "09012340002"),
        cards=ruled(limits=Limits(max_length=1, on_full=SayGoodbye(MOVED))),
    ),
    "waits too long": Journey(
        {"alice": AGENT},
        calls(use_this_number=["1", "1"]),
        60,
        cards=ruled(limits=Limits(max_wait_s=30, on_max_wait=LeaveNumber("cards"))),
    ),
    "the last agent leaves": Journey(
        {"alice": AGENT},
        the_last_agent_leaves,
        3,
        cards=ruled(limits=Limits(on_no_agents=JoinQueue("loans"))),
    ),
    "hears place and wait, and is served": Journey(
        {"alice": AGENT},
        calls("09012340001", "09012340002"),
        10,
        cards=ruled(announcements=Announcements(interval_s=20, place=True, wait=True, offer=Offer.NEVER)),
    ),
    "hangs up after a while": Journey({}, calls(), cards=ruled(recapture=Recapture(after_s=30))),
}

RINGS_BACK: dict[str, Journey] = {
    "rings back before the call": Journey({"alice": AGENT}, came_back_first, 20),
    "rings back while the agent is rung": Journey(
        {"alice": Person(answers_after_s=4, talks_s=None, patience_s=400)}, ringing_back(after_s=1, customer=DEAF)
    ),
    "rings back during the call": Journey({"alice": AGENT}, ringing_back(after_s=5, customer=DEAF)),
    "rings back, and gives up": Journey(
        {"alice": AGENT},
        lambda scene: came_back_first(scene, Person(patience_s=15)),
        30,
    ),
    "rings back, and would rather be called": Journey(
        {"alice": AGENT},
        ringing_back(
            after_s=5,
            customer=Person(presses=YES, answers_after_s=60, patience_s=PATIENCE_S),
            caller=Person(presses={prompts.WELCOME_BACK: ["1", "1"], **SHOWN}, patience_s=PATIENCE_S),
        ),
    ),
}

SAYS_YES = Person(presses=YES, patience_s=PATIENCE_S)
PREVIEW = ruled(callbacks=Callbacks(mode=DialMode.PREVIEW))


def choosing(key: str) -> Person:
    """Return an agent who presses this key in preview, whenever they are asked."""
    return replace(AGENT, presses={prompts.PREVIEW_MENU: [key] * 9})


CALLED_BACK: dict[str, Journey] = {
    "called back, by an agent who listens": Journey({"alice": replace(AGENT, presses={})}, calling_back(SAYS_YES)),
    "called back, by preview": Journey({"alice": choosing("1")}, calling_back(SAYS_YES), cards=PREVIEW),
    "called back, by the second who is asked": Journey(
        {"alice": choosing("2"), "bob": choosing("1")}, calling_back(SAYS_YES), cards=PREVIEW
    ),
    "put off by the agent": Journey({"alice": choosing("3")}, calling_back(SAYS_YES), cards=PREVIEW),
    "the first who is asked does not choose": Journey(
        {"alice": choosing("7"), "bob": choosing("1")}, calling_back(SAYS_YES), cards=PREVIEW
    ),
    "called back, wants to be called later": Journey(
        {"alice": AGENT},
        calling_back(
            Person(
                presses={
                    prompts.CALLBACK_CONFIRM: ["2", "2"],
                    prompts.LATER_CHOOSE: ["3", "3"],
                    prompts.LATER_CONFIRM: ["1", "1"],
                }
            )
        ),
    ),
    "called back, a machine records a message": Journey(
        {"alice": AGENT},
        calling_back(Person(answered_by=AnsweredBy.MACHINE)),
        cards=ruled(callbacks=Callbacks(detect_machine=True, machine_message="message-machine")),
    ),
    "called back first, waits for an agent": Journey({"alice": AGENT}, calling_back_first(SAYS_YES), 20),
    "called back first, nobody comes": Journey(
        {"alice": DEAF}, calling_back_first(SAYS_YES), 20, cards=ruled(callbacks=Callbacks(max_deck_s=40))
    ),
    "called back by hand": Journey({"alice": AGENT}, redialling(SAYS_YES), 60),
    "called back by hand, is busy": Journey({"alice": AGENT}, redialling(Person(refuses=Outcome.BUSY)), 60),
}

ASKS, ANNOUNCES = ruled(recording=RecordingMode.ASKED), ruled(recording=RecordingMode.ANNOUNCED)
YES_TO_ALL = Person(presses={**YES, prompts.RECORDING_ASK: ["1"] * 3}, patience_s=PATIENCE_S)

RECORDED: dict[str, Journey] = {
    "is told of the recording": Journey({"alice": AGENT}, calls(), cards=ANNOUNCES),
    "agrees to the recording": Journey({"alice": AGENT}, calls(recording_ask=["1", "1", "1"]), cards=ASKS),
    "refuses the recording": Journey({"alice": AGENT}, calls(recording_ask=["2", "2", "2"]), cards=ASKS),
    "called back, and recorded": Journey({"alice": AGENT}, calling_back(YES_TO_ALL), cards=ASKS),
    "called back first, and recorded": Journey({"alice": AGENT}, calling_back_first(YES_TO_ALL), 20, cards=ASKS),
}

JOURNEYS: dict[str, Journey] = {**EASY, **MENUS, **DOORS, **LIMITED, **RINGS_BACK, **CALLED_BACK, **RECORDED}
