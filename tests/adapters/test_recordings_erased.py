"""The sound of what nobody wants any more is erased, whatever stands in the way of it for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from controller.domain.retention import Period
from controller.ports.promises import StoreUnavailableError
from controller.store.recordings import StoredRecordingBook
from controller.workers.recording_keeper import BATCH, LOOK_AGAIN_S, MOST_REFUSALS, RecordingKeeper
from tests.adapters.recording_office import Office, Shelf, unwanted
from tests.contract.recorded import later, over
from tests.contract.store_under_test import NOON, NUMBER, HandClock, store_at

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


async def test_unwanted_sound_goes_at_the_start_and_then_as_soon_as_somebody_wants_it_no_more(
    store: Store, clock: HandClock
) -> None:
    """By hand, because its customer is forgotten, or because its time is over; nothing else goes."""
    await unwanted(store, "before")
    await over(store, "kept", began_at=later(30), number="")
    shelf = Shelf(kept=("before", "by-hand", "forgotten", "old", "kept"))
    office = Office(store, clock, shelf)
    async with office.open():
        assert shelf.kept == {"by-hand", "forgotten", "old", "kept"}
        await unwanted(store, "by-hand")
        await office.rests(1)
        assert shelf.kept == {"forgotten", "old", "kept"}
        await over(store, "forgotten")
        await store.privacy.forget((NUMBER,), NOON)
        await office.rests(1)
        assert shelf.kept == {"old", "kept"}
        await over(store, "old", number="")
        await store.privacy.sweep({Period.RECORDINGS: later(30)}, 9)
        await office.rests(1)
        assert shelf.kept == {"kept"}
    assert await store.recordings.to_erase("asterisk", 9) == []
    found = await store.recordings.find("by-hand")
    assert found is not None
    assert found.erased_at == later(60)


async def test_what_another_process_marked_is_found_within_a_minute(store: Store, clock: HandClock) -> None:
    """A command beside us tells nobody."""
    shelf = Shelf(kept=("r-1",))
    office = Office(store, clock, shelf)
    async with office.open():
        store.recordings_unwanted.remove(office.keeper.wake)
        await unwanted(store, "r-1")
        assert shelf.kept == {"r-1"}
        store.recordings_unwanted.append(office.keeper.wake)
        await office.later(LOOK_AGAIN_S, times=1)
    assert shelf.kept == set()


async def test_a_pbx_that_is_away_is_asked_again_in_growing_pauses_and_at_once_when_it_is_back(
    store: Store, clock: HandClock
) -> None:
    """It is not asked for each of a thousand files meanwhile, and the log has one line of it, without a number."""
    ids = tuple(f"r-{n}" for n in range(9))
    await unwanted(store, *ids)
    shelf = Shelf(kept=ids)
    shelf.is_away = True
    office = Office(store, clock, shelf)
    with capture_logs() as entries:
        async with office.open():
            assert shelf.asked.total() == MOST_REFUSALS
            assert [await office.later(pause_s, times=1) for pause_s in (1.0, 2.0, 5.0)] == [[2.0], [5.0], [10.0]]
            assert shelf.asked.total() == 4 * MOST_REFUSALS
            shelf.is_away = False
            office.keeper.connected()
            assert await office.rests(2) == [LOOK_AGAIN_S] * 2
    assert shelf.kept == set()
    assert await store.recordings.to_erase("asterisk", 9) == []
    assert [entry["event"] for entry in entries] == ["recordings cannot be erased yet", "recordings were erased"]
    assert NUMBER[3:] not in repr(entries)


async def test_a_file_that_the_pbx_cannot_delete_keeps_none_of_the_others(store: Store, clock: HandClock) -> None:
    """However many there are, and though they come first by name; they are tried again, and said to be there."""
    stuck = tuple(f"a-{n}" for n in range(MOST_REFUSALS - 1))
    others = tuple(f"b-{n:03}" for n in range(BATCH + 5))
    await unwanted(store, *stuck, *others)
    shelf = Shelf(kept=(*stuck, *others))
    shelf.stuck = frozenset(stuck)
    office = Office(store, clock, shelf)
    with capture_logs() as entries:
        async with office.open():
            assert shelf.kept == set(stuck)
            shelf.stuck = frozenset()
            assert await office.later(1.0, times=1) == [LOOK_AGAIN_S]
    assert shelf.kept == set()
    (trouble,) = [entry["reason"] for entry in entries if entry["log_level"] == "warning"]
    assert trouble == "the PBX does not delete a-0, a-1"


async def test_many_files_that_the_pbx_cannot_delete_keep_none_of_the_others_for_long(
    store: Store, clock: HandClock
) -> None:
    """So many in a row look like a PBX that is away; next time the others come first."""
    stuck = tuple(f"a-{n}" for n in range(MOST_REFUSALS))
    await unwanted(store, *stuck, "b")
    shelf = Shelf(kept=(*stuck, "b"))
    shelf.stuck = frozenset(stuck)
    office = Office(store, clock, shelf)
    async with office.open():
        assert "b" in shelf.kept
        await office.later(1.0, times=1)
    assert shelf.kept == set(stuck)


class Away(StoredRecordingBook):
    """A database that is away for so many questions."""

    def __init__(self, store: Store, questions: int) -> None:
        super().__init__(store.database, unwanted=lambda: None)
        self.left = questions

    async def to_erase(self, pbx: str, limit: int) -> list[str]:
        """Answer, if it is there."""
        if self.left:
            self.left -= 1
            raise StoreUnavailableError("the database does not answer")
        return await super().to_erase(pbx, limit)


async def test_a_database_that_is_away_is_waited_for(store: Store, clock: HandClock) -> None:
    """In growing pauses; then it goes on."""
    await unwanted(store, "r-1")
    shelf = Shelf(kept=("r-1",))
    office = Office(store, clock, shelf)
    office.keeper = RecordingKeeper(
        Away(store, 2), shelf, office.recorded, clock, pbx="asterisk", unwanted=store.recordings_unwanted
    )
    async with office.open():
        assert await office.later(1.0, times=1) == [2.0]
        assert await office.later(2.0, times=1) == [LOOK_AGAIN_S]
    assert shelf.kept == set()


async def test_of_one_that_was_erased_while_the_answer_was_lost_it_is_written_down_the_next_time(
    store: Store, clock: HandClock
) -> None:
    """A file that is not there is no error: the controller may have died between the two."""
    await unwanted(store, "r-1")
    office = Office(store, clock, Shelf())
    async with office.open():
        pass
    assert await store.recordings.to_erase("asterisk", 9) == []
