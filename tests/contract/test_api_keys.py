"""Keys of programs on each database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from controller.domain.access import SCOPES_OF_KEYS, Scope
from tests.contract.staff import LATER, MUCH_LATER, NOON, a_key
from tests.contract.store_under_test import rows

if TYPE_CHECKING:
    from controller.store import Store


async def test_a_key_is_found_as_it_was_made(store: Store) -> None:
    """With all that it may do."""
    key = a_key(scopes=SCOPES_OF_KEYS, expires_at=MUCH_LATER)
    await store.keys.add(key)
    assert await store.keys.find(key.id) == key
    assert await store.keys.find("ffffffffffff") is None


async def test_a_key_that_may_too_much_is_never_written(store: Store) -> None:
    """Whoever asks for it."""
    for scope in set(Scope) - SCOPES_OF_KEYS:
        with pytest.raises(ValueError, match="may not have"):
            await store.keys.add(a_key(scopes=frozenset({scope, Scope.FLOOR_READ})))
    assert await store.keys.listed() == []


async def test_a_scope_that_keys_may_not_have_is_not_read_from_the_database(store: Store) -> None:
    """A row that somebody changed by hand, or that an older version wrote, opens no more than that."""
    await store.keys.add(a_key())
    async with store.database.engine.begin() as connection:
        await connection.exec_driver_sql("""UPDATE api_keys SET scopes = '["floor:read", "people:write", "moon"]'""")
    found = await store.keys.find(a_key().id)
    assert found is not None
    assert found.scopes == {Scope.FLOOR_READ}


async def test_a_revoked_key_stays_on_the_list_and_is_good_for_nothing(store: Store) -> None:
    """It is revoked once; when, stays."""
    await store.keys.add(a_key())
    assert await store.keys.revoke(a_key().id, LATER)
    assert not await store.keys.revoke(a_key().id, MUCH_LATER)
    assert not await store.keys.revoke("ffffffffffff", LATER)
    assert await store.keys.listed() == [a_key(revoked_at=LATER)]
    assert not a_key(revoked_at=LATER).is_good(NOON)


async def test_keys_are_listed_the_newest_first_and_their_use_is_kept(store: Store) -> None:
    """Of each its own."""
    keys = [a_key(f"{number:012}", made_at=NOON + timedelta(seconds=number)) for number in range(3)]
    for key in keys:
        await store.keys.add(key)
    await store.keys.used(keys[1].id, LATER)
    assert await store.keys.listed() == [keys[2], replace(keys[1], used_at=LATER), keys[0]]


@pytest.mark.parametrize(("expires_in_s", "is_good"), [(None, True), (1, True), (0, False), (-1, False)])
def test_a_key_is_good_until_the_moment_in_which_it_expires(expires_in_s: float | None, *, is_good: bool) -> None:
    """Not in it."""
    expires_at = None if expires_in_s is None else NOON + timedelta(seconds=expires_in_s)
    assert a_key(expires_at=expires_at).is_good(NOON) is is_good


async def test_no_secret_is_in_the_database_and_none_is_shown_by_accident(store: Store) -> None:
    """Only its hash; and that is not in a text that ends up in a log."""
    await store.keys.add(a_key())
    assert [row["secret_hash"] for row in await rows(store, "SELECT secret_hash FROM api_keys")] == ["ab" * 32]
    assert "abab" not in repr(await store.keys.find(a_key().id))
