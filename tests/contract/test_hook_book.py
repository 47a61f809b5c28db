"""The book from which hooks are sent what they are owed, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from controller.domain.hook_events import of_call
from controller.domain.hook_facts import CallFacts
from controller.ports.hooks import Delivery, HookWish, NotTaken
from controller.store.hook_owing import owe
from controller.store.hooks import NOT_IN_SETTINGS
from controller.store.staff_tables import hook_deliveries
from tests.contract.store_under_test import NOON, HandClock, rows, store_at

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from controller.store import Store

CRM = HookWish("crm", "https://crm.example.jp/secret/path", ("*",))
CHAT = HookWish("chat", "https://chat.example.jp/in", ("*",))
AWAY = NotTaken("it answered 503", 503)
LATER = NOON + timedelta(hours=1)


@pytest.fixture
async def store(url: str, clock: HandClock) -> AsyncIterator[Store]:
    """Open a database with two hooks, which both hear all."""
    async with store_at(url, clock, hooks=(CRM, CHAT)) as opened:
        yield opened


async def happens(store: Store, call: str, step: str = "arrived", at: datetime = NOON) -> None:
    """Let something be owed about a call."""
    facts = CallFacts(call, "0311112222", None, at, "east")
    await store.database.write(lambda connection: owe(connection, of_call(step, facts, at)))


async def following(store: Store, hook: str = "crm") -> Delivery:
    """Return what a hook is to be sent first."""
    found = await store.hooks.next(hook)
    assert found is not None
    return found


async def subject_of(store: Store, delivery: Delivery) -> str:
    """Return what a delivery is about, and which step."""
    (row,) = await rows(store, f"SELECT subject FROM hook_deliveries WHERE id = {delivery.id}")  # noqa: S608 - our own id
    return f"{row['subject']} {delivery.event}"


async def test_events_are_sent_in_the_order_in_which_they_were_made(store: Store) -> None:
    """To each hook for itself."""
    for call in ("a", "b", "a"):
        await happens(
            store, call, at=NOON + timedelta(seconds=len(await rows(store, "SELECT id FROM hook_deliveries")))
        )
    sent = []
    for _ in range(3):
        delivery = await following(store)
        sent.append(await subject_of(store, delivery))
        await store.hooks.taken(delivery, 204, NOON)
    assert sent == ["call:a call.arrived", "call:b call.arrived", "call:a call.arrived"]
    assert await store.hooks.next("crm") is None
    assert await subject_of(store, await following(store, "chat")) == "call:a call.arrived"


async def test_an_event_that_is_not_taken_holds_back_those_of_its_own_subject_alone(store: Store) -> None:
    """And when its time has come it goes first again."""
    await happens(store, "a")
    await happens(store, "a", "ended", LATER)
    await happens(store, "b")
    first = await following(store)
    await store.hooks.put_off(first, AWAY, LATER)
    other = await following(store)
    assert await subject_of(store, other) == "call:b call.arrived"
    await store.hooks.taken(other, 200, NOON)
    again = await following(store)
    assert (again.id, again.not_before, again.tries, again.body) == (first.id, LATER, 1, first.body)
    await store.hooks.given_up(again, AWAY, LATER)
    assert await subject_of(store, await following(store)) == "call:a call.ended"


async def test_the_late_word_of_an_earlier_try_changes_nothing(store: Store) -> None:
    """Two members may send the same for a moment, when a lease goes from one to the other."""
    await happens(store, "a")
    first = await following(store)
    await store.hooks.put_off(first, AWAY, LATER)
    await store.hooks.given_up(first, AWAY, NOON)
    assert (await following(store)).tries == 1
    await store.hooks.taken(await following(store), 200, LATER)
    await store.hooks.put_off(first, AWAY, LATER)
    assert await store.hooks.next("crm") is None
    (line,) = await store.hooks.deliveries("crm", 10)
    assert (line.delivered, line.tries, line.last_status, line.last_error) == (True, 2, 200, "")


async def test_what_was_not_written_to_have_arrived_is_sent_again_under_the_same_id(store: Store, url: str) -> None:
    """By whoever opens the database next."""
    await happens(store, "a")
    sent = await following(store)
    async with store_at(url, HandClock(), prefix="other", hooks=(CRM,)) as other:
        assert await following(other) == sent


async def test_a_receiver_that_is_gone_is_known_to_be_until_its_address_is_another(store: Store, url: str) -> None:
    """Also after a restart. What it is owed besides is settled by whoever sends."""
    await happens(store, "a")
    assert not await store.hooks.is_gone(CRM)
    await store.hooks.gone(CRM, await following(store), NOON)
    async with store_at(url, HandClock(), prefix="other", hooks=(CRM,)) as other:
        assert await other.hooks.is_gone(CRM)
        assert not await other.hooks.is_gone(replace(CRM, url="https://crm.example.jp/new"))
    assert not await store.hooks.is_gone(CHAT)
    await happens(store, "b")
    assert await store.hooks.abandon("crm", "gone", NOON) == 1
    assert await store.hooks.next("crm") is None
    assert await store.hooks.is_gone(CRM)


async def test_what_was_not_taken_is_owed_anew_when_somebody_asks_for_it(store: Store) -> None:
    """All of it at once, in its order, also after 410; what was taken is not. Whoever sends is woken."""
    woken: list[int] = []
    for call in ("a", "b", "c"):
        await happens(store, call)
    await store.hooks.taken(await following(store), 200, NOON)
    await store.hooks.gone(CRM, await following(store), NOON)
    await store.hooks.put_off(await following(store), AWAY, LATER)
    store.hooks_queued.append(lambda: woken.append(1))
    assert await store.hooks.retry("crm", NOON) == 2
    assert woken == [1]
    assert not await store.hooks.is_gone(CRM)
    first = await following(store)
    assert (await subject_of(store, first), first.tries, first.not_before) == ("call:b call.arrived", 0, NOON)
    assert await store.hooks.retry("chat", NOON) == 0


async def test_what_is_too_old_is_abandoned_and_the_rest_is_not(store: Store) -> None:
    """Of one hook alone."""
    await happens(store, "a")
    assert await store.hooks.abandon("crm", "too old", LATER, made_before=NOON) == 0
    assert await store.hooks.abandon("crm", "too old", LATER, made_before=LATER) == 1
    (line,) = await store.hooks.deliveries("crm", 10, failed_only=True)
    assert (line.delivered, line.settled_at, line.last_error) == (False, LATER, "too old")
    assert await store.hooks.next("chat") is not None


async def test_a_hook_that_is_not_in_the_settings_any_more_is_owed_nothing(store: Store, url: str) -> None:
    """Whoever stays in them is; also where none is left at all."""
    await happens(store, "a")
    async with store_at(url, HandClock(), prefix="other", hooks=(CRM,)) as other:
        assert await other.hooks.abandon_unknown(LATER) == 1
        (line,) = await other.hooks.deliveries("chat", 10)
        assert line.last_error == NOT_IN_SETTINGS
        assert await other.hooks.next("crm") is not None
    async with store_at(url, HandClock(), prefix="third") as bare:
        assert await bare.hooks.abandon_unknown(LATER) == 1
        assert await bare.hooks.abandon_unknown(LATER) == 0


async def test_each_hook_is_told_as_it_stands(store: Store) -> None:
    """What it is owed, took, did not take; why not; and its address without what may be a secret."""
    for call in ("a", "b", "c", "d"):
        await happens(store, call)
    await store.hooks.taken(await following(store), 204, LATER)
    await store.hooks.given_up(await following(store), AWAY, LATER)
    await store.hooks.put_off(await following(store), NotTaken("no connection"), LATER)
    crm, chat = await store.hooks.standing()
    assert (crm.backlog, crm.delivered, crm.not_delivered) == (2, 1, 1)
    assert (crm.oldest_at, crm.last_delivered_at) == (NOON, LATER)
    assert (crm.last_error, crm.last_status, crm.is_gone) == ("no connection", None, False)
    assert (crm.wish.shown_url, "secret" in repr(crm)) == ("https://crm.example.jp", False)
    assert (chat.backlog, chat.delivered, chat.last_error, chat.last_delivered_at) == (4, 0, "", None)
    lines = await store.hooks.deliveries("crm", 3)
    assert [(line.settled_at is None, line.tries) for line in lines] == [(True, 0), (True, 1), (False, 1)]


async def test_what_was_given_up_since_the_morning_is_a_problem_of_the_floor(store: Store) -> None:
    """The latest, by hook; not what arrived, what is tried again, what was given up yesterday, nor a removed hook's."""
    day = NOON - timedelta(hours=12)

    async def failed() -> dict[str, datetime]:
        return dict((await store.floor.look(day=day, codes_since=NOON)).hooks_failed_at)

    for call in ("a", "b", "c", "d"):
        await happens(store, call)
    await store.hooks.given_up(await following(store), AWAY, day - timedelta(seconds=1))
    await store.hooks.taken(await following(store), 204, NOON)
    await store.hooks.put_off(await following(store), AWAY, LATER)
    assert await failed() == {}
    await store.hooks.given_up(await following(store), AWAY, NOON)
    await store.hooks.gone(CHAT, await following(store, "chat"), LATER)
    assert await failed() == {"crm": NOON, "chat": LATER}
    await store.hooks.retry("chat", LATER)
    assert await failed() == {"crm": NOON}
    renamed = update(hook_deliveries).where(hook_deliveries.c.hook == "crm").values(hook="old")
    await store.database.write(lambda connection: connection.execute(renamed))
    await store.hooks.abandon_unknown(LATER)
    assert await failed() == {"old": NOON}
