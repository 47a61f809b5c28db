"""Booking a callback for the customer of a talk: through the same door as every promise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import delete

from controller.domain.access import Role
from controller.domain.agents import AgentState
from controller.domain.evidence import NO_EVIDENCE
from controller.domain.lifecycle import AttemptEnded, Cancelled, CancelReason
from controller.domain.outcome import Outcome
from controller.domain.promise import PromiseState
from controller.store.staff_tables import answered_requests
from tests.console.desk_talks import CALL, OWN, dials_promise, promised, state, talks, talks_on_promise, wraps_up
from tests.console.floor import NUMBER, OTHER_AGENT, OTHER_NUMBER

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from tests.console.house import Client, ConsoleSite

NOON = "2026-11-24T03:00:00Z"
SOON = "urn:orikaeshi:problem:not-now"


@pytest.fixture
async def agent(site: ConsoleSite) -> Client:
    """Sign the first agent in."""
    return await site.client(Role.AGENT)


async def book(client: Client, waiter: str = CALL, key: str = "k-1", **more: Any) -> Any:
    """Book a callback; return the answer."""
    return await client.post(f"{OWN}/redial", {"waiter_id": waiter, **more}, Idempotency_Key=key)


async def windows(client: Client, waiter: str = CALL) -> Any:
    """Return what can be booked."""
    answer = await client.get(f"{OWN}/redial?waiter_id={waiter}")
    assert answer.status == 200, answer.text
    return answer.json


async def test_the_customer_is_called_at_the_time_that_they_chose(site: ConsoleSite, agent: Client) -> None:
    """One of the free windows; the number is that of the talk, and an SMS confirms it."""
    await talks(site)
    free = await windows(agent)
    first = {"starts_at": "2026-11-24T02:00:00Z", "ends_at": "2026-11-24T02:30:00Z"}
    assert (free["queue"], free["windows"][0]) == ("support", first)
    answer = await book(agent, starts_at=NOON, confirm=True)
    assert (answer.status, answer.json["is_new"], answer.json["printed"]) == (201, True, "090-1234-5678")
    promise = await site.store.promises.get(answer.json["promise_id"])
    assert (promise.number, promise.queue, promise.state) == (NUMBER, "support", PromiseState.WAITING)
    assert promise.slot is not None
    assert promise.slot.starts_at.isoformat() == "2026-11-24T03:00:00+00:00"
    (sms,) = (await site.everything())["sms_outbox"]
    assert (sms["number"], sms["template"]) == (NUMBER, "confirmed")


async def test_the_same_request_again_books_once(site: ConsoleSite, agent: Client) -> None:
    """An answer that was lost on its way; with another key it is another wish, which the promise takes in."""
    await talks(site)
    first = await book(agent, starts_at=NOON)
    again = await book(agent, starts_at=NOON)
    assert (again.status, again.json) == (first.status, first.json)
    other = await book(agent, key="k-2", starts_at="2026-11-24T04:00:00Z")
    assert (other.json["promise_id"], other.json["is_new"]) == (first.json["promise_id"], False)
    assert len((await site.everything())["promises"]) == 1


async def test_a_request_that_was_carried_out_before_a_crash_is_not_carried_out_again(
    site: ConsoleSite, agent: Client
) -> None:
    """Nobody knows any more what was answered to it; the promise knows who asked, though it is over by now."""
    await talks(site)
    first = await book(agent, starts_at=NOON)
    await site.store.promises.advance(first.json["promise_id"], Cancelled(CancelReason.CUSTOMER))

    async def forget(connection: AsyncConnection) -> None:
        await connection.execute(delete(answered_requests))

    await site.store.database.write(forget)
    again = await book(agent, starts_at=NOON)
    assert (again.json["promise_id"], again.json["is_new"]) == (first.json["promise_id"], False)
    assert len((await site.everything())["promises"]) == 1


async def test_as_soon_as_possible_waits_for_the_end_of_the_talk(site: ConsoleSite, agent: Client) -> None:
    """The customer's line is busy with us; in the wrap-up, and after it, it can be booked."""
    await talks(site)
    assert (await windows(agent))["can_be_soon"] is False
    refused = await book(agent)
    assert (refused.status, refused.json["type"]) == (409, SOON)
    assert (await site.everything())["promises"] == []
    await wraps_up(site)
    assert (await windows(agent))["can_be_soon"] is True
    state(site, AgentState.AVAILABLE)
    answer = await book(agent, key="k-2")
    assert (answer.status, answer.json["slot_starts_at"]) == (201, None)
    assert answer.json["not_before"] == "2026-11-24T01:00:08Z"


async def test_a_promise_that_is_being_kept_takes_no_wish_in_that_would_be_lost(
    site: ConsoleSite, agent: Client
) -> None:
    """It is fulfilled when the talk ends; then the wish becomes a promise of its own."""
    promise = await talks_on_promise(site)
    refused = await book(agent, promise.id, starts_at=NOON)
    assert (refused.status, refused.json["type"]) == (409, SOON)
    assert (await site.store.promises.get(promise.id)).slot is None
    ended = await site.store.promises.advance(promise.id, AttemptEnded(Outcome.TALKED, evidence=NO_EVIDENCE))
    assert ended.state is PromiseState.FULFILLED
    state(site, AgentState.WRAP_UP, promise.id)
    answer = await book(agent, promise.id, key="k-2", starts_at=NOON)
    assert (answer.status, answer.json["is_new"]) == (201, True)
    assert answer.json["promise_id"] != promise.id


async def test_a_callback_that_is_on_its_way_takes_no_other_wish_in(site: ConsoleSite, agent: Client) -> None:
    """The customer answers in a moment, and the wish would be fulfilled with that talk."""
    promise = await dials_promise(site)
    assert (await book(agent, promise.id, starts_at=NOON)).status == 409
    assert await site.store.promises.get(promise.id) == promise


async def test_a_promise_that_waits_takes_the_wish_in(site: ConsoleSite, agent: Client) -> None:
    """The number has one: it is told, and called once."""
    held = await promised(site)
    await wraps_up(site)
    answer = await book(agent, starts_at=NOON)
    assert (answer.json["promise_id"], answer.json["is_new"]) == (held.id, False)


async def test_a_window_that_is_full_is_not_offered_nor_booked(site: ConsoleSite, agent: Client) -> None:
    """Nor one that there is not; a place that the customer holds is free for them."""
    await talks(site)
    first = await book(agent, starts_at=NOON)
    assert NOON in [each["starts_at"] for each in (await windows(agent))["windows"]]
    await talks(site, OTHER_NUMBER, call="call-2")
    assert (await book(agent, "call-2", key="k-2", starts_at=NOON)).status == 201
    await talks(site, "+819011112222", call="call-3")
    assert NOON not in [each["starts_at"] for each in (await windows(agent, "call-3"))["windows"]]
    for starts_at in (NOON, "2026-11-24T03:10:00Z"):
        answer = await book(agent, "call-3", key=f"k-{starts_at}", starts_at=starts_at)
        assert (answer.status, answer.json["type"]) == (409, "urn:orikaeshi:problem:slot-full")
    assert first.status == 201


async def test_the_gate_holds_for_agents_too(site: ConsoleSite, agent: Client) -> None:
    """Numbers that may not be promised a call, and those on the do-not-call list."""
    await wraps_up(site)
    for number in ("0570012345", "110", "+8821612345678", "+14155552671"):
        answer = await book(agent, key=number, number=number)
        assert (answer.status, answer.json["mistakes"][0]["where"]) == (422, "body.number"), number
    await site.store.do_not_call.block(NUMBER, reason="STOP")
    answer = await book(agent)
    assert (answer.status, answer.json["type"]) == (409, "urn:orikaeshi:problem:number-blocked")
    assert (await site.everything())["promises"] == []


async def test_another_number_that_the_customer_names_is_called(site: ConsoleSite, agent: Client) -> None:
    """Also where they withheld the one that they rang from; without one there is nothing to call."""
    await wraps_up(site, None)
    assert (await windows(agent))["windows"] == []
    assert (await book(agent, key="none")).status == 422
    answer = await book(agent, number="0312345678")
    assert (answer.status, answer.json["number"]) == (201, OTHER_NUMBER)


async def test_nobody_books_for_whom_they_have_not_served(site: ConsoleSite, agent: Client) -> None:
    """A colleague's customer, one of long ago, nobody at all."""
    await wraps_up(site)
    colleague = await site.client(Role.AGENT, "taro", agent=OTHER_AGENT)
    answer = await colleague.post(f"/api/v1/agents/{OTHER_AGENT}/redial", {"waiter_id": CALL}, Idempotency_Key="k-9")
    assert (answer.status, answer.json["type"]) == (409, SOON)
    assert (await book(agent, "nobody")).status == 409
    assert (await site.everything())["promises"] == []


async def test_an_agent_books_with_a_queue_that_there_is(site: ConsoleSite, agent: Client) -> None:
    """Another one than that of the talk, too."""
    await wraps_up(site)
    assert (await book(agent, queue="nowhere")).status == 404
    answer = await book(agent, key="k-2", queue="sales")
    assert (answer.status, answer.json["queue"]) == (201, "sales")
