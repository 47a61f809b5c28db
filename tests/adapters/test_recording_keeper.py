"""What one Asterisk records is known after a restart and after a lost connection, and so is its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from controller.domain.recording import RecordingState
from controller.workers.recording_keeper import LOOK_AGAIN_S, LOOK_TWICE_S
from tests.adapters.recording_office import Office, Shelf
from tests.contract.recorded import begun, later
from tests.contract.store_under_test import HandClock, store_at

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from controller.store import Store


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """Open a database of its own."""
    async with store_at(f"sqlite+aiosqlite:///{tmp_path}/orikaeshi.db", HandClock()) as opened:
        yield opened


@pytest.fixture
def clock() -> HandClock:
    """Stand an hour after the recordings of these tests have begun."""
    return HandClock(later(60))


async def test_what_the_pbx_records_no_more_is_over_and_what_it_does_is_known_again(
    store: Store, clock: HandClock
) -> None:
    """After a restart: neither is seen by a journey that began it. Another Asterisk's are left alone."""
    await begun(store, "gone", agent="taro")
    await begun(store, "goes-on")
    await begun(store, "elsewhere", pbx="pbx-2", agent="jiro")
    office = Office(store, clock, Shelf("goes-on"))
    async with office.open():
        assert office.shelf.asked == {}
        assert await office.connects() == [LOOK_TWICE_S, LOOK_AGAIN_S]
        await office.looks_twice()
    found = await store.recordings.find("gone")
    assert found is not None
    assert found.ended_at == clock.now()
    assert office.recorded.of("hanako") == ("goes-on", RecordingState.RUNNING)
    assert office.recorded.of("taro") is office.recorded.of("jiro") is None
    assert not await office.is_over("goes-on")
    assert office.shelf.asked.keys() == {"gone", "goes-on"}
    assert office.shelf.paused == []


async def test_a_pause_outlasts_a_restart_whatever_the_pbx_made_of_it(store: Store, clock: HandClock) -> None:
    """The number of a card that is being said is not to be kept because of us."""
    await begun(store)
    await store.recordings.note_pause("r-1", later(1))
    office = Office(store, clock, Shelf("r-1"))
    async with office.open():
        await office.connects()
    assert office.shelf.paused == ["r-1"]
    assert office.recorded.of("hanako") == ("r-1", RecordingState.PAUSED)


async def test_a_pause_is_made_sure_of_also_where_the_journey_of_the_talk_was_quicker(
    store: Store, clock: HandClock
) -> None:
    """Once for each connection, when the PBX can be asked: whoever goes on with it later is not hindered."""
    await begun(store)
    await store.recordings.note_pause("r-1", later(1))
    office = Office(store, clock, Shelf("r-1"))
    office.recorded.begun("hanako", "r-1", paused=True)
    office.shelf.is_away = True
    async with office.open():
        assert await office.connects() == [1.0, LOOK_AGAIN_S]
        assert office.shelf.paused == []
        office.shelf.is_away = False
        await office.later(1.0, times=1)
        assert office.shelf.paused == ["r-1"]
        await office.later(LOOK_AGAIN_S)
        assert office.shelf.paused == ["r-1"]
        # They went on with it while the database was away: how the PBX has it counts.
        office.recorded.set_paused("r-1", paused=False)
        await office.connects()
    assert office.shelf.paused == ["r-1"]


async def test_a_connection_that_is_made_while_we_look_is_looked_at_like_any_other(
    store: Store, clock: HandClock
) -> None:
    """The PBX may have been started anew in between, and have lost the pause."""
    await begun(store)
    await store.recordings.note_pause("r-1", later(1))
    office = Office(store, clock, Shelf("r-1"))
    office.recorded.begun("hanako", "r-1", paused=True)
    office.shelf.meanwhile.append(office.keeper.connected)
    async with office.open():
        office.keeper.connected()
        while office.shelf.paused != ["r-1", "r-1"]:
            await office.rests(1)


async def test_the_agents_next_talk_is_not_taken_for_the_one_before(store: Store, clock: HandClock) -> None:
    """Its journey was quicker: the buttons at the desk are for what is said now."""
    await begun(store)
    office = Office(store, clock, Shelf("r-1"))
    office.recorded.begun("hanako", "r-2")
    async with office.open():
        await office.connects()
    assert office.recorded.of("hanako") == ("r-2", RecordingState.RUNNING)


async def test_a_talk_that_ends_after_it_was_found_is_over_within_a_minute(store: Store, clock: HandClock) -> None:
    """Its journey may have ended before the recording was known again, and then nobody else sees it."""
    await begun(store)
    office = Office(store, clock, Shelf("r-1"))
    async with office.open():
        await office.connects()
        await office.later(LOOK_AGAIN_S)
        assert not await office.is_over()
        office.shelf.going_on.clear()
        await office.later(LOOK_AGAIN_S)
        await office.looks_twice()
        assert await office.is_over()
    assert office.recorded.of("hanako") is None


async def test_what_a_journey_of_ours_has_in_hand_is_not_asked_about(store: Store, clock: HandClock) -> None:
    """It sees the end itself; five hundred talks are not five hundred questions a minute."""
    office = Office(store, clock, Shelf("r-1"))
    async with office.open():
        await office.connects()
        await begun(store, began_at=clock.now())
        office.recorded.begun("hanako", "r-1")
        await office.connects()
        for _ in range(3):
            await office.later(LOOK_AGAIN_S)
    assert office.shelf.asked == {}


async def test_a_row_whose_recording_is_only_about_to_begin_is_let_be(store: Store, clock: HandClock) -> None:
    """The row is first. The connection may be lost in between, however often: then the request is sent again."""
    await begun(store)
    office = Office(store, clock, Shelf())
    async with office.open():
        await office.connects()
        for _ in range(3):
            clock.turn(LOOK_TWICE_S - 1)
            assert await office.connects() == [LOOK_TWICE_S, LOOK_AGAIN_S]
        office.shelf.going_on.add("r-1")
        assert await office.later(LOOK_TWICE_S, times=1) == [LOOK_AGAIN_S]
        assert not await office.is_over()
    assert office.recorded.of("hanako") == ("r-1", RecordingState.RUNNING)


async def test_a_pbx_that_is_asked_twice_in_a_second_has_still_been_given_no_time(
    store: Store, clock: HandClock
) -> None:
    """A look that failed half way is repeated soon; that is not the second one."""
    await begun(store, "r-1")
    await begun(store, "r-2", agent="taro", began_at=later(1))
    office = Office(store, clock, Shelf())
    office.shelf.fails_for = "r-2"
    async with office.open():
        assert await office.connects() == [1.0, LOOK_AGAIN_S]
        office.shelf.fails_for = ""
        assert await office.later(1.0, times=1) == [LOOK_TWICE_S]
        assert not await office.is_over("r-1")
        assert await office.later(LOOK_TWICE_S, times=1) == [LOOK_AGAIN_S]
        assert await office.is_over("r-1")
        assert await office.is_over("r-2")


async def test_a_pbx_that_cannot_be_asked_about_what_goes_on_is_asked_again(store: Store, clock: HandClock) -> None:
    """Nothing is taken for over because nobody answered."""
    await begun(store)
    office = Office(store, clock, Shelf())
    office.shelf.is_away = True
    async with office.open():
        assert await office.connects() == [1.0, LOOK_AGAIN_S]
        assert await office.later(1.0, times=1) == [2.0]
        assert not await office.is_over()
        office.shelf.is_away = False
        assert await office.later(2.0, times=1) == [LOOK_TWICE_S]
        await office.looks_twice()
        assert await office.is_over()
