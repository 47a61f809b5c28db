from __future__ import annotations

import asyncio
import sqlite3
from typing import TYPE_CHECKING

import pytest

from controller.domain.access import Scope
from controller.ports.answered_requests import KEPT_S, STUCK_S
from tests.console.promise_requests import NUMBER, ROOT, create

if TYPE_CHECKING:
    from tests.console.house import ConsoleSite


async def test_the_same_request_twice_is_one_promise_and_one_answer(site: ConsoleSite) -> None:
    """However its JSON and its key are written; what has become of the promise since makes no difference."""
    crm = await site.key(Scope.PROMISES_WRITE)
    first = await create(crm, "order-66", confirm=False)
    assert first.status == 201
    await crm.post(f"{ROOT}/{first.json['promise']['id']}/cancel", {})
    body = b'{ "number":"090-1234-5678",\n "queue":"support" }'
    for key in ("order-66", '"order-66"'):
        headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
        again = await crm.send("POST", ROOT, data=body, headers=headers)
        assert (again.status, again.text) == (201, first.text)
    assert await site.store.promises.waiting() == []


async def test_two_that_ask_at_once_under_one_key_make_one_promise(site: ConsoleSite) -> None:
    """The second gets the same answer, or is told to come again: never another promise."""
    crm = await site.key(Scope.PROMISES_WRITE)
    answers = await asyncio.gather(*(create(crm, "at-once") for _ in range(6)))
    assert {answer.status for answer in answers} <= {201, 409}
    told = [answer for answer in answers if answer.status == 409]
    assert all(answer.json["type"].endswith("still-answering") for answer in told)
    assert len({answer.text for answer in answers if answer.status == 201}) == 1
    again = await create(crm, "at-once")
    assert again.text in {answer.text for answer in answers}
    assert len(await site.store.promises.waiting()) == 1


async def test_another_request_under_the_same_key_is_refused(site: ConsoleSite) -> None:
    """422; for a day. Another key's owner may use the same words."""
    crm, shop = await site.key(Scope.PROMISES_WRITE), await site.key(Scope.PROMISES_WRITE)
    await create(crm, "one")
    other = await create(crm, "one", number="03-1234-5678")
    assert (other.status, other.json["type"]) == (422, "urn:orikaeshi:problem:other-request")
    assert (await create(shop, "one", number="03-1234-5678")).status == 201
    site.clock.turn(KEPT_S)
    assert (await create(crm, "one", number="03-1234-5679")).status == 201


async def test_a_refusal_is_an_answer_too(site: ConsoleSite) -> None:
    """Whoever asks the same again under the same key gets it again; under a new one they are heard anew."""
    crm = await site.key(Scope.PROMISES_WRITE)
    await site.store.do_not_call.block(NUMBER, reason="by letter")
    refused = await create(crm, "blocked")
    await site.store.do_not_call.unblock(NUMBER)
    again = await create(crm, "blocked")
    assert (again.status, again.text) == (refused.status, refused.text)
    assert again.headers["Content-Type"].startswith("application/problem+json")
    assert (await create(crm, "blocked-no-more")).status == 201


async def test_a_request_that_the_database_was_away_for_can_be_sent_again(site: ConsoleSite) -> None:
    """503 with Retry-After; nothing was promised, and the key is as good as new."""
    crm = await site.key(Scope.PROMISES_WRITE)
    with site.database_locked():
        away = await create(crm, "away")
    assert (away.status, away.headers["Retry-After"]) == (503, "5")
    assert away.json["type"] == "urn:orikaeshi:problem:unavailable"
    assert (await create(crm, "away")).status == 201


@pytest.mark.parametrize("key", ["", " ", "two words", "ключ", "x" * 256])
async def test_a_promise_needs_a_key_of_its_sender(site: ConsoleSite, key: str) -> None:
    """Without one, nobody could tell a retry from a second wish."""
    crm = await site.key(Scope.PROMISES_WRITE)
    headers = {"Idempotency-Key": key.encode().decode("latin-1")}
    answer = await crm.send("POST", ROOT, body={"queue": "support", "number": NUMBER}, headers=headers)
    assert (answer.status, answer.json["type"]) == (400, "urn:orikaeshi:problem:no-idempotency-key")


async def test_a_request_that_died_half_way_finds_what_it_had_promised(site: ConsoleSite) -> None:
    """The promise was on disk, its answer was not: asked again a minute later it is the same promise, and no other."""
    crm = await site.key(Scope.PROMISES_WRITE)
    first = await create(crm, "half-way")
    lost = sqlite3.connect(site.file, isolation_level=None)
    lost.execute("UPDATE answered_requests SET status = NULL, answer = '2026-11-24T01:00:00+00:00'")
    lost.close()
    assert (await create(crm, "half-way")).json["type"] == "urn:orikaeshi:problem:still-answering"
    site.clock.turn(STUCK_S)
    again = await create(crm, "half-way")
    assert again.json["promise"] == first.json["promise"]
    assert len(await site.store.promises.waiting()) == 1
