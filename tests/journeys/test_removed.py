"""An Asterisk was renamed in the settings while a call to a customer was up: nobody waits for its end for ever."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, TypeVar, cast

import pytest

from controller.domain.lifecycle import CustomerConnected
from controller.domain.line import WaiterKind
from controller.domain.promise import Attempt, Promise, PromiseState
from controller.domain.recording import Consent, Recording
from controller.ports.lease import lease_of_pbx
from controller.ports.promises import Made, NewPromise
from controller.workers.removed import RemovedAsterisks
from tests.journeys.virtual_time import Watched

if TYPE_CHECKING:
    from tests.journeys.theatre import Theatre

T = TypeVar("T")

OLD = "pbx-old"
LASTS_S = 3.0


@pytest.fixture
def dialled(theatre: Theatre) -> Promise:
    """Make a promise whose customer is being dialled through an Asterisk, and a caller who waits there."""
    theatre.empty()
    store, clock = theatre.store, theatre.clock
    lease = theatre.outside(store.leases.take(lease_of_pbx(OLD), "life-1", "controller-1", LASTS_S))
    made = theatre.outside(store.promises.make(NewPromise("cards", "+819012345678", "ja", clock.now(), "call")))
    assert isinstance(made, Made)
    attempt = Attempt("a1", made.promise.id, made.promise.number, "alice", clock.now(), term=lease.term, pbx=OLD)
    opened = theatre.outside(store.promises.open_attempt(made.promise, attempt))
    assert isinstance(opened, Promise)
    arrived = store.calls.arrived("c1", dialled="0312345678", number=None, arrived_at=clock.now(), pbx=OLD)
    theatre.outside(arrived)
    return opened


def looking(theatre: Theatre, *known: str) -> RemovedAsterisks:
    """Return what looks, in a controller that has these in its settings."""

    def watched(book: T) -> T:
        return cast("T", Watched(book, theatre.loop, lambda _name: nullcontext()))

    store = theatre.store
    books = watched(store.leases), watched(store.promises), watched(store.calls), watched(store.recordings)
    return RemovedAsterisks(*books, theatre.clock, known=known)


def settle(theatre: Theatre, *known: str, after_s: float = 2 * LASTS_S) -> None:
    """Have a controller look that has these in its settings."""
    theatre.loop.run_until_complete(looking(theatre, *known).settle(after_s=after_s))


def outcomes(theatre: Theatre) -> tuple[str | None, str | None]:
    """Return how attempt and call ended."""
    ((attempt,),) = theatre.sql("SELECT outcome FROM attempts")
    ((call,),) = theatre.sql("SELECT ending FROM calls")
    return attempt, call


def test_an_attempt_through_an_asterisk_that_is_gone_is_settled_as_unknown(theatre: Theatre, dialled: Promise) -> None:
    """It counts, and the customer is called again after the usual gap."""
    settle(theatre, "asterisk")
    assert outcomes(theatre) == ("unknown", "abandoned")
    assert theatre.outside(theatre.store.promises.get(dialled.id)).state is PromiseState.WAITING


def test_whoever_talked_was_served(theatre: Theatre, dialled: Promise) -> None:
    """Nobody is called again."""
    theatre.outside(theatre.store.promises.advance(dialled.id, CustomerConnected()))
    settle(theatre, "asterisk")
    assert outcomes(theatre)[0] == "talked"
    assert theatre.outside(theatre.store.promises.get(dialled.id)).state is PromiseState.FULFILLED


def test_a_recording_there_is_over_so_that_it_can_become_too_old(theatre: Theatre, dialled: Promise) -> None:
    """Of what goes on, the retention takes nothing."""
    talk = Recording(
        "r1",
        dialled.id,
        WaiterKind.PROMISE,
        pbx=OLD,
        queue="cards",
        agent="alice",
        consent=Consent.TOLD,
        began_at=theatre.clock.now(),
        number=dialled.number,
    )
    theatre.outside(theatre.store.recordings.begin(talk))
    settle(theatre, "asterisk")
    kept = theatre.outside(theatre.store.recordings.find("r1"))
    assert kept is not None
    assert kept.ended_at is not None


def test_one_that_is_in_the_settings_is_its_own_office_s_business(theatre: Theatre, dialled: Promise) -> None:
    """Also while nobody works for it: its calls may be live."""
    settle(theatre, "asterisk", OLD)
    assert outcomes(theatre) == (None, None)
    assert dialled.state is PromiseState.DIALLING


def test_one_that_another_controller_works_for_is_left_alone(theatre: Theatre, dialled: Promise) -> None:
    """With the settings of before."""
    settle(theatre, "asterisk", after_s=LASTS_S / 2)
    assert outcomes(theatre) == (None, None)
    assert dialled.state is PromiseState.DIALLING


def test_a_database_that_is_away_is_asked_again(theatre: Theatre, dialled: Promise) -> None:
    """It has time."""
    loop, removed = theatre.loop, looking(theatre)
    with theatre.database_locked():
        settling = loop.create_task(removed.settle(after_s=2 * LASTS_S))
        theatre.loop.run_until_complete(theatre.clock.sleep(3 * LASTS_S))
        assert outcomes(theatre) == (None, None)
    loop.run_until_complete(settling)
    assert outcomes(theatre) == ("unknown", "abandoned")
    assert dialled.version < theatre.outside(theatre.store.promises.get(dialled.id)).version
