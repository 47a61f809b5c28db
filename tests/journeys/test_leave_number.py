"""Leaving a number: the one that is shown, or another that is keyed; and what is never acknowledged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from controller.domain.promise import PromiseState
from controller.journeys import prompts, spoken
from controller.ports.survey import Role
from tests.journeys.scripted_channel import Person

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.journeys.scene import Scene
    from tests.journeys.scripted_channel import Channel

LEAVES = {prompts.HOLD_OFFER: ["1"]}


def keying(*entries: str, confirm: Sequence[str] = ("1",), shown: Sequence[str] = ("2",)) -> Person:
    """Return somebody who presses 1 at the offer, `shown` for the number shown, and keys `entries`, one a question."""
    return Person(
        presses={
            **LEAVES,
            prompts.USE_THIS_NUMBER: shown,
            prompts.ENTER_NUMBER: entries,
            prompts.CONFIRM_NUMBER: confirm,
        },
        patience_s=200,
    )


def played(scene: Scene, person: Person, *, number: str | None = "09012345678") -> Channel:
    """Let somebody call while no agent is there, until they have hung up."""
    caller = scene.rings(person, number=number)
    scene.pass_s(250)
    assert caller.gone
    assert scene.keeper.waiters == [] or not [each for each in scene.keeper.waiters if each.id == caller.id]
    return caller


def test_pressing_1_and_1_again_promises_a_call_to_the_number_shown_and_keeps_the_place(
    open_scene: Callable[..., Scene],
) -> None:
    """The number is read back in groups; the promise stands in line where the caller stood."""
    scene = open_scene()
    caller = played(scene, Person(presses={**LEAVES, prompts.USE_THIS_NUMBER: ["1"]}))
    (promise,) = scene.promises()
    assert (promise.number, promise.queue, promise.language) == ("+819012345678", "cards", "ja")
    assert promise.state is PromiseState.WAITING
    assert promise.since == caller.facts.arrived_at
    begin = caller.heard.index(prompts.OFFER_CALLING_NUMBER)
    assert caller.heard[begin:] == [
        prompts.OFFER_CALLING_NUMBER,
        *spoken.number("090-1234-5678"),
        prompts.USE_THIS_NUMBER,
        prompts.PROMISE_MADE,
    ]
    assert scene.endings() == {caller.id: "promised"}
    assert caller.hung_up_by == "controller"


def test_the_key_works_at_any_time_on_hold_also_during_the_greeting(open_scene: Callable[..., Scene]) -> None:
    """Who knows the system does not have to hear it out."""
    scene = open_scene()
    played(scene, Person(presses={prompts.WELCOME: ["1"], prompts.OFFER_CALLING_NUMBER: ["1"]}))
    assert [promise.number for promise in scene.promises()] == ["+819012345678"]


def test_another_number_is_keyed_read_back_and_promised(open_scene: Callable[..., Scene]) -> None:
    """Ended by the hash."""
    scene = open_scene()
    caller = played(scene, keying("0312345678#"))
    assert [promise.number for promise in scene.promises()] == ["+81312345678"]
    begin = caller.heard.index(prompts.YOU_ENTERED)
    assert caller.heard[begin : begin + 14] == [
        prompts.YOU_ENTERED,
        *spoken.number("03-1234-5678"),
        prompts.CONFIRM_NUMBER,
    ]


def test_a_number_is_also_ended_by_a_pause_and_can_be_begun_afresh_with_a_star(
    open_scene: Callable[..., Scene],
) -> None:
    """Four seconds without a key."""
    scene = open_scene()
    played(scene, keying("0900*0312345678"))
    assert [promise.number for promise in scene.promises()] == ["+81312345678"]


def test_an_anonymous_caller_keys_a_number_and_is_not_asked_about_one(open_scene: Callable[..., Scene]) -> None:
    """There is none to read back."""
    scene = open_scene()
    caller = played(scene, keying("09012345678#"), number=None)
    assert prompts.OFFER_CALLING_NUMBER not in caller.heard
    assert [promise.number for promise in scene.promises()] == ["+819012345678"]


@pytest.mark.parametrize("number", ["0120123456", "0570012345", "110", "+14155550123", "anonymous"])
def test_a_shown_number_that_may_not_be_dialled_is_not_offered(open_scene: Callable[..., Scene], number: str) -> None:
    """The caller keys one, as if there were none."""
    scene = open_scene()
    caller = played(scene, keying("09012345678#"), number=number)
    assert prompts.OFFER_CALLING_NUMBER not in caller.heard
    assert [promise.number for promise in scene.promises()] == ["+819012345678"]


@pytest.mark.parametrize(
    ("entry", "answer"),
    [
        ("0901#", prompts.NUMBER_TOO_SHORT),
        ("ABCD#", prompts.NUMBER_INVALID),
        ("999999999999999", prompts.NUMBER_INVALID),
        ("0120123456#", prompts.NUMBER_FREEPHONE),
        ("08001234567#", prompts.NUMBER_FREEPHONE),
        ("0570012345#", prompts.NUMBER_NAVI),
        ("0990512345#", prompts.NUMBER_PREMIUM),
        ("01014155550123#", prompts.NUMBER_ABROAD),
        ("#", prompts.NOTHING_HEARD),
        ("", prompts.NOTHING_HEARD),
    ],
)
def test_a_wrong_number_is_refused_with_its_reason_and_asked_for_again(
    open_scene: Callable[..., Scene], entry: str, answer: str
) -> None:
    """The second try counts like the first."""
    scene = open_scene()
    caller = played(scene, keying(entry, "09012345678#"))
    after = caller.heard.index(prompts.ENTER_NUMBER) + 1
    assert caller.heard[after] == answer
    assert [promise.number for promise in scene.promises()] == ["+819012345678"]


def test_whoever_says_that_the_number_was_heard_wrong_keys_it_again(open_scene: Callable[..., Scene]) -> None:
    """2 at the read-back."""
    scene = open_scene()
    played(scene, keying("0312345678#", "0612345678#", confirm=["2", "1"]))
    assert [promise.number for promise in scene.promises()] == ["+81612345678"]


def test_three_failures_put_the_caller_back_on_hold_in_the_same_place(open_scene: Callable[..., Scene]) -> None:
    """Nobody is thrown out for a number that cannot be keyed."""
    scene = open_scene({"alice": Person()}, signed_in=False)
    caller = scene.rings(keying("1#", "2#", "3#"))
    scene.pass_s(1)
    behind = scene.rings(Person(talks_s=None), number="09012340002")
    scene.pass_s(100)
    assert caller.heard.count(prompts.ENTER_NUMBER) == 3
    assert prompts.BACK_TO_HOLD in caller.heard
    assert (caller.held_in, scene.promises()) == ("cards", [])
    scene.registers("alice")
    scene.pass_s(5)
    assert (caller.talked_with, behind.talked_with) == (["agent-1"], [])


def test_a_key_that_is_not_on_the_menu_has_the_question_repeated(open_scene: Callable[..., Scene]) -> None:
    """Also the hash and the star."""
    scene = open_scene()
    caller = played(scene, Person(presses={**LEAVES, prompts.USE_THIS_NUMBER: ["#", "*", "1"]}))
    assert caller.heard.count(prompts.USE_THIS_NUMBER) == 3
    assert len(scene.promises()) == 1


def test_whoever_confirms_nothing_has_promised_nothing(open_scene: Callable[..., Scene]) -> None:
    """Three times the read-back, without a key."""
    scene = open_scene()
    caller = played(scene, keying("0312345678#", confirm=[]))
    assert caller.heard.count(prompts.CONFIRM_NUMBER) == 3
    assert scene.promises() == []


def test_a_number_that_holds_a_promise_keeps_it_and_its_first_place(open_scene: Callable[..., Scene]) -> None:
    """Recognised when they ring again, and told so when they leave the number once more: one promise, not two."""
    scene = open_scene()
    earlier = scene.promised("+819012345678")
    scene.pass_s(60)
    caller = scene.rings(Person(presses={prompts.WELCOME_BACK: ["1"], prompts.USE_THIS_NUMBER: ["1"]}))
    scene.pass_s(60)
    assert caller.heard[:2] == [prompts.WELCOME, prompts.WELCOME_BACK]
    (kept,) = scene.promises()
    assert (kept.id, kept.since, kept.state) == (earlier.id, earlier.since, PromiseState.WAITING)
    assert caller.heard[-2:] == [prompts.PROMISE_EXISTS, prompts.GOODBYE]
    assert prompts.PROMISE_MADE not in caller.heard
    assert scene.endings() == {caller.id: "promised"}


def test_a_promise_that_the_database_refuses_is_not_acknowledged_and_the_caller_holds_on(
    open_scene: Callable[..., Scene],
) -> None:
    """Told so, kept in line, and served by an agent; and the next try, with the database back, is kept."""
    scene = open_scene()
    caller = scene.rings(
        Person(
            presses={
                prompts.HOLD_OFFER: ["1"],
                prompts.OFFER: ["1"],
                prompts.USE_THIS_NUMBER: ["1", "1"],
            }
        )
    )
    scene.pass_s(3)
    with scene.theatre.database_locked():
        scene.pass_s(27)
    assert prompts.PROMISE_FAILED in caller.heard
    assert prompts.PROMISE_MADE not in caller.heard
    assert (caller.held_in, scene.promises()) == ("cards", [])
    scene.pass_s(60)
    assert prompts.PROMISE_MADE in caller.heard
    assert len(scene.promises()) == 1


def test_whoever_hangs_up_before_the_end_of_the_acknowledgement_keeps_the_promise(
    open_scene: Callable[..., Scene],
) -> None:
    """It was made before it was spoken."""
    scene = open_scene()
    caller = scene.rings(Person(presses={**LEAVES, prompts.USE_THIS_NUMBER: ["1"]}))

    def impatient(_step: object, _moment: object) -> None:
        if prompts.PROMISE_MADE in caller.heard:
            caller.hang_up("person")

    scene.pbx.plans.append(impatient)
    scene.pass_s(60)
    caller.hang_up("person")
    scene.pass_s(1)
    assert len(scene.promises()) == 1
    assert scene.endings() == {caller.id: "promised"}


def test_nobody_gets_an_agent_while_leaving_a_number_and_the_next_in_line_does(
    open_scene: Callable[..., Scene],
) -> None:
    """The place is kept, the agent goes to who can use one."""
    scene = open_scene({"alice": Person()}, signed_in=False)
    first = scene.rings(keying("0312345678", confirm=["2", "2", "2"]))
    scene.pass_s(1)
    second = scene.rings(Person(talks_s=None), number="09012340002")
    scene.pass_s(10)
    assert first.held_in is None
    scene.registers("alice")
    scene.pass_s(5)
    assert (first.talked_with, second.talked_with) == ([], ["agent-1"])
    assert scene.keeper.waiters[0].id == first.id
    assert scene.pbx.of(Role.CUSTOMER) == []


def test_a_number_that_asked_not_to_be_called_is_refused_and_another_can_be_keyed(
    open_scene: Callable[..., Scene],
) -> None:
    """Nobody is promised a call that would never be placed."""
    scene = open_scene(signed_in=False)
    scene.blocks("+819012345678")
    keys = {prompts.HOLD_OFFER: ["1"], prompts.USE_THIS_NUMBER: ["1"]}
    keys |= {prompts.ENTER_NUMBER: ["09087654321#"], prompts.CONFIRM_NUMBER: ["1"]}
    caller = scene.rings(Person(presses=keys), number="09012345678")
    scene.pass_s(120)
    assert prompts.NUMBER_NOT_ALLOWED in caller.heard
    assert [promise.number for promise in scene.promises()] == ["+819087654321"]
    assert caller.heard[-1] == prompts.PROMISE_MADE
