"""People on each database: what is kept of them, what ends their sessions, and how guessing is counted."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from controller.domain.access import Role
from controller.domain.pin import Guesses
from controller.ports.people import PersonChange
from controller.ports.promises import StoreUnavailableError
from tests.contract.staff import LATER, NOON, entry, session, somebody
from tests.contract.store_under_test import HandClock, everything, refuse_writes, rows, store_at

if TYPE_CHECKING:
    from controller.ports.people import Person
    from controller.store import Store


async def opened(store: Store, *token_hashes: str, person: str = "hanako") -> None:
    """Open sessions of a person."""
    for token_hash in token_hashes:
        await store.sessions.open(session(token_hash, person), seen_after=NOON - timedelta(hours=1))


async def open_now(store: Store, person: str = "hanako") -> set[str]:
    """Return the first letter of each session that a person has."""
    return {one.token_hash[0] for one in await store.sessions.of(person)}


async def test_a_person_is_found_as_they_were_added(store: Store) -> None:
    """All of it; nobody else is."""
    person = somebody(agent="agent-1", language="ja", must_change=True, is_enabled=False, guesses=Guesses(3, LATER))
    assert await store.people.add(person)
    assert await store.people.find("hanako") == person
    assert await store.people.find("Hanako") is None
    assert await store.people.find("") is None


async def test_a_name_is_taken_once(store: Store) -> None:
    """Also of many who want it at once; the first stays as they are."""
    wanted = [somebody(display_name=str(number)) for number in range(10)]
    came = await asyncio.gather(*(store.people.add(person) for person in wanted))
    assert sorted(came) == [False] * 9 + [True]
    assert await store.people.find("hanako") == wanted[came.index(True)]


async def test_everybody_is_listed_by_name(store: Store) -> None:
    """As plain letters sort, whatever the server's language."""
    names = ["b", "a-1", "a.1", "a", "zoë@example.jp", "a_1"]
    for name in names:
        await store.people.add(somebody(name))
    assert [person.name for person in await store.people.listed()] == sorted(names)


@pytest.mark.parametrize(
    ("change", "ends"),
    [
        (PersonChange(display_name="佐藤 花子"), False),
        (PersonChange(language="en"), False),
        (PersonChange(role=Role.AGENT), True),
        (PersonChange(agent="agent-2"), True),
        (PersonChange(agent=""), True),
        (PersonChange(is_enabled=False), True),
    ],
)
async def test_whoever_gets_other_rights_is_signed_out(store: Store, change: PersonChange, *, ends: bool) -> None:
    """In the same transaction; nobody else is, and nothing else is changed."""
    await store.people.add(somebody(agent="agent-1"))
    await store.people.add(somebody("taro"))
    await opened(store, "a", "b")
    await opened(store, "c", person="taro")
    changed = await store.people.change("hanako", change, at=LATER)
    told = {name: getattr(change, name) for name in PersonChange.__slots__ if getattr(change, name) is not None}
    assert changed == replace(somebody(agent="agent-1"), **told, changed_at=LATER)
    assert await store.people.find("hanako") == changed
    assert await open_now(store) == (set() if ends else {"a", "b"})
    assert await open_now(store, "taro") == {"c"}


async def test_nobody_is_changed_who_is_not_there(store: Store) -> None:
    """Nor given a password, unlocked, or removed."""
    before = await everything(store)
    assert await store.people.change("hanako", PersonChange(role=Role.ADMIN), at=LATER) is None
    assert not await store.people.set_password("hanako", "new", must_change=False, at=LATER)
    assert not await store.people.unlock("hanako")
    assert not await store.people.remove("hanako")
    assert await everything(store) == before


async def test_another_password_ends_all_other_sessions_and_forgets_wrong_ones(store: Store) -> None:
    """The one in which it was chosen goes on."""
    await store.people.add(somebody(guesses=Guesses(7, LATER), must_change=True))
    await store.people.add(somebody("taro"))
    await opened(store, "a", "b", "c")
    await opened(store, "d", person="taro")
    assert await store.people.set_password("hanako", "new", must_change=False, at=LATER, keep="b".ljust(64, "0"))
    found = await store.people.find("hanako")
    assert found == somebody(password_hash="new", changed_at=LATER)
    assert await open_now(store) == {"b"}
    assert await open_now(store, "taro") == {"d"}
    assert await store.people.set_password("hanako", "newer", must_change=True, at=LATER)
    assert await open_now(store) == set()


async def test_a_hash_is_renewed_unless_the_password_was_changed_meanwhile(store: Store) -> None:
    """Without ending anything."""
    await store.people.add(somebody())
    await opened(store, "a")
    await store.people.rehash("hanako", "another", "renewed")
    assert await store.people.find("hanako") == somebody()
    await store.people.rehash("hanako", "hash", "renewed")
    assert await store.people.find("hanako") == somebody(password_hash="renewed")
    assert await open_now(store) == {"a"}


async def test_whoever_is_removed_is_signed_out(store: Store) -> None:
    """With all sessions; what they did stays written."""
    await store.people.add(somebody())
    await opened(store, "a", "b")
    await store.audit.note(entry())
    assert await store.people.remove("hanako")
    assert await store.people.find("hanako") is None
    assert await rows(store, "SELECT * FROM sessions") == []
    assert [line.entry.who for line in await store.audit.listed(limit=10)] == ["hanako"]


async def test_wrong_passwords_lock_and_a_right_one_forgets_them(store: Store) -> None:
    """The third in a row for a quarter of an hour, the next for twice as long; each try is in the audit."""
    await store.people.add(somebody())
    for wrong in range(1, 5):
        await store.people.tried("hanako", entry(outcome="wrong"), was_right=False)
        assert await guesses_of(store) == Guesses(wrong, LOCKS[wrong])
    await store.people.tried("hanako", entry(outcome="locked"), was_right=None)
    assert await guesses_of(store) == Guesses(4, LOCKS[4])
    await store.people.tried("hanako", entry(), was_right=True)
    assert await guesses_of(store) == Guesses()
    outcomes = [line.entry.outcome for line in await store.audit.listed(limit=10)]
    assert outcomes == ["ok", "locked", "wrong", "wrong", "wrong", "wrong"]


LOCKS = {1: None, 2: None, 3: NOON + timedelta(minutes=15), 4: NOON + timedelta(minutes=30)}


async def test_of_many_wrong_passwords_at_once_each_is_counted(store: Store, url: str, clock: HandClock) -> None:
    """Also by two controllers."""
    await store.people.add(somebody())
    async with store_at(url, clock) as other:
        tries = [
            book.people.tried("hanako", entry(outcome="wrong"), was_right=False)
            for book in (store, other)
            for _ in range(10)
        ]
        await asyncio.gather(*tries)
    assert (await guesses_of(store)).wrong == 20


async def test_a_try_for_nobody_is_written_and_leaves_no_person(store: Store) -> None:
    """There is nothing to count at."""
    await store.people.tried("nobody", entry(who="", outcome="unknown"), was_right=None)
    assert await store.people.listed() == []
    assert [line.entry.outcome for line in await store.audit.listed(limit=10)] == ["unknown"]


async def test_an_unlocked_person_may_try_again(store: Store) -> None:
    """With the password that they have, in the sessions that they have."""
    await store.people.add(somebody(guesses=Guesses(9, LATER)))
    await opened(store, "a")
    assert await store.people.unlock("hanako")
    assert await store.people.find("hanako") == somebody()
    assert await open_now(store) == {"a"}


async def test_a_database_that_takes_no_writes_says_so_and_nobody_is_changed(store: Store) -> None:
    """Neither their rights nor their guesses."""
    await store.people.add(somebody())
    await refuse_writes(store)
    for wish in (
        store.people.add(somebody("taro")),
        store.people.change("hanako", PersonChange(role=Role.ADMIN), at=LATER),
        store.people.set_password("hanako", "new", must_change=False, at=LATER),
        store.people.tried("hanako", entry(), was_right=False),
        store.people.remove("hanako"),
    ):
        with pytest.raises(StoreUnavailableError):
            await wish
    assert await store.people.listed() == [somebody()]


async def guesses_of(store: Store, name: str = "hanako") -> Guesses:
    """Return how often a person was guessed at."""
    found: Person | None = await store.people.find(name)
    assert found is not None
    return found.guesses
