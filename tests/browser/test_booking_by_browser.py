"""A customer books with a small phone: without JavaScript, with a finger, in both languages."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from controller.domain.promise import PromiseState
from tests.browser import scenes
from tests.browser.scenes import LANGUAGES, TWO_PM
from tests.web.site import NO_LIMITS, NUMBER, TUESDAY_TEN, site_at

if TYPE_CHECKING:
    from pathlib import Path

    from tests.browser.door import Door
    from tests.browser.visitor import Visitor
    from tests.web.site import Site

pytestmark = pytest.mark.parametrize("language", LANGUAGES)


async def test_a_customer_sees_the_promise_and_chooses_another_time(
    site: Site, visitor: Visitor, language: str
) -> None:
    """The present time is chosen already; another one is tapped, and booked."""
    promise = await site.promised(slot=TWO_PM)
    path = await site.link(promise, language=language)
    await visitor.open(path)
    assert "14:00" in await visitor.reads("state")
    assert await visitor.chosen() == "window-7"
    await visitor.tap("window-2")
    assert await visitor.chosen() == "window-2"
    await visitor.tap_on("book-button")
    assert await visitor.path() == path
    assert await visitor.reads("state") == {
        "ja": "11月24日(火) 11:30〜12:00にお電話いたします。",
        "en": "We will call you on Tue 24 November, 11:30 to 12:00.",
    }.get(language)
    assert await visitor.sees("button") == 0
    moved = await site.store.promises.get(promise.id)
    assert moved.slot is not None
    assert moved.slot.starts_at == TUESDAY_TEN + timedelta(minutes=90)


async def test_a_time_on_another_day_is_found_and_booked(site: Site, visitor: Visitor, language: str) -> None:
    """Days are a tap away, and further ones another."""
    await visitor.open(await site.link(language=language))
    assert not await visitor.is_seen("window-13")
    await visitor.tap_on("more-days")
    await visitor.tap("day-3")
    await visitor.tap("window-29")
    await visitor.tap_on("book-button")
    told = {"ja": "11月26日(木) 09:00〜09:30", "en": "Thu 26 November, 09:00 to 09:30"}
    assert told[language] in await visitor.reads("state")


async def test_a_customer_asks_to_be_called_as_soon_as_possible(site: Site, visitor: Visitor, language: str) -> None:
    """The window is given up for the place in line."""
    promise = await site.promised(slot=TWO_PM)
    await visitor.open(await site.link(promise, language=language))
    await visitor.tap_on("now-button")
    told = {"ja": "順番が来しだい、お電話いたします。", "en": "We will call you as soon as it is your turn."}
    assert await visitor.reads("state") == told[language]
    moved = await site.store.promises.get(promise.id)
    assert (moved.state, moved.slot) == (PromiseState.WAITING, None)


async def test_a_customer_cancels(site: Site, visitor: Visitor, language: str) -> None:
    """The button lies under its heading, so that nobody cancels by a slip."""
    promise = await site.promised()
    await visitor.open(await site.link(promise, language=language))
    assert not await visitor.is_seen("cancel-button")
    await visitor.tap("cancel-heading")
    await visitor.tap_on("cancel-button")
    told = {"ja": "折り返しのお電話は取り消されました。", "en": "The callback is cancelled."}
    assert await visitor.reads("state") == told[language]
    assert (await site.store.promises.get(promise.id)).state is PromiseState.CANCELLED


async def test_whoever_was_not_the_caller_is_never_called_again(site: Site, visitor: Visitor, language: str) -> None:
    """With a tick, without which the browser sends nothing."""
    promise = await site.promised()
    path = await site.link(promise, language=language)
    await visitor.open(path)
    await visitor.tap("never-heading")
    before = await site.everything()
    await visitor.tap("never-button")
    assert await visitor.is_refused("never-sure")
    assert await site.everything() == before
    await visitor.tap("never-sure")
    await visitor.tap_on("never-button")
    told = {"ja": "このお電話番号には、電話もSMSもお送りいたしません。", "en": "We will not call or text this number."}
    assert await visitor.reads("state") == told[language]
    assert await site.store.do_not_call.is_blocked(NUMBER)
    assert (await site.store.promises.get(promise.id)).state is PromiseState.CANCELLED


async def test_nothing_is_booked_until_a_time_is_chosen(site: Site, visitor: Visitor, language: str) -> None:
    """The browser asks for it."""
    await visitor.open(await site.link(language=language))
    before = await site.everything()
    await visitor.tap("book-button")
    assert await visitor.is_refused("window-1")
    assert await site.everything() == before


async def test_a_used_link_shows_what_was_decided_and_changes_nothing(
    site: Site, visitor: Visitor, language: str
) -> None:
    """Opened anew, or when the browser's button has led back to the page before, and another wish is sent from it."""
    path = await site.link(language=language)
    await visitor.open(path)
    await visitor.tap_on("now-button")
    decided, before = await visitor.reads(), await site.everything()
    await visitor.open(path)
    assert await visitor.reads() == decided
    await visitor.open(path + "?more=1")
    assert await visitor.reads() == decided
    assert await site.everything() == before


async def test_the_page_before_the_booking_books_no_second_time(site: Site, visitor: Visitor, language: str) -> None:
    """The browser's button leads back to it, as it was; what is sent from there is answered with what was decided."""
    await scenes.promise(site, visitor, language)
    await visitor.tap("window-2")
    await visitor.tap_on("book-button")
    decided, before = await visitor.reads(), await site.everything()
    await visitor.go_back()
    await visitor.tap("window-3")
    await visitor.tap_on("book-button")
    assert await visitor.reads() == decided
    assert await site.everything() == before


async def test_a_page_that_was_left_open_changes_nothing_once_its_link_is_used(
    site: Site, visitor: Visitor, language: str
) -> None:
    """In another tab, say: what was decided there is shown."""
    path = await site.link(await site.promised(), language=language)
    await visitor.open(path)
    await site.post(path, {"action": "cancel"})
    before = await site.everything()
    await visitor.tap("window-2")
    await visitor.tap_on("book-button")
    assert await visitor.sees("#done") == 1
    assert await visitor.reads("state") == {
        "ja": "折り返しのお電話は取り消されました。",
        "en": "The callback is cancelled.",
    }.get(language)
    assert await site.everything() == before


async def test_a_link_that_has_expired_reads_as_one_that_never_was(site: Site, visitor: Visitor, language: str) -> None:
    """Every word."""
    await scenes.gone(site, visitor, language)
    assert await visitor.status() == 404
    said = await visitor.reads()
    await visitor.open(f"/l/{'A' * 24}?lang={language}")
    assert await visitor.status() == 404
    assert await visitor.reads() == said
    assert {"ja": "有効期限", "en": "not valid"}[language] in said


async def test_a_window_that_others_took_meanwhile_is_not_booked_and_another_one_is(
    site: Site, visitor: Visitor, language: str
) -> None:
    """It is gone from the page; the mistake is named at the top, and leads to the windows."""
    await scenes.full(site, visitor, language)
    assert await visitor.status() == 409
    assert {"ja": "いっぱい", "en": "not free any more"}[language] in await visitor.reads("error")
    assert "12:00〜12:30" not in await visitor.reads("book")
    assert await site.open_promise() is None
    await visitor.tap("window-3")
    await visitor.tap_on("book-button")
    assert "12:30" in await visitor.reads("state")
    assert await site.open_promise() is not None


async def test_whoever_asks_too_often_waits_and_goes_on(
    door: Door, visitor: Visitor, tmp_path: Path, language: str
) -> None:
    """The page says so; a minute later the link is as it was."""
    limits = replace(NO_LIMITS, per_link_per_minute=1)
    async with site_at(tmp_path, limits=limits) as site, door.leading_to(site):
        await scenes.too_often(site, visitor, language)
        assert await visitor.status() == 429
        assert {"ja": "しばらくしてから", "en": "try again"}[language] in await visitor.reads()
        site.clock.turn(61)
        await scenes.nothing(site, visitor, language)
        assert await visitor.status() == 200
        assert await visitor.sees("#book-button") == 1


async def test_the_other_language_is_one_tap_away_and_stays(site: Site, visitor: Visitor, language: str) -> None:
    """Through the booking to its end."""
    other = {"ja": "en", "en": "ja"}[language]
    await visitor.open(await site.link(language=language))
    await visitor.tap_on(f"lang-{other}")
    assert await visitor.ask("return document.documentElement.lang") == other
    await visitor.tap("window-1")
    await visitor.tap_on("book-button")
    assert await visitor.ask("return document.documentElement.lang") == other
    assert await visitor.sees("#done") == 1


async def test_no_page_that_is_looked_at_changes_anything(site: Site, visitor: Visitor, language: str) -> None:
    """Nor does any link on it, whoever follows them all: previews, scanners, a curious thumb."""
    path = await site.link(await site.promised(slot=TWO_PM), language=language)
    before = await site.everything()
    seen: set[str] = set()
    ahead = {path, f"/callback/support?lang={language}"}
    while ahead:
        page = ahead.pop()
        seen.add(page)
        await visitor.open(page)
        ahead |= set(await visitor.links()) - seen
    assert len(seen) >= 5
    assert await site.everything() == before
