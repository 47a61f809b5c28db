"""Customer first, in the line: agents are kept for customers on their way, dials start ahead, places are kept."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from controller.domain.agents import AgentState
from controller.domain.evidence import Evidence
from controller.domain.outcome import Outcome
from controller.domain.promise import Attempt, PromiseState
from controller.journeys import prompts
from controller.journeys.dialled import Dialled
from controller.journeys.house import Callbacks, DialMode
from controller.ports.survey import Role
from tests.journeys.scene import CARDS
from tests.journeys.scripted_call import Moment, Step
from tests.journeys.scripted_channel import Person

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.journeys.scene import Scene

NUMBER = "+819012345678"
OTHER = "+819012345679"
AGENT = Person(talks_s=None, patience_s=4000)
SAYS_YES = Person(answers_after_s=5, presses={prompts.CALLBACK_CONFIRM: ["1"]}, talks_s=40)
DEAF = Person(answers_after_s=None)
FIRST = replace(CARDS, callbacks=Callbacks(mode=DialMode.CUSTOMER_FIRST), wrap_up_s=20)
EVEN_CALLS_S = [100.0 + n % 3 for n in range(30)]


def test_a_free_agent_is_kept_while_the_customer_is_dialled_and_rung_when_they_have_said_yes(
    open_scene: Callable[..., Scene],
) -> None:
    """Not before: the agent's phone is silent until somebody wants to talk."""
    scene = open_scene({"alice": AGENT}, cards=FIRST)
    scene.promised(NUMBER, person=SAYS_YES)
    scene.pass_s(4)
    assert scene.states() == {"alice": AgentState.RESERVED}
    assert scene.pbx.of(Role.AGENT) == []
    scene.pass_s(20)
    assert scene.states() == {"alice": AgentState.ON_CALL}
    scene.pass_s(120)
    assert scene.promises()[0].last_outcome is Outcome.TALKED
    assert scene.states() == {"alice": AgentState.AVAILABLE}


def test_a_customer_who_does_not_answer_never_rings_an_agents_phone(open_scene: Callable[..., Scene]) -> None:
    """The agent is free again for the next in line."""
    scene = open_scene({"alice": AGENT}, cards=FIRST)
    scene.promised(NUMBER, person=DEAF)
    scene.pass_s(60)
    assert scene.promises()[0].last_outcome is Outcome.NO_ANSWER
    assert scene.pbx.of(Role.AGENT) == []
    assert scene.states() == {"alice": AgentState.AVAILABLE}


def test_a_caller_who_came_later_does_not_take_the_agent_who_is_kept(open_scene: Callable[..., Scene]) -> None:
    """The promise came first, and is served first."""
    scene = open_scene({"alice": AGENT}, cards=FIRST)
    scene.promised(NUMBER, person=SAYS_YES)
    scene.pass_s(2)
    caller = scene.rings(Person(talks_s=20), number="09012340002")
    scene.pass_s(200)
    (customer,) = scene.pbx.of(Role.CUSTOMER)
    assert (customer.talked_with, caller.talked_with) == (["agent-1"], ["agent-2"])


def busy_with_a_caller(scene: Scene, *, talks_s: float) -> None:
    """Let alice talk with a caller; calls have taken about a hundred seconds so far."""
    scene.keeper.outlook.note_handled("cards", *EVEN_CALLS_S)
    scene.rings(Person(talks_s=talks_s), number="09012340002")
    scene.pass_s(5)
    assert scene.states() == {"alice": AgentState.ON_CALL}


def customer_dialled_at(scene: Scene) -> list[tuple[float, AgentState]]:
    """Write down when customers are dialled, and what alice does at that moment."""
    seen: list[tuple[float, AgentState]] = []

    def watch(step: Step, moment: Moment) -> None:
        if (step.who, step.verb, moment) == ("customer", "dial", Moment.BEFORE):
            seen.append((scene.theatre.loop.time(), scene.desk.state_of("alice")))

    scene.pbx.plans.append(watch)
    return seen


def test_a_dial_starts_before_the_agent_is_free_and_they_meet(open_scene: Callable[..., Scene]) -> None:
    """In the wrap-up at the latest. The agent is kept from when it is over, and rung once the customer has said yes."""
    scene = open_scene({"alice": AGENT}, cards=FIRST)
    busy_with_a_caller(scene, talks_s=75)
    seen = customer_dialled_at(scene)
    scene.promised(NUMBER, person=replace(SAYS_YES, answers_after_s=14))
    scene.pass_s(20)
    assert seen == []
    scene.pass_s(220)
    assert [state for _, state in seen] in ([AgentState.ON_CALL], [AgentState.WRAP_UP])
    assert scene.promises()[0].last_outcome is Outcome.TALKED


def test_a_queue_that_has_measured_nothing_waits_for_a_free_agent(open_scene: Callable[..., Scene]) -> None:
    """On an assumption nobody is dialled ahead."""
    scene = open_scene({"alice": AGENT}, cards=FIRST)
    scene.rings(Person(talks_s=75), number="09012340002")
    scene.pass_s(5)
    seen = customer_dialled_at(scene)
    scene.promised(NUMBER, person=SAYS_YES)
    scene.pass_s(220)
    assert [state for _, state in seen] == [AgentState.RESERVED]


def test_nobody_is_dialled_ahead_for_an_agent_whom_a_caller_waits_for(open_scene: Callable[..., Scene]) -> None:
    """The caller came first: the agent's next call is theirs."""
    scene = open_scene({"alice": AGENT}, cards=FIRST)
    busy_with_a_caller(scene, talks_s=75)
    seen = customer_dialled_at(scene)
    caller = scene.rings(Person(talks_s=40), number="09012340003")
    scene.pass_s(1)
    scene.promised(NUMBER, person=SAYS_YES)
    scene.pass_s(100)
    assert len(caller.talked_with) == 1
    scene.pass_s(200)
    assert [customer.talked_with for customer in scene.pbx.of(Role.CUSTOMER)] == [["agent-3"]]
    assert seen[0][1] in {AgentState.ON_CALL, AgentState.WRAP_UP}


def test_a_customer_on_their_way_keeps_their_turn_against_those_who_came_later(
    open_scene: Callable[..., Scene],
) -> None:
    """The agent is free before they have said yes: kept for them, though a caller waits."""
    scene = open_scene({"alice": AGENT}, cards=replace(FIRST, wrap_up_s=5))
    busy_with_a_caller(scene, talks_s=88)
    scene.promised(NUMBER, person=replace(SAYS_YES, answers_after_s=28))
    scene.pass_s(2)
    caller = scene.rings(Person(talks_s=20), number="09012340003")
    for _ in range(600):
        if scene.states()["alice"] is AgentState.RESERVED:
            break
        scene.pass_s(0.2)
    assert [(customer.placed, customer.up) for customer in scene.pbx.of(Role.CUSTOMER)] == [(True, False)]
    assert scene.dialer.in_hand == {scene.promises()[0].id}
    assert len(scene.pbx.of(Role.AGENT)) == 1
    scene.pass_s(250)
    (customer,) = scene.pbx.of(Role.CUSTOMER)
    assert (customer.talked_with, caller.talked_with) == (["agent-2"], ["agent-3"])


def test_customers_who_were_left_alone_bring_the_queue_back_to_agent_first(open_scene: Callable[..., Scene]) -> None:
    """Above three in a hundred the agent is rung before the customer."""
    scene = open_scene({"alice": AGENT}, cards=FIRST, signed_in=False)
    earlier = replace(scene.promised(OTHER), state=PromiseState.DIALLING)
    now = scene.theatre.clock.now()
    attempt = Attempt("a", earlier.id, OTHER, "", now)
    for _ in range(4):
        scene.deck.note(earlier, Dialled(attempt, Outcome.ABANDONED, Evidence(confirmed_at=now)))
    scene.cancel(earlier)
    scene.registers("alice")
    order: list[str] = []

    def watch(step: Step, moment: Moment) -> None:
        if step.verb == "dial" and moment is Moment.BEFORE:
            order.append(step.who)

    scene.pbx.plans.append(watch)
    scene.promised(NUMBER, person=SAYS_YES)
    scene.pass_s(120)
    assert order == ["agent", "customer"]
    assert scene.promises()[1].state is PromiseState.FULFILLED


def test_who_hangs_up_on_deck_was_abandoned_and_that_is_counted(open_scene: Callable[..., Scene]) -> None:
    """The agent's phone rings out; the customer does not wait for the next."""
    slow = Person(answers_after_s=15, talks_s=None)
    scene = open_scene({"alice": slow}, cards=FIRST)
    scene.promised(NUMBER, person=replace(SAYS_YES, patience_s=14))
    scene.pass_s(60)
    assert scene.promises()[0].last_outcome is Outcome.ABANDONED
    assert scene.deck.record("cards").abandoned == (True,)
    assert scene.states()["alice"] in {AgentState.AVAILABLE, AgentState.WRAP_UP}


def test_a_customer_on_deck_is_at_the_front_again_after_a_restart(open_scene: Callable[..., Scene]) -> None:
    """They have said yes, and are not asked again."""
    scene = open_scene({"alice": AGENT}, cards=FIRST)
    busy_with_a_caller(scene, talks_s=75)
    scene.promised(NUMBER, person=replace(SAYS_YES, answers_after_s=1))
    for _ in range(600):
        if any(waiter.urgent for waiter in scene.keeper.waiters):
            break
        scene.pass_s(0.2)
    # The customer stands in line, and not the promise as well.
    assert scene.keeper.promises.ahead() == []
    later = scene.rings(Person(talks_s=20), number="09012340003")
    scene.restart()
    scene.pass_s(200)
    (customer,) = scene.pbx.of(Role.CUSTOMER)
    assert customer.heard.count(prompts.CALLBACK_CONFIRM) == 1
    assert scene.promises()[0].last_outcome is Outcome.TALKED
    assert len(later.talked_with) == 1
    assert customer.talked_with < later.talked_with


def test_who_says_yes_and_whose_agent_has_left_gets_the_one_who_is_kept_for_somebody_silent(
    open_scene: Callable[..., Scene],
) -> None:
    """Whoever is kept waits for nothing else; the silent one says yes later, and is served next."""
    scene = open_scene({"alice": AGENT, "bob": AGENT}, cards=FIRST, signed_in=False)
    scene.promised(NUMBER, person=SAYS_YES)
    scene.promised(OTHER, person=replace(SAYS_YES, answers_after_s=25))
    scene.registers("bob")
    scene.registers("alice")
    scene.pass_s(2)
    assert scene.states() == {"alice": AgentState.RESERVED, "bob": AgentState.RESERVED}
    scene.registers("bob", registered=False)
    scene.pass_s(15)
    assert scene.states()["alice"] is AgentState.ON_CALL
    scene.pass_s(150)
    first, second = scene.pbx.of(Role.CUSTOMER)
    assert (first.talked_with, second.talked_with) == (["agent-1"], ["agent-2"])
    assert [promise.last_outcome for promise in scene.promises()] == [Outcome.TALKED, Outcome.TALKED]
    assert scene.keeper.promises.ahead() == []


def test_an_agent_who_is_kept_for_a_silent_customer_stays_so_when_the_others_have_their_own(
    open_scene: Callable[..., Scene],
) -> None:
    """Who says yes is joined with the one that was kept for them."""
    scene = open_scene({"alice": AGENT, "bob": AGENT}, cards=FIRST, signed_in=False)
    scene.promised(NUMBER, person=SAYS_YES)
    scene.promised(OTHER, person=replace(SAYS_YES, answers_after_s=25))
    scene.registers("bob")
    scene.registers("alice")
    scene.pass_s(17)
    assert scene.states() == {"alice": AgentState.RESERVED, "bob": AgentState.ON_CALL}
