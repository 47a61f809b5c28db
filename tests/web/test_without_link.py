"""The page without a link: a number is proved by its code, and nobody learns anything about any number."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from controller.domain.signed import Purpose
from tests.web.site import NUMBER, Answer, Site, site_at

if TYPE_CHECKING:
    from pathlib import Path

TYPED = "090-1234-5678"
KINDS = {
    "a mobile": "080-1111-2222",
    "one with a promise": TYPED,
    "one on the do-not-call list": "090-9999-0000",
    "a landline": "03-3456-7890",
    "freephone": "0120-123-456",
    "one abroad": "+1 650 253 0000",
    "premium": "0990-123-456",
    "none at all": "0000000000",
    "too long": "09012345678901234",
}


def challenge_in(site: Site, answer: Answer) -> str:
    """Return the id of the challenge that an answer leads to."""
    token = answer.headers["Location"].removeprefix("/verify/").partition("?")[0]
    found = site.web.signer.read(Purpose.CHALLENGE, token)
    assert found is not None
    return found


async def test_a_number_is_proved_and_a_callback_booked(site: Site) -> None:
    """From the form to the promise, as a browser goes."""
    page = await site.get("/callback/support?lang=ja")
    assert page.buttons == ["ask"]
    assert "青空カード" in page.words
    asked = await site.post("/callback/support?lang=ja", {"number": TYPED})
    owed = (await site.everything())["sms_outbox"]
    assert [(row["template"], row["number"]) for row in owed] == [("code", NUMBER)]
    code_page = await site.follow(asked)
    assert code_page.buttons == ["prove"]
    code = site.web.signer.code(challenge_in(site, asked))
    proved = await site.post(asked.headers["Location"], {"code": code})
    booking = await site.follow(proved)
    assert "090-****-5678" in booking.words
    path = proved.headers["Location"]
    await site.post(path, {"action": "book", "starts_at": booking.windows[0]})
    made = await site.open_promise()
    assert made is not None
    assert made.language == "ja"


async def test_whoever_holds_a_promise_gets_to_it(site: Site) -> None:
    """And can move it."""
    promise = await site.promised()
    asked = await site.post("/callback/support", {"number": TYPED})
    proved = await site.post(asked.headers["Location"], {"code": site.web.signer.code(challenge_in(site, asked))})
    page = await site.follow(proved)
    assert "cancel" in page.buttons
    await site.post(proved.headers["Location"], {"action": "cancel"})
    assert (await site.store.promises.get(promise.id)).state.is_final


async def test_every_number_gets_the_same_answer(site: Site) -> None:
    """Status, headers and body, but for the challenge; for the code too, whatever is typed; and one row more each."""
    await site.promised()
    await site.store.do_not_call.block("+819099990000", reason="STOP by SMS")
    answers: dict[str, list[tuple[int, str, dict[str, str]]]] = {}
    for kind, number in KINDS.items():
        before = (await site.everything())["challenges"]
        asked = await site.post("/callback/support", {"number": number})
        assert len((await site.everything())["challenges"]) == len(before) + 1
        location = asked.headers["Location"]
        told = [asked, await site.get(location), await site.post(location, {"code": "not it"})]
        answers[kind] = [seen(answer) for answer in told]
    assert len({repr(told) for told in answers.values()}) == 1
    assert [status for status, _, _ in answers["a mobile"]] == [303, 200, 400]
    texted = {row["number"] for row in (await site.everything())["sms_outbox"]}
    assert texted == {"+818011112222", NUMBER}


async def test_every_number_costs_the_same_writes(site: Site) -> None:
    """Transactions are counted by the database itself: nobody is told by the clock."""
    await site.store.do_not_call.block("+819099990000", reason="STOP by SMS")
    writes = {}
    for kind, number in KINDS.items():
        before = changes(site.file)
        await site.post("/callback/support", {"number": number})
        writes[kind] = changes(site.file) - before
    assert set(writes.values()) == {1}


def changes(file: Path) -> int:
    """Return how many transactions have changed a database: its file's own counter, in WAL mode the frames' commits."""
    wal = file.with_name(file.name + "-wal").read_bytes()
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        size = database.execute("PRAGMA page_size").fetchone()[0]
    salt = wal[16:24]
    frames = [wal[start : start + 24] for start in range(32, len(wal) - size - 23, size + 24)]
    return sum(1 for frame in frames if frame[8:16] == salt and int.from_bytes(frame[4:8], "big"))


def seen(answer: Answer) -> tuple[int, str, dict[str, str]]:
    """Return all of an answer but the time of day and the challenge."""
    headers = {name: value for name, value in answer.headers.items() if name != "Date"}
    if "Location" in headers:
        headers["Location"] = re.sub(r"[A-Za-z0-9_-]{24}", "TOKEN", headers["Location"])
    return answer.status, answer.text, headers


async def test_five_tries_and_no_more(site: Site) -> None:
    """The sixth is not taken, if it is right; and the answer is the same."""
    asked = await site.post("/callback/support", {"number": TYPED})
    path, code = asked.headers["Location"], site.web.signer.code(challenge_in(site, asked))
    wrong = [await site.post(path, {"code": f"{(int(code) + count) % 10**6:06}"}) for count in range(1, 6)]
    right = await site.post(path, {"code": code})
    assert {seen(answer)[:2] for answer in [*wrong, right]} == {seen(right)[:2]}
    assert right.status == 400
    assert (await site.everything())["booking_links"] == []


async def test_a_code_is_good_once_and_for_ten_minutes(site: Site) -> None:
    """Whether it was used, is too old, or was never right: one answer."""
    answers = []
    for turn_s in (0.0, 600.0):
        asked = await site.post("/callback/support", {"number": TYPED})
        path, code = asked.headers["Location"], site.web.signer.code(challenge_in(site, asked))
        if not turn_s:
            assert (await site.post(path, {"code": code})).status == 303
        site.clock.turn(turn_s)
        answers.append(await site.post(path, {"code": code}))
    never = await site.post(f"/verify/{site.web.signer.token(Purpose.CHALLENGE, 'ab' * 9)}", {"code": "123456"})
    assert len({seen(answer)[:2] for answer in [*answers, never]}) == 1
    assert never.status == 400


async def test_of_many_who_type_the_code_at_once_one_is_let_in(site: Site) -> None:
    """And all who guess at once have five tries together."""
    asked = await site.post("/callback/support", {"number": TYPED})
    code = site.web.signer.code(challenge_in(site, asked))
    told = await asyncio.gather(*(site.post(asked.headers["Location"], {"code": code}) for _ in range(50)))
    assert sorted(answer.status for answer in told) == [303] + [400] * 49
    assert len((await site.everything())["booking_links"]) == 1


@pytest.mark.parametrize("typed", ["", " ", "abc", "12345", "1" * 21, "090-1234-567x", "<b>090-1234-5678</b>"])
async def test_what_is_no_number_is_asked_for_again(site: Site, typed: str) -> None:
    """With what was typed in its field, and nothing written."""
    before = await site.everything()
    page = await site.post("/callback/support", {"number": typed})
    assert page.status == 400
    assert 'id="number-error"' in page.text
    assert "<b>" not in page.text
    assert await site.everything() == before


async def test_a_forged_challenge_is_no_page(site: Site) -> None:
    """As any page that is not there; a booking link's token is none either."""
    link = (await site.link()).removeprefix("/l/")
    for token in ("A" * 24, link):
        assert (await site.get(f"/verify/{token}")).status == 404
        assert (await site.post(f"/verify/{token}", {"code": "123456"})).status == 404


async def test_the_page_is_there_only_where_the_settings_want_it(tmp_path: Path) -> None:
    """Nobody can have a code sent otherwise."""
    async with site_at(tmp_path, open_page=False) as site:
        token = site.web.signer.token(Purpose.CHALLENGE, "ab" * 9)
        for path in ("/callback/support", f"/verify/{token}"):
            assert (await site.get(path)).status == 404
            assert (await site.post(path, {"number": TYPED})).status == 404
        assert (await site.everything())["challenges"] == []
