"""Agents by phone: what they dial, hear and become, and that it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from controller.domain.agents import AgentEvent
from controller.journeys import prompts
from tests.journeys.agents_office import Office, offices

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.journeys.theatre import Theatre


@pytest.fixture
def open_office(theatre: Theatre) -> Iterator[Callable[..., Office]]:
    """Return a way to open an office, with the arguments of `Office`; it is closed after the test."""
    with offices(theatre) as begin:
        yield begin


@pytest.mark.parametrize(
    ("code", "presses", "heard", "state"),
    [
        ("11", {}, [prompts.AGENT_SIGNED_IN], "available"),
        ("12", {}, [prompts.AGENT_SIGNED_OUT], "signed_out"),
        ("131", {}, [prompts.AGENT_PAUSED], "paused: break"),
        ("132", {}, [prompts.AGENT_PAUSED], "paused: lunch"),
        ("133", {}, [prompts.AGENT_PAUSED], "paused: meeting"),
        ("134", {}, [prompts.AGENT_PAUSED], "paused: training"),
        ("13", {prompts.AGENT_PAUSE_MENU: "2"}, [prompts.AGENT_PAUSE_MENU, prompts.AGENT_PAUSED], "paused: lunch"),
        ("13", {prompts.AGENT_PAUSE_MENU: "0"}, [prompts.AGENT_PAUSE_MENU, prompts.AGENT_UNPAUSED], "available"),
        ("14", {}, [prompts.AGENT_UNPAUSED], "available"),
        ("15", {}, [prompts.AGENT_NOT_POSSIBLE], "available"),
        ("10", {prompts.AGENT_MENU: "1"}, [prompts.AGENT_MENU, prompts.AGENT_SIGNED_IN], "available"),
        ("10", {prompts.AGENT_MENU: "2"}, [prompts.AGENT_MENU, prompts.AGENT_SIGNED_OUT], "signed_out"),
        (
            "10",
            {prompts.AGENT_MENU: "3", prompts.AGENT_PAUSE_MENU: "4"},
            [prompts.AGENT_MENU, prompts.AGENT_PAUSE_MENU, prompts.AGENT_PAUSED],
            "paused: training",
        ),
        ("10", {prompts.AGENT_MENU: "4"}, [prompts.AGENT_MENU, prompts.AGENT_NOT_POSSIBLE], "available"),
        ("19", {}, [prompts.WRONG_KEY], "available"),
        ("139", {}, [prompts.WRONG_KEY], "available"),
        ("121", {}, [prompts.WRONG_KEY], "available"),
        ("", {}, [prompts.WRONG_KEY], "available"),
    ],
)
def test_what_an_agent_dials_is_done_and_said(
    open_office: Callable[..., Office], code: str, presses: dict[str, str], heard: list[str], state: str
) -> None:
    """Every code, and some that are none. Then the call is over."""
    office = open_office()
    call = office.dials(code, {prompt: [keys] for prompt, keys in presses.items()})
    assert call.heard == heard
    assert office.state() == state
    assert call.hung_up_by == "controller"
    assert office.state("bob") == "available"


def test_an_agent_who_cannot_decide_is_asked_three_times(open_office: Callable[..., Office]) -> None:
    """Told what was wrong each time; nothing changes."""
    call = open_office().dials("13", {prompts.AGENT_PAUSE_MENU: ["7", "#"]})
    assert call.heard == [
        *(prompts.AGENT_PAUSE_MENU, prompts.WRONG_KEY),
        *(prompts.AGENT_PAUSE_MENU, prompts.WRONG_KEY),
        *(prompts.AGENT_PAUSE_MENU, prompts.NO_KEY),
    ]


@pytest.mark.parametrize("endpoint", ["carrier", "phone-", "phone-alice2", "PHONE-ALICE", ""])
def test_a_phone_that_belongs_to_nobody_can_set_nothing(open_office: Callable[..., Office], endpoint: str) -> None:
    """Who it is follows from the PBX's name of the phone, whatever else is written on the call."""
    office = open_office()
    call = office.begins("12", endpoint=endpoint or "-")
    office.until_over(call)
    assert call.heard == [prompts.AGENT_UNKNOWN]
    assert office.state() == "available"


def test_where_a_phone_that_registers_is_enough_agents_are_there_at_once(open_office: Callable[..., Office]) -> None:
    """And one who signed out stays out, whatever the phone does, until they sign in; no PIN is asked for."""
    office = open_office()
    assert office.state() == "available"
    office.dials("12")
    office.phone("alice", registered=False)
    office.phone("alice")
    assert office.state() == "signed_out"
    assert office.dials("11").heard == [prompts.AGENT_SIGNED_IN]
    assert office.state() == "available"


@pytest.mark.parametrize("code", ["11", "12", "131", "14"])
def test_a_database_that_is_away_means_not_possible_and_nothing_changes(
    open_office: Callable[..., Office], code: str
) -> None:
    """Neither now nor after a restart: what is not kept is not in force."""
    office = open_office()
    office.dials({"11": "12", "14": "132"}.get(code, "11"))
    before = office.state()
    with office.theatre.database_locked():
        assert office.dials(code).heard == [prompts.AGENT_NOT_POSSIBLE]
        assert office.state() == before
    office.restart()
    assert office.state() == before


@pytest.mark.parametrize(
    ("codes", "state"),
    [
        (["12"], "signed_out"),
        (["131"], "paused: break"),
        (["131", "133"], "paused: meeting"),
        (["131", "14"], "available"),
        (["12", "11"], "available"),
        (["131", "12", "11"], "available"),
    ],
)
def test_what_an_agent_set_survives_a_restart(open_office: Callable[..., Office], codes: list[str], state: str) -> None:
    """Signed out is signed out, and lunch is lunch."""
    office = open_office()
    for code in codes:
        office.dials(code)
    office.restart()
    assert office.state() == state


def test_a_menu_that_fails_says_so_and_hangs_up(open_office: Callable[..., Office]) -> None:
    """Nobody is left with a silent phone. Here the table is gone: no fault that anybody foresaw."""
    office = open_office()
    office.theatre.sql("ALTER TABLE agents RENAME TO agents_elsewhere")
    try:
        call = office.dials("12")
    finally:
        office.theatre.sql("ALTER TABLE agents_elsewhere RENAME TO agents")
    assert (call.heard, call.hung_up_by) == ([prompts.AGENT_NOT_POSSIBLE], "controller")
    assert office.state() == "available"


@pytest.mark.parametrize("codes", [("131", "12"), ("12", "131"), ("12", "11"), ("131", "14")])
def test_two_wishes_at_the_same_time_leave_what_is_in_force_as_it_is_kept(
    open_office: Callable[..., Office], codes: tuple[str, str]
) -> None:
    """A phone with two lines, or two that share an account: one wish after the other, in whichever order."""
    office = open_office()
    office.until_over(*[office.begins(code) for code in codes])
    at_once = office.desk.agent("alice").duty
    kept = office.kept()
    assert kept is not None
    assert kept.duty == at_once
    possible = []
    for order in (codes, codes[::-1]):
        one_by_one = open_office()
        for code in order:
            one_by_one.dials(code)
        possible.append(one_by_one.desk.agent("alice").duty)
    assert at_once in possible


def test_an_agent_hears_that_the_wrap_up_is_over_and_is_rung_again_once_they_hang_up(
    open_office: Callable[..., Office],
) -> None:
    """While they listen their phone is in use."""
    office = open_office()
    office.moves(AgentEvent.RESERVE, AgentEvent.RING, AgentEvent.ANSWER, AgentEvent.HANG_UP)
    assert office.state() == "wrap_up"
    office.phone("alice", idle=False)
    assert office.dials("15").heard == [prompts.AGENT_WRAP_UP_OVER]
    assert (office.state(), office.desk.agent("alice").is_free) == ("available", False)
    office.phone("alice")
    assert office.desk.agent("alice").is_free
