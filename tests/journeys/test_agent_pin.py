"""Agents who prove themselves by a PIN, people who guess at it, and the end of guessing."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from structlog.testing import capture_logs

from controller.domain.pin import Guesses
from controller.journeys import prompts
from tests.journeys.agents_office import Office, offices
from tests.journeys.scripted_channel import Person

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.journeys.theatre import Theatre

PIN = "8371"
KEYS_PIN = {prompts.AGENT_PIN: [f"{PIN}#"]}


@pytest.fixture
def open_office(theatre: Theatre) -> Iterator[Callable[..., Office]]:
    """Return a way to open an office, with the arguments of `Office`; it is closed after the test."""
    with offices(theatre) as begin:
        yield begin


@contextmanager
def logged() -> Iterator[list[Any]]:
    """Collect what is logged, which the stage keeps quiet otherwise."""
    quiet = structlog.get_config()["wrapper_class"]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.NOTSET))
    try:
        with capture_logs() as logs:
            yield logs
    finally:
        structlog.configure(wrapper_class=quiet)


def wrong(times: int = 1, then: str = "") -> dict[str, list[str]]:
    """Return a person who keys so many wrong PINs, and then something else."""
    return {prompts.AGENT_PIN: ["1111#"] * times + ([f"{then}#"] if then else [])}


def test_where_a_pin_is_required_nobody_is_there_before_signing_in(open_office: Callable[..., Office]) -> None:
    """With it they are; it is asked for once, since pauses and wrap-ups need none."""
    office = open_office(pin_required=True, pins={"alice": PIN})
    assert (office.state(), office.state("bob")) == ("signed_out", "signed_out")
    assert office.dials("131").heard == [prompts.AGENT_NOT_POSSIBLE]
    assert office.dials("11", KEYS_PIN).heard == [prompts.AGENT_PIN, prompts.AGENT_SIGNED_IN]
    assert office.dials("131").heard == [prompts.AGENT_PAUSED]
    assert office.dials("11").heard == [prompts.AGENT_SIGNED_IN]
    assert (office.state(), office.state("bob")) == ("available", "signed_out")


def test_where_a_pin_is_required_and_an_agent_has_none_an_admin_is_told(open_office: Callable[..., Office]) -> None:
    """The agent hears that it is not possible, and no PIN passes."""
    office = open_office(pin_required=True)
    with logged() as logs:
        assert office.dials("11", KEYS_PIN).heard == [prompts.AGENT_NOT_POSSIBLE]
    assert [line["event"] for line in logs if line["log_level"] == "error"] == [
        "an agent has no PIN; set one: controller agent pin NAME"
    ]
    assert office.state() == "signed_out"


def test_an_agent_with_a_pin_needs_it_also_where_none_is_required(open_office: Callable[..., Office]) -> None:
    """To come back after signing out."""
    office = open_office(pins={"alice": PIN})
    assert office.state() == "available"
    office.dials("12")
    assert office.dials("11", wrong(3)).heard[-1] == prompts.AGENT_LOCKED
    assert office.state() == "signed_out"


def test_three_wrong_pins_lock_for_a_quarter_of_an_hour_and_the_next_one_for_half_an_hour(
    open_office: Callable[..., Office],
) -> None:
    """Also for whoever has the right one; then it counts from the start."""
    office = open_office(pin_required=True, pins={"alice": PIN})
    first = office.dials("11", wrong(3))
    pin, bad = prompts.AGENT_PIN, prompts.AGENT_PIN_WRONG
    assert first.heard == [pin, bad, pin, bad, pin, prompts.AGENT_LOCKED]
    assert office.dials("11", KEYS_PIN).heard == [prompts.AGENT_LOCKED]
    office.pass_s(15 * 60 - 60)
    assert office.dials("11", KEYS_PIN).heard == [prompts.AGENT_LOCKED]
    office.pass_s(60)
    assert office.dials("11", wrong(1)).heard == [pin, prompts.AGENT_LOCKED]
    office.pass_s(30 * 60 - 60)
    assert office.dials("11", KEYS_PIN).heard == [prompts.AGENT_LOCKED]
    office.pass_s(60)
    assert office.dials("11", wrong(0, then=PIN)).heard == [pin, prompts.AGENT_SIGNED_IN]
    office.dials("12")
    assert office.dials("11", wrong(2, then=PIN)).heard[-1] == prompts.AGENT_SIGNED_IN


def test_guesses_count_over_calls_and_restarts(open_office: Callable[..., Office]) -> None:
    """Hanging up after a wrong PIN, or before hearing that it was, wins no further guess."""
    office = open_office(pin_required=True, pins={"alice": PIN})
    office.dials("11", wrong(1))
    impatient = office.begins("11", Person(presses=wrong(1), patience_s=1.6))
    office.until_over(impatient)
    assert impatient.hung_up_by == "person"
    office.restart()
    assert office.dials("11", wrong(1)).heard == [prompts.AGENT_PIN, prompts.AGENT_LOCKED]
    office.restart()
    assert office.dials("11", KEYS_PIN).heard == [prompts.AGENT_LOCKED]


def test_ten_calls_at_once_get_no_more_guesses_than_one(open_office: Callable[..., Office]) -> None:
    """Whoever has stolen a phone's password can call as often as they like at the same time."""
    office = open_office(pin_required=True, pins={"alice": PIN})
    guessers = [office.begins("11", Person(presses=wrong(3))) for _ in range(10)]
    office.until_over(*guessers)
    told_wrong = sum(call.heard.count(prompts.AGENT_PIN_WRONG) for call in guessers)
    kept = office.kept()
    assert kept is not None
    assert (told_wrong, kept.guesses.wrong) == (2, 3)
    assert all(call.heard[-1] == prompts.AGENT_LOCKED for call in guessers)


def test_one_agents_guesses_do_not_lock_another(open_office: Callable[..., Office]) -> None:
    """Each phone stands for itself."""
    office = open_office(pin_required=True, pins={"alice": PIN, "bob": PIN})
    office.dials("11", wrong(3))
    assert office.dials("11", KEYS_PIN, name="bob").heard[-1] == prompts.AGENT_SIGNED_IN


def test_whoever_keys_no_pin_has_not_guessed(open_office: Callable[..., Office]) -> None:
    """Silence and a lone # are no PINs."""
    office = open_office(pin_required=True, pins={"alice": PIN})
    call = office.dials("11", {prompts.AGENT_PIN: ["#", "", "#"]})
    assert call.heard == [prompts.AGENT_PIN, prompts.NOTHING_HEARD] * 3
    kept = office.kept()
    assert kept is not None
    assert kept.guesses == Guesses()


@pytest.mark.parametrize("keys", ["8371*8371#", "9*8371#"])
def test_a_pin_can_be_begun_again_with_the_star(open_office: Callable[..., Office], keys: str) -> None:
    """As a phone number can."""
    office = open_office(pin_required=True, pins={"alice": PIN})
    assert office.dials("11", {prompts.AGENT_PIN: [keys]}).heard[-1] == prompts.AGENT_SIGNED_IN


def test_no_pin_and_no_guess_is_ever_logged(open_office: Callable[..., Office]) -> None:
    """Neither the digits nor the hash."""
    office = open_office(pin_required=True, pins={"alice": PIN})
    with logged() as logs:
        office.dials("11", wrong(1, then=PIN))
    assert "a wrong PIN" in [line["event"] for line in logs]
    assert not any(secret in repr(logs) for secret in (PIN, "1111", "scrypt"))


def test_a_damaged_hash_lets_nobody_in_and_an_admin_is_told(open_office: Callable[..., Office]) -> None:
    """It is no wrong PIN."""
    office = open_office(pin_required=True)
    office.give_pin("alice", PIN)
    with logged() as logs:
        assert office.dials("11", KEYS_PIN).heard == [prompts.AGENT_PIN, prompts.AGENT_NOT_POSSIBLE]
    assert any(line["event"] == "set a PIN anew: controller agent pin NAME" for line in logs)
    kept = office.kept()
    assert kept is not None
    assert kept.guesses == Guesses()


def test_a_guess_that_could_not_be_counted_is_not_answered(open_office: Callable[..., Office]) -> None:
    """Else a full disk would make guessing free; a right PIN has to wait as well."""
    office = open_office(pin_required=True, pins={"alice": PIN})
    with office.theatre.database_locked():
        for presses in (wrong(1), KEYS_PIN):
            assert office.dials("11", presses).heard == [prompts.AGENT_PIN, prompts.AGENT_NOT_POSSIBLE]
    assert office.state() == "signed_out"


def test_an_agent_who_signed_in_with_a_pin_need_not_do_so_after_a_restart(open_office: Callable[..., Office]) -> None:
    """A restart at noon must not empty the floor."""
    office = open_office(pin_required=True, pins={"alice": PIN, "bob": PIN})
    office.dials("11", KEYS_PIN)
    office.restart()
    assert (office.state(), office.state("bob")) == ("available", "signed_out")
