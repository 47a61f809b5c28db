"""Recordings go with the person whose talk it was, and when their own time is over, on each database."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from controller.domain.retention import Periods, cutoffs
from controller.domain.spellings import spellings
from controller.ports.recordings import WantedRecordings
from tests.contract.recorded import heard_by, over
from tests.contract.store_under_test import NOON, NUMBER, OTHER_NUMBER

if TYPE_CHECKING:
    from controller.store import Store

SPELLED = spellings(NUMBER, "JP")


async def test_the_sound_of_who_is_forgotten_is_to_be_erased_at_once(store: Store) -> None:
    """It is listed no more, of nobody, and whoever erases sound is woken; others' recordings stay."""
    await over(store, "theirs")
    await over(store, "as-at-home", number="09012345678")
    await over(store, "withheld", number="")
    await over(store, "others", number=OTHER_NUMBER)
    heard = heard_by(store)
    done = await store.privacy.forget(SPELLED, NOON)
    assert (done.erased, heard) == ({"recordings": 2}, ["unwanted"])
    assert await store.recordings.to_erase("asterisk", 9) == ["as-at-home", "theirs"]
    listed = await store.recordings.page(WantedRecordings(), after=None, limit=9)
    assert [one.id for one in listed] == ["withheld", "others"]
    assert (await store.privacy.known(SPELLED))["recordings"] == []
    await store.privacy.forget(SPELLED, NOON)
    assert heard == ["unwanted"]


async def test_recordings_go_when_their_own_time_is_over(store: Store) -> None:
    """Also of those who withheld their number; what was deleted by hand before is not counted once more."""
    await over(store, "old")
    await over(store, "withheld", number="")
    await over(store, "deleted")
    await store.recordings.delete("deleted")
    heard = heard_by(store)
    days = Periods(recordings_days=30)
    assert "recordings" not in await store.privacy.sweep(cutoffs(days, NOON + timedelta(days=30)), 500)
    assert heard == []
    after = cutoffs(days, NOON + timedelta(days=30, microseconds=1))
    assert await store.privacy.sweep(after, 1) == {"recordings": 1}
    assert await store.privacy.sweep(after, 500) == {"recordings": 1}
    assert await store.privacy.sweep(after, 500) == {}
    assert heard == ["unwanted", "unwanted"]
    assert await store.recordings.to_erase("asterisk", 9) == ["deleted", "old", "withheld"]


async def test_recordings_whose_period_never_ends_are_kept(store: Store) -> None:
    """0 days: for ever."""
    await over(store, "old")
    before = cutoffs(Periods(recordings_days=0), NOON + timedelta(days=4000))
    assert await store.privacy.sweep(before, 500) == {}
