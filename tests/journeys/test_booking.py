"""The page behind a booking link: what it shows, and that it changes one thing, once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from controller.domain.lifecycle import CustomerConnected
from controller.domain.promise import PromiseState
from controller.domain.signed import Purpose
from controller.journeys import booking, prompts
from controller.ports.links import BookingLink, Done, LinkSpent, TooLate
from controller.ports.promises import NumberBlocked, SlotFull
from controller.ports.survey import Role
from controller.store.tables import metadata
from tests.journeys.scripted_channel import Person
from tests.journeys.writing import HALF_HOURS, NUMBER, OTHER, Writing, dialled

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from controller.domain.promise import Promise
    from tests.journeys.scene import Scene

AGENT = Person(talks_s=None, patience_s=400)
SAYS_YES = Person(answers_after_s=2, presses={prompts.CALLBACK_CONFIRM: ["1"]}, talks_s=30)
DEAF = Person(answers_after_s=None)


def link_for(
    scene: Scene, number: str = NUMBER, *, promise: Promise | None = None, queue: str = "cards"
) -> BookingLink:
    """Return a link that was just issued: for a promise, or to book one."""
    link = BookingLink(
        id=f"{int(scene.theatre.new_id().removeprefix('id')):018x}",
        purpose=Purpose.BOOK if promise is None else Purpose.PROMISE,
        queue=queue,
        number=number,
        language="ja",
        expires_at=scene.theatre.clock.now() + timedelta(hours=48),
        promise_id=promise.id if promise else None,
    )
    return scene.theatre.outside(scene.theatre.store.links.issue(link))


def again(scene: Scene, link: BookingLink) -> BookingLink:
    """Return a link as whoever opens it now finds it."""
    found = scene.theatre.outside(scene.theatre.store.links.find(link.id, scene.theatre.clock.now()))
    assert found is not None
    return found


def run(scene: Scene, work: Coroutine[Any, Any, Any]) -> Any:
    """Let it happen on the stage."""
    return scene.theatre.loop.run_until_complete(work)


def everything(scene: Scene) -> dict[str, list[tuple[Any, ...]]]:
    """Return the whole database."""
    return {table.name: scene.theatre.sql(f"SELECT * FROM {table.name}") for table in metadata.sorted_tables}  # noqa: S608 - our own names


def test_looking_at_a_link_changes_nothing(open_scene: Callable[..., Scene]) -> None:
    """Whoever delivers the message may open it, as often as they like: the whole database stays as it was."""
    scene = open_scene(cards=HALF_HOURS)
    links = [link_for(scene, promise=scene.promised(NUMBER)), link_for(scene, OTHER)]
    before = everything(scene)
    for link in links:
        view = run(scene, booking.look(link, scene.house))
        assert (view.can_ask, view.is_spent, view.can_refuse) == (True, False, True)
        assert len(view.windows) > 20
    assert everything(scene) == before


def test_a_window_that_is_offered_can_be_booked_and_is_confirmed(open_scene: Callable[..., Scene]) -> None:
    """The link is spent then, and shows what was decided."""
    scene = open_scene(cards=HALF_HOURS)
    link = link_for(scene)
    window = run(scene, booking.look(link, scene.house)).windows[3]
    done = run(scene, booking.book(link, window.starts_at, scene.house))
    (promise,) = scene.promises()
    assert done == Done((promise,))
    assert (promise.slot, promise.number) == (window, NUMBER)
    assert [template for template, _ in Writing(scene).owed()] == ["confirmed"]
    view = run(scene, booking.look(again(scene, link), scene.house))
    assert (view.is_spent, view.promise, view.windows) == (True, promise, ())
    assert (view.can_ask, view.can_withdraw, view.can_refuse) == (False, False, False)


def test_a_used_link_shows_the_promise_that_it_made_though_it_is_over(open_scene: Callable[..., Scene]) -> None:
    """And not another one that the number has asked for since."""
    scene = open_scene()
    link = link_for(scene)
    run(scene, booking.call_now(link, scene.house))
    (made,) = scene.promises()
    scene.cancel(made)
    scene.promised(NUMBER)
    view = run(scene, booking.look(again(scene, link), scene.house))
    assert view.promise is not None
    assert (view.promise.id, view.promise.state, view.can_withdraw) == (made.id, PromiseState.CANCELLED, False)


def test_the_link_of_a_promise_moves_it(open_scene: Callable[..., Scene]) -> None:
    """No second one is made."""
    scene = open_scene(cards=HALF_HOURS)
    link = link_for(scene, promise=scene.promised(NUMBER))
    window = run(scene, booking.look(link, scene.house)).windows[0]
    run(scene, booking.book(link, window.starts_at, scene.house))
    assert [each.slot for each in scene.promises()] == [window]


def test_a_promise_that_is_over_is_asked_for_anew(open_scene: Callable[..., Scene]) -> None:
    """By the link in the SMS that said so."""
    scene = open_scene()
    over = scene.promised(NUMBER)
    scene.cancel(over)
    link = link_for(scene, promise=over)
    view = run(scene, booking.look(link, scene.house))
    assert view.promise is not None
    assert (view.promise.state, view.can_ask, view.can_withdraw) == (PromiseState.CANCELLED, True, False)
    assert isinstance(run(scene, booking.call_now(link, scene.house)), Done)
    assert sorted(each.state for each in scene.promises()) == [PromiseState.CANCELLED, PromiseState.WAITING]


@pytest.mark.parametrize("minutes", [7, -60, 60 * 24 * 30])
def test_what_is_not_offered_cannot_be_booked(open_scene: Callable[..., Scene], minutes: int) -> None:
    """Beside the windows, in the past, too far off: the link is as good as before."""
    scene = open_scene(cards=HALF_HOURS)
    link = link_for(scene)
    window = run(scene, booking.look(link, scene.house)).windows[0]
    starts_at = window.starts_at + timedelta(minutes=minutes)
    assert run(scene, booking.book(link, starts_at, scene.house)) == SlotFull()
    assert (scene.promises(), again(scene, link).used_at) == ([], None)


def test_of_two_who_want_the_last_place_one_gets_it(open_scene: Callable[..., Scene]) -> None:
    """The other's link is good for another window, which is free still."""
    scene = open_scene(cards=HALF_HOURS)
    links = [link_for(scene), link_for(scene, OTHER)]
    windows = run(scene, booking.look(links[0], scene.house)).windows

    async def both() -> list[Any]:
        return await asyncio.gather(*(booking.book(link, windows[0].starts_at, scene.house) for link in links))

    answers = run(scene, both())
    assert sorted(type(each).__name__ for each in answers) == ["Done", "SlotFull"]
    loser = links[answers.index(SlotFull())]
    view = run(scene, booking.look(again(scene, loser), scene.house))
    assert (view.can_ask, windows[0] in view.windows, windows[1] in view.windows) == (True, False, True)
    assert isinstance(run(scene, booking.book(loser, windows[1].starts_at, scene.house)), Done)


@pytest.mark.parametrize("times", [2, 10])
def test_a_link_that_is_used_by_many_at_once_is_used_once(open_scene: Callable[..., Scene], times: int) -> None:
    """Each wants another time."""
    scene = open_scene(cards=HALF_HOURS)
    link = link_for(scene)
    windows = run(scene, booking.look(link, scene.house)).windows[:times]

    async def all_of_them() -> list[Any]:
        return await asyncio.gather(*(booking.book(link, each.starts_at, scene.house) for each in windows))

    answers = run(scene, all_of_them())
    assert [type(each) for each in answers].count(Done) == 1
    assert [type(each) for each in answers].count(LinkSpent) == times - 1
    assert len(scene.promises()) == 1


def test_who_wants_to_be_called_now_is_called_when_it_is_their_turn(open_scene: Callable[..., Scene]) -> None:
    """No agent is set aside before that: the promise stands in line."""
    scene = open_scene({"alice": AGENT}, signed_in=False)
    scene.pbx.customers[NUMBER] = SAYS_YES
    link = link_for(scene)
    assert isinstance(run(scene, booking.call_now(link, scene.house)), Done)
    scene.pass_s(60)
    assert [each.state for each in scene.promises()] == [PromiseState.WAITING]
    scene.registers("alice")
    scene.pass_s(60)
    assert [each.state for each in scene.promises()] == [PromiseState.FULFILLED]
    assert Writing(scene).owed() == []


def test_who_withdraws_while_their_phone_rings_is_rung_no_longer(open_scene: Callable[..., Scene]) -> None:
    """And not called again."""
    scene = open_scene({"alice": AGENT})
    promise = scene.promised(NUMBER, person=DEAF)
    link = link_for(scene, promise=promise)
    scene.pass_s(15)
    assert [each.state for each in scene.promises()] == [PromiseState.DIALLING]
    assert isinstance(run(scene, booking.withdraw(link, scene.house)), Done)
    scene.pass_s(1)
    assert [each.hung_up_by for each in scene.pbx.of(Role.CUSTOMER)] == ["controller"]
    scene.pass_s(4000)
    assert scene.attempts() == [("alice", "withdrawn")]


def test_a_talk_cannot_be_withdrawn_and_leaves_the_link_as_it_is(open_scene: Callable[..., Scene]) -> None:
    """The page offers neither that nor a time meanwhile."""
    scene = open_scene()
    promise = scene.promised(NUMBER)
    link = link_for(scene, promise=promise)
    dialled(scene, promise)
    scene.theatre.outside(scene.theatre.store.promises.advance(promise.id, CustomerConnected()))
    view = run(scene, booking.look(link, scene.house))
    assert (view.can_ask, view.can_withdraw, view.can_refuse, view.windows) == (False, False, True, ())
    assert run(scene, booking.withdraw(link, scene.house)) == TooLate()
    assert again(scene, link).used_at is None


def test_this_was_not_me_ends_every_promise_of_the_number_for_good(open_scene: Callable[..., Scene]) -> None:
    """With every queue; and no other link of the number is good for a call any more."""
    scene = open_scene()
    promise = scene.promised(NUMBER)
    scene.promised(NUMBER, queue="loans")
    link, another = link_for(scene, promise=promise), link_for(scene)
    done = run(scene, booking.never_again(link, scene.house))
    assert isinstance(done, Done)
    assert [each.state for each in scene.promises()] == [PromiseState.CANCELLED] * 2
    assert scene.theatre.outside(scene.theatre.store.do_not_call.is_blocked(NUMBER))
    view = run(scene, booking.look(another, scene.house))
    assert (view.can_ask, view.is_never_called, view.windows) == (False, True, ())
    assert run(scene, booking.call_now(another, scene.house)) == NumberBlocked()


def test_the_link_of_a_queue_that_is_no_more_books_nothing(open_scene: Callable[..., Scene]) -> None:
    """It can be read, and its number be put on the list."""
    scene = open_scene()
    link = link_for(scene, queue="gone")
    view = run(scene, booking.look(link, scene.house))
    assert (view.can_ask, view.is_served, view.can_refuse, view.windows) == (False, False, True, ())
    assert run(scene, booking.call_now(link, scene.house)) == SlotFull()
    soon = scene.theatre.clock.now()
    assert run(scene, booking.book(link, soon, scene.house)) == SlotFull()
    assert scene.promises() == []


def test_ones_own_window_is_offered_though_it_is_full(open_scene: Callable[..., Scene]) -> None:
    """To its owner alone."""
    scene = open_scene(cards=HALF_HOURS)
    link = link_for(scene)
    window = run(scene, booking.look(link, scene.house)).windows[0]
    run(scene, booking.book(link, window.starts_at, scene.house))
    own, others = (run(scene, booking.look(link_for(scene, each), scene.house)) for each in (NUMBER, OTHER))
    assert (own.windows[0], window in others.windows) == (window, False)
