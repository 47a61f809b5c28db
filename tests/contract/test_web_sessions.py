"""Sessions of the console on each database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from controller.ports.promises import StoreUnavailableError
from tests.contract.staff import LATER, MUCH_LATER, NOON, session, somebody
from tests.contract.store_under_test import HandClock, refuse_writes, store_at

if TYPE_CHECKING:
    from controller.ports.people import Session
    from controller.store import Store

AN_HOUR_AGO = NOON - timedelta(hours=1)


async def test_a_session_is_found_with_the_person_as_they_are_now(store: Store) -> None:
    """By its token's hash alone."""
    await store.people.add(somebody())
    await store.sessions.open(session("a"), seen_after=AN_HOUR_AGO)
    assert await store.sessions.find(hash_of("a")) == (session("a"), somebody())
    assert await store.sessions.find(hash_of("b")) is None


async def test_a_session_stays_with_whoever_restarts(store: Store, url: str, clock: HandClock) -> None:
    """And every controller knows of it, and of its end."""
    await store.people.add(somebody())
    async with store_at(url, clock) as other:
        await store.sessions.open(session("a"), seen_after=AN_HOUR_AGO)
        assert await other.sessions.find(hash_of("a")) == (session("a"), somebody())
        await other.sessions.end(hash_of("a"))
    assert await store.sessions.find(hash_of("a")) is None


async def test_a_new_session_takes_the_place_of_the_one_before(store: Store) -> None:
    """The token that the browser held opens nothing any more; other browsers' do."""
    await store.people.add(somebody())
    for one in ("a", "b"):
        await store.sessions.open(session(one), seen_after=AN_HOUR_AGO)
    await store.sessions.open(session("c"), instead_of=hash_of("a"), seen_after=AN_HOUR_AGO)
    assert await letters(store) == ["b", "c"]


async def test_what_has_ended_by_itself_is_swept_away_by_the_next_sign_in(store: Store) -> None:
    """Whoever's it was: expired, or not used for too long."""
    await store.people.add(somebody())
    await store.people.add(somebody("taro"))
    await store.sessions.open(session("a", "taro"), seen_after=AN_HOUR_AGO)
    idle = session("b", "taro", MUCH_LATER - timedelta(hours=3))
    used = replace(session("c", "taro", MUCH_LATER - timedelta(hours=3)), seen_at=MUCH_LATER)
    for one in (idle, used):
        await store.sessions.open(one, seen_after=AN_HOUR_AGO)
    await store.sessions.open(session("d", at=MUCH_LATER), seen_after=MUCH_LATER - timedelta(hours=1))
    assert await letters(store, "taro") == ["c"]
    assert await letters(store) == ["d"]


async def test_the_last_use_is_kept(store: Store) -> None:
    """Of that session alone."""
    await store.people.add(somebody())
    for one in ("a", "b"):
        await store.sessions.open(session(one), seen_after=AN_HOUR_AGO)
    await store.sessions.seen(hash_of("a"), LATER)
    assert await of(store) == [replace(session("a"), seen_at=LATER), session("b")]


async def test_all_sessions_of_a_person_end_together(store: Store) -> None:
    """Those of others go on; how many there were is told."""
    await store.people.add(somebody())
    await store.people.add(somebody("taro"))
    for one, person in (("a", "hanako"), ("b", "hanako"), ("c", "taro")):
        await store.sessions.open(session(one, person), seen_after=AN_HOUR_AGO)
    assert await store.sessions.end_all("hanako") == 2
    assert await store.sessions.end_all("hanako") == 0
    assert await letters(store) == []
    assert await letters(store, "taro") == ["c"]


async def test_a_session_of_nobody_cannot_be_opened(store: Store) -> None:
    """Somebody may have been removed or disabled in the moment in which they signed in; nothing else ends then."""
    await store.people.add(somebody())
    await store.sessions.open(session("a"), seen_after=AN_HOUR_AGO)
    await store.people.add(somebody("taro", is_enabled=False))
    for nobody in ("taro", "ghost"):
        assert not await store.sessions.open(session("b", nobody), instead_of=hash_of("a"), seen_after=AN_HOUR_AGO)
    assert await store.sessions.find(hash_of("b")) is None
    assert await letters(store) == ["a"]


async def test_no_session_is_opened_that_could_not_be_written(store: Store) -> None:
    """Nor is one ended."""
    await store.people.add(somebody())
    await store.sessions.open(session("a"), seen_after=AN_HOUR_AGO)
    await refuse_writes(store)
    with pytest.raises(StoreUnavailableError):
        await store.sessions.open(session("b"), instead_of=hash_of("a"), seen_after=AN_HOUR_AGO)
    with pytest.raises(StoreUnavailableError):
        await store.sessions.end(hash_of("a"))
    assert await letters(store) == ["a"]


def hash_of(letter: str) -> str:
    """Return the whole hash of a session that a test calls by one letter."""
    return session(letter).token_hash


async def of(store: Store, person: str = "hanako") -> list[Session]:
    """Return the sessions of a person."""
    return await store.sessions.of(person)


async def letters(store: Store, person: str = "hanako") -> list[str]:
    """Return the first letter of each."""
    return [one.token_hash[0] for one in await of(store, person)]
