"""The booking page: what it shows, and what one change makes of a promise."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from controller.domain.lifecycle import RunningLate
from controller.domain.promise import PromiseState
from controller.domain.slots import Slot
from tests.contract.store_under_test import attempt_for
from tests.web.site import NUMBER, TUESDAY_TEN, Site

if TYPE_CHECKING:
    from tests.web.site import Answer

TWO_PM = Slot(TUESDAY_TEN + timedelta(hours=4), TUESDAY_TEN + timedelta(hours=4, minutes=30))


async def test_a_link_shows_the_promise_and_all_that_can_be_done(site: Site) -> None:
    """Who calls, which number, when, the free windows, and the four buttons."""
    page = await site.get(await site.link(await site.promised(slot=TWO_PM)))
    assert page.status == 200
    assert page.state == "11月24日(火) 14:00〜14:30にお電話いたします。"
    assert "青空カード" in page.words
    assert "090-****-5678" in page.words
    assert page.buttons == ["book", "now", "cancel", "never"]
    assert datetime.fromisoformat(page.windows[0]) == TUESDAY_TEN + timedelta(hours=1)


async def test_a_whole_number_never_stands_on_a_page(site: Site) -> None:
    """However it may be written."""
    page = await site.get(await site.link(await site.promised()))
    assert "1234" not in page.text.replace("03-1234-5678", "").replace("0312345678", "")


@pytest.mark.parametrize(
    ("language", "query", "told"),
    [
        ("ja", "", "順番が来しだい、お電話いたします。"),
        ("en", "", "We will call you as soon as it is your turn."),
        ("ja", "?lang=en", "We will call you as soon as it is your turn."),
        ("en", "?lang=ja", "順番が来しだい、お電話いたします。"),
        ("ja", "?lang=fr", "順番が来しだい、お電話いたします。"),
    ],
)
async def test_a_page_speaks_the_language_of_its_link_or_the_one_that_is_asked_for(
    site: Site, language: str, query: str, told: str
) -> None:
    """And says so to the browser."""
    page = await site.get(await site.link(await site.promised(), language=language) + query)
    assert page.state == told
    assert f'<html lang="{"ja" if "順番" in told else "en"}">' in page.text


async def test_a_link_in_a_language_without_pages_is_answered_in_the_browsers(site: Site) -> None:
    """French callers may read Japanese."""
    path = await site.link(language="fr")
    assert "折り返しのご予約はありません" in (await site.get(path, Accept_Language="fr, ja;q=0.8, en;q=0.7")).words
    assert "No callback is booked" in (await site.get(path)).words


async def test_a_window_that_is_chosen_is_booked_confirmed_and_shown(site: Site) -> None:
    """With an SMS that says so; and the link is used up."""
    promise = await site.promised()
    path = await site.link(promise)
    window = (await site.get(path)).windows[3]
    page = await site.follow(await site.post(path, {"action": "book", "starts_at": window}))
    assert page.state == "11月24日(火) 12:30〜13:00にお電話いたします。"
    assert 'id="done"' in page.text
    assert page.buttons == []
    moved = await site.store.promises.get(promise.id)
    assert moved.slot is not None
    assert moved.slot.starts_at == datetime.fromisoformat(window)
    owed = (await site.everything())["sms_outbox"]
    assert [row["template"] for row in owed] == ["confirmed"]


async def test_a_link_without_a_promise_books_one(site: Site) -> None:
    """For the number that it was sent to."""
    path = await site.link()
    page = await site.get(path)
    assert page.state == "折り返しのご予約はありません。"
    assert page.buttons == ["book", "now", "never"]
    await site.post(path, {"action": "book", "starts_at": page.windows[0]})
    made = await site.open_promise()
    assert made is not None
    assert (made.number, made.slot is not None) == (NUMBER, True)


async def test_call_me_now_makes_a_promise_due_at_once(site: Site) -> None:
    """A window that was booked is given back."""
    promise = await site.promised(slot=TWO_PM)
    page = await site.follow(await site.post(await site.link(promise), {"action": "now"}))
    moved = await site.store.promises.get(promise.id)
    assert moved.slot is None
    assert moved.not_before - site.clock.now() < timedelta(minutes=1)
    assert page.state == "順番が来しだい、お電話いたします。"


async def test_out_of_hours_the_page_says_when_as_soon_as_possible_is(site: Site) -> None:
    """Before it is asked for, and after."""
    site.clock.turn(9 * 3600)
    path = await site.link()
    page = await site.get(path)
    assert "11月25日(水) 9:00以降、順番にお電話いたします。" in page.words
    done = await site.follow(await site.post(path, {"action": "now"}))
    assert done.state == "11月25日(水) 9:00以降、順番が来しだいお電話いたします。"


async def test_what_is_cancelled_is_cancelled(site: Site) -> None:
    """And the page says so."""
    promise = await site.promised()
    page = await site.follow(await site.post(await site.link(promise), {"action": "cancel"}))
    assert page.state == "折り返しのお電話は取り消されました。"
    assert (await site.store.promises.get(promise.id)).state is PromiseState.CANCELLED


async def test_whoever_never_asked_is_never_contacted_again(site: Site) -> None:
    """Once they have ticked the box; without it nothing happens, and the page says what is missing."""
    promise = await site.promised()
    path = await site.link(promise)
    before = await site.everything()
    asked = await site.post(path, {"action": "never"})
    assert asked.status == 400
    assert 'aria-describedby="never-help never-sure-error" aria-invalid="true"' in asked.text
    assert await site.everything() == before
    page = await site.follow(await site.post(path, {"action": "never", "sure": "yes"}))
    assert page.state == "このお電話番号には、電話もSMSもお送りいたしません。"
    assert await site.store.do_not_call.is_blocked(NUMBER)
    assert (await site.store.promises.get(promise.id)).state is PromiseState.CANCELLED


async def test_a_window_that_was_taken_meanwhile_is_not_booked_and_others_are_shown(site: Site) -> None:
    """Two places are there, and three want one. The link is as good as before."""
    path = await site.link()
    window = (await site.get(path)).windows[0]
    for count in (1, 2):
        other = f"+81901111000{count}"
        taker = await site.link(number=other, name=f"other-{count}")
        assert (await site.post(taker, {"action": "book", "starts_at": window})).status == 303
    page = await site.post(path, {"action": "book", "starts_at": window})
    assert page.status == 409
    assert "その時間帯のご予約はいっぱいになりました" in page.words
    assert '<a href="#window-1">' in page.text
    assert window not in page.windows
    assert len(page.windows) > 3
    assert (await site.post(path, {"action": "book", "starts_at": page.windows[0]})).status == 303


async def test_the_places_that_are_left_are_told_when_they_are_few(site: Site) -> None:
    """Counted anew for each page, and only where somebody has taken one."""
    path = await site.link()
    window = (await site.get(path)).windows[0]
    taker = await site.link(number="+819011110001", name="other")
    await site.post(taker, {"action": "book", "starts_at": window})
    page = await site.get(path)
    assert "11:00〜11:30 (残り1枠)" in page.words
    assert "11:30〜12:00 12:00〜12:30" in page.words


@pytest.mark.parametrize(
    ("starts_at", "said"),
    [
        ("", "時間帯を1つお選びください。"),
        ("tomorrow", "その時間帯はお選びいただけません。"),
        ("2026-11-24T14:00", "その時間帯はお選びいただけません。"),
        ("9999-12-31T23:59:59-23:00", "その時間帯はお選びいただけません。"),
        ("2026-11-24T14:00:00+09:00" * 9, "その時間帯はお選びいただけません。"),
    ],
)
async def test_what_is_no_time_is_answered_with_the_windows(site: Site, starts_at: str, said: str) -> None:
    """The mistake is tied to its field."""
    page = await site.post(await site.link(), {"action": "book", "starts_at": starts_at})
    assert page.status == 400
    assert said in page.words
    assert 'id="window-1-error"' in page.text
    assert page.windows


@pytest.mark.parametrize("starts_at", ["2026-11-24T03:10:00+00:00", "2020-01-01T00:00:00Z", "2026-11-28T05:00:00Z"])
async def test_only_a_window_that_is_offered_can_be_booked(site: Site, starts_at: str) -> None:
    """Not one between two, in the past, or on a day off."""
    path = await site.link()
    assert (await site.post(path, {"action": "book", "starts_at": starts_at})).status == 409
    assert await site.open_promise() is None


async def test_far_days_are_shown_on_request(site: Site) -> None:
    """Two days at first; the others are a link away."""
    path = await site.link()
    first, more = await site.get(path), await site.get(path + "?more=1")
    assert first.text.count("<legend>") == 2
    assert more.text.count("<legend>") == 6
    assert set(first.windows) < set(more.windows)
    assert "今日 11月24日(火)" in first.words
    assert "明日 11月25日(水)" in first.words


async def test_a_queue_without_slots_offers_each_half_hour(site: Site) -> None:
    """Without counting places."""
    page = await site.get(await site.link(queue="sales", language="en"))
    assert "10:00 to 10:30" in page.words
    assert "left)" not in page.words


async def test_a_used_link_shows_what_was_decided_and_changes_nothing(site: Site) -> None:
    """Whatever is asked of it."""
    path = await site.link(await site.promised())
    await site.post(path, {"action": "cancel"})
    before = await site.everything()
    for form in ({"action": "now"}, {"action": "book", "starts_at": TWO_PM.starts_at.isoformat()}, {"action": "x"}):
        page = await site.follow(await site.post(path, form))
        assert page.state == "折り返しのお電話は取り消されました。"
        assert "このリンクは使用済みです" in page.words
    assert await site.everything() == before


async def test_what_cannot_be_cancelled_any_more_is_said(site: Site) -> None:
    """The link is as it was."""
    path = await site.link()
    page = await site.post(path, {"action": "cancel"})
    assert (page.status, "取り消すことができるご予約がありません。" in page.words) == (409, True)
    assert (await site.post(path, {"action": "now"})).status == 303


async def test_a_number_that_is_never_called_gets_no_promise(site: Site) -> None:
    """The page says so, before and after somebody tries."""
    path = await site.link()
    await site.store.do_not_call.block(NUMBER, reason="STOP by SMS")
    before = await site.everything()
    for page in (await site.get(path), await site.post(path, {"action": "now"})):
        assert page.state == "このお電話番号には、電話もSMSもお送りいたしません。"
        assert page.buttons == []
    assert await site.everything() == before


async def test_a_customer_who_was_told_that_it_is_late_reads_so(site: Site) -> None:
    """The window that was promised, and that it is not forgotten."""
    promise = await site.promised(slot=TWO_PM)
    await site.store.promises.advance(promise.id, RunningLate(TWO_PM.ends_at + timedelta(hours=1)))
    page = await site.get(await site.link(promise))
    assert page.state.startswith("11月24日(火) 14:00〜14:30のお約束でしたが、遅れております。")


async def test_a_call_on_its_way_is_seen(site: Site) -> None:
    """And can still be taken back."""
    promise = await site.promised()
    await site.store.promises.open_attempt(promise, attempt_for(promise, started_at=site.clock.now()))
    page = await site.get(await site.link(promise))
    assert page.state == "ただいまお電話を差し上げています。"
    assert "cancel" in page.buttons


async def test_a_button_that_does_not_exist_is_answered_with_those_that_do(site: Site) -> None:
    """Nothing changes."""
    path = await site.link()
    before = await site.everything()
    for form in ({}, {"action": "delete"}, {"starts_at": "now"}):
        page = await site.post(path, form)
        assert (page.status, page.buttons) == (400, ["book", "now", "never"])
    assert await site.everything() == before


async def test_looking_changes_nothing(site: Site) -> None:
    """Link previews look, in each way that HTTP has; the whole database is compared."""
    promise = await site.promised(slot=TWO_PM)
    paths = [await site.link(promise), await site.link(name="sms-2")]
    await site.post(paths[1], {"action": "now"})
    before = await site.everything()
    for path in [*paths, "/l/forged", "/callback/support", "/verify/forged", "/health", "/", "/sms/twilio"]:
        for query in ("", "?lang=en", "?action=cancel", "?action=never&sure=yes&more=1"):
            for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE"):
                await look(site, method, path + query)
    assert await site.everything() == before


async def look(site: Site, method: str, path: str) -> Answer:
    """Send a request that may have no effect."""
    answer = await site.send(method, path)
    assert answer.status < 500
    return answer
