"""The record of recordings, on each database."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from controller.domain.line import WaiterKind
from controller.domain.recording import Consent
from controller.ports.promises import StoreUnavailableError
from controller.ports.recordings import After, WantedRecordings
from tests.contract.recorded import a_talk, begun, heard_by, later, over
from tests.contract.store_under_test import NOON, NUMBER, OTHER_NUMBER, refuse_writes, store_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller.store import Store
    from tests.contract.store_under_test import HandClock

ALL = WantedRecordings()


async def listed(store: Store, wanted: WantedRecordings = ALL) -> list[str]:
    """Return the ids of what a page has."""
    return [one.id for one in await store.recordings.page(wanted, after=None, limit=100)]


async def test_what_is_written_at_the_beginning_is_there_to_be_read(store: Store) -> None:
    """All of it: with what was said about consent, and to which attempt it belongs."""
    live = await begun(store)
    promise = await begun(
        store,
        "r-2",
        waiter_id="promise-1",
        kind=WaiterKind.PROMISE,
        attempt_id="attempt-1",
        pbx="pbx-2",
        consent=Consent.AGREED,
        number="",
    )
    assert await store.recordings.find("r-1") == live
    assert await store.recordings.find("r-2") == promise
    assert await store.recordings.find("r-3") is None


async def test_a_beginning_that_is_told_again_changes_nothing(store: Store) -> None:
    """The answer to the first may have been lost; what happened since stays."""
    ended = await over(store)
    await begun(store)
    await begun(store, agent="taro")
    assert await store.recordings.find("r-1") == ended


@pytest.mark.parametrize("shown", ["0" * 500, "09012345678\0", "\ud83d", "'; DROP TABLE recordings; --"])
async def test_whatever_a_caller_shows_as_their_number_the_row_is_written(store: Store, shown: str) -> None:
    """Without the row nothing is recorded: a stranger could have it their way by what they show."""
    await begun(store, number=shown)
    found = await store.recordings.find("r-1")
    assert found is not None
    assert len(found.number) <= 64


async def test_the_first_end_stays(store: Store) -> None:
    """Whoever comes second, a journey or the look after a restart, is told that it was over."""
    await begun(store)
    assert await store.recordings.end("r-1", later(5))
    assert not await store.recordings.end("r-1", later(9))
    assert not await store.recordings.end("nobody", later(9))
    found = await store.recordings.find("r-1")
    assert found is not None
    assert found.ended_at == later(5)


async def test_of_ten_who_end_it_at_once_one_has(store: Store) -> None:
    """There is one end."""
    await begun(store)
    answers = await asyncio.gather(*(store.recordings.end("r-1", later(n)) for n in range(10)))
    assert sorted(answers) == [False] * 9 + [True]


async def test_a_pause_is_kept_until_it_is_over(store: Store) -> None:
    """A controller that is started anew knows of it; what has ended cannot be paused."""
    await begun(store)
    assert await store.recordings.note_pause("r-1", later(1))
    (paused,) = await store.recordings.going_on("asterisk")
    assert paused.paused_at == later(1)
    assert await store.recordings.note_pause("r-1", None)
    (on,) = await store.recordings.going_on("asterisk")
    assert on.paused_at is None
    await store.recordings.end("r-1", later(5))
    assert not await store.recordings.note_pause("r-1", later(6))
    assert not await store.recordings.note_pause("nobody", later(6))


async def test_what_goes_on_is_told_by_asterisk_first_to_begin_first(store: Store) -> None:
    """What another one records is its own office's, and what has ended nobody's."""
    await begun(store, "late", began_at=later(2))
    await begun(store, "b-early")
    await begun(store, "a-early")
    await begun(store, "elsewhere", pbx="pbx-2")
    await over(store, "over")
    assert [one.id for one in await store.recordings.going_on("asterisk")] == ["a-early", "b-early", "late"]
    assert [one.id for one in await store.recordings.going_on("pbx-2")] == ["elsewhere"]
    assert await store.recordings.going_on("pbx-3") == []


async def test_pages_have_every_recording_once_also_of_one_instant(store: Store) -> None:
    """The last to begin first; between those of one instant the id decides, so that none is left out or comes twice."""
    for n in range(7):
        await over(store, f"r-{n}", began_at=later(0 if n < 5 else 1))
    found, after = [], None
    while page := await store.recordings.page(ALL, after=after, limit=2):
        assert len(page) <= 2
        found += [one.id for one in page]
        after = After(page[-1].began_at, page[-1].id)
        await over(store, f"new-{len(found)}", began_at=later(60))
    assert found == ["r-6", "r-5", "r-4", "r-3", "r-2", "r-1", "r-0"]


async def test_filters_leave_out_what_does_not_fit(store: Store) -> None:
    """When, queue, agent, number in any spelling, whom; and all of them together."""
    await over(store, "one")
    await over(store, "two", began_at=later(10), queue="support", waiter_id="call-2")
    await over(store, "three", began_at=later(20), agent="taro", number="09012345678", waiter_id="call-3")
    await over(store, "four", began_at=later(30), number=OTHER_NUMBER, waiter_id="call-4")
    await over(store, "withheld", began_at=later(40), number="", waiter_id="call-5")

    async def found(**fields: object) -> list[str]:
        return await listed(store, WantedRecordings(**fields))  # type: ignore[arg-type]

    assert await found() == ["withheld", "four", "three", "two", "one"]
    assert await found(since=later(10)) == ["withheld", "four", "three", "two"]
    assert await found(until=later(10)) == ["one"]
    assert await found(queue="support") == ["two"]
    assert await found(agent="taro") == ["three"]
    assert await found(spelled=(NUMBER, "09012345678")) == ["three", "two", "one"]
    assert await found(spelled=("",)) == []
    assert await found(waiter_id="call-4") == ["four"]
    assert await found(spelled=(NUMBER,), queue="support", since=later(1), until=later(11)) == ["two"]
    assert await found(spelled=(NUMBER,), queue="support", agent="taro") == []


async def test_a_talk_that_goes_on_is_listed_and_cannot_be_deleted(store: Store) -> None:
    """Its sound is being written."""
    await begun(store)
    heard = heard_by(store)
    assert not await store.recordings.delete("r-1")
    assert await listed(store) == ["r-1"]
    assert (await store.recordings.to_erase("asterisk", 9), heard) == ([], [])


async def test_who_deletes_one_takes_its_number_and_wakes_whoever_erases_the_sound(store: Store) -> None:
    """It is listed no more from that moment on, and nobody finds it under the number; the second time there is none."""
    talk = await over(store)
    other = await over(store, "r-2")
    heard = heard_by(store)
    assert await store.recordings.delete("r-1")
    assert heard == ["unwanted"]
    assert await store.recordings.find("r-1") == replace(talk, number="", unwanted=True)
    assert await listed(store) == await listed(store, WantedRecordings(spelled=(NUMBER,))) == [other.id]
    assert await store.recordings.to_erase("asterisk", 9) == ["r-1"]
    assert not await store.recordings.delete("r-1")
    assert not await store.recordings.delete("nobody")
    assert heard == ["unwanted"]


async def test_what_is_to_be_erased_is_told_by_asterisk_and_a_few_at_a_time(store: Store) -> None:
    """Each until its sound is gone."""
    for n in range(3):
        await over(store, f"r-{n}")
        await store.recordings.delete(f"r-{n}")
    await over(store, "elsewhere", pbx="pbx-2")
    await store.recordings.delete("elsewhere")
    await over(store, "kept")
    assert await store.recordings.to_erase("asterisk", 2) == ["r-0", "r-1"]
    await store.recordings.erased("r-0", later(60))
    await store.recordings.erased("r-0", later(90))
    assert await store.recordings.to_erase("asterisk", 2) == ["r-1", "r-2"]
    assert await store.recordings.to_erase("pbx-2", 2) == ["elsewhere"]
    found = await store.recordings.find("r-0")
    assert found is not None
    assert found.erased_at == later(60)
    assert await listed(store) == ["kept"]


async def test_one_whose_sound_is_gone_is_listed_no_more(store: Store) -> None:
    """Whoever took it away: nobody can hear it."""
    await over(store)
    await store.recordings.erased("r-1", later(6))
    assert await listed(store) == []


async def test_a_listener_who_fails_makes_no_deletion_undone(store: Store) -> None:
    """The commit stands, and the others hear of it."""

    def fail() -> None:
        raise ValueError("not today")

    store.recordings_unwanted.append(fail)
    heard = heard_by(store)
    await over(store)
    assert await store.recordings.delete("r-1")
    assert heard == ["unwanted"]


async def test_a_database_that_takes_no_writes_says_so(store: Store) -> None:
    """Nothing is recorded without its row, so whoever begins has to know; and nobody is woken for what was not done."""
    await over(store)
    heard = heard_by(store)
    await refuse_writes(store)
    for attempt in (
        store.recordings.begin(a_talk("r-2")),
        store.recordings.end("r-1", NOON),
        store.recordings.note_pause("r-1", NOON),
        store.recordings.delete("r-1"),
        store.recordings.erased("r-1", NOON),
    ):
        with pytest.raises(StoreUnavailableError):
            await attempt
    assert (await listed(store), heard) == (["r-1"], [])


async def test_another_process_finds_what_was_begun(fresh_url: Callable[[], str], clock: HandClock) -> None:
    """As soon as `begin` returns: a controller that dies then leaves nothing that nobody knows of."""
    url = fresh_url()
    async with store_at(url, clock) as dying:
        talk = await begun(dying)
        async with store_at(url, clock) as anew:
            assert await anew.recordings.going_on("asterisk") == [talk]
