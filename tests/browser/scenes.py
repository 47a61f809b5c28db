"""Every page that a customer can come to, and the way there. Each test that looks at all pages walks these."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from controller.domain.lifecycle import RunningLate
from controller.domain.signed import Purpose
from controller.domain.slots import Slot
from tests.contract.store_under_test import attempt_for
from tests.web.site import NO_LIMITS, NUMBER, TUESDAY_TEN

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from controller.web.rates import RateLimits
    from tests.browser.visitor import Visitor
    from tests.web.site import Site

    Way = Callable[[Site, Visitor, str], Awaitable[None]]

TWO_PM = Slot(TUESDAY_TEN + timedelta(hours=4), TUESDAY_TEN + timedelta(hours=4, minutes=30))
TYPED = "090-1234-5678"
_WITHOUT_ASKING = "for (const each of document.querySelectorAll('[required]')) each.required = false"
"""As a browser sends a form that does not know `required`."""


def queue_for(language: str) -> str:
    """Return the queue whose customers speak a language: one with counted windows, and one without."""
    return {"ja": "support", "en": "sales"}[language]


async def promise(site: Site, visitor: Visitor, language: str) -> None:
    """Show a promise with a window."""
    await visitor.open(await site.link(await site.promised(slot=TWO_PM), language=language))


async def soon(site: Site, visitor: Visitor, language: str) -> None:
    """Show a promise of the queue without slots, as soon as possible."""
    queue = queue_for(language)
    await visitor.open(await site.link(await site.promised(queue=queue), queue=queue, language=language))


async def nothing(site: Site, visitor: Visitor, language: str) -> None:
    """Show a number that holds no promise."""
    await visitor.open(await site.link(language=language))


async def few(site: Site, visitor: Visitor, language: str) -> None:
    """Show all days, and a window that has one place left."""
    await take(site, TWO_PM, 1)
    await visitor.open(await site.link(language=language) + "?more=1")


async def chosen(site: Site, visitor: Visitor, language: str) -> None:
    """Show the second day unfolded, and a window of it chosen."""
    await nothing(site, visitor, language)
    await visitor.tap("day-2")
    await visitor.tap("window-20")


async def late(site: Site, visitor: Visitor, language: str) -> None:
    """Show a promise that cannot be kept in time."""
    made = await site.promised(slot=TWO_PM)
    await site.store.promises.advance(made.id, RunningLate(TWO_PM.ends_at + timedelta(hours=1)))
    await visitor.open(await site.link(made, language=language))


async def dialling(site: Site, visitor: Visitor, language: str) -> None:
    """Show a promise whose customer is being called."""
    made = await site.promised()
    await site.store.promises.open_attempt(made, attempt_for(made, started_at=site.clock.now()))
    await visitor.open(await site.link(made, language=language))


async def closed(site: Site, visitor: Visitor, language: str) -> None:
    """Show the page at night."""
    site.clock.turn(12 * 3600)
    await nothing(site, visitor, language)


async def full(site: Site, visitor: Visitor, language: str) -> None:
    """Choose a window that others take in the meantime."""
    await nothing(site, visitor, language)
    await visitor.tap("window-3")
    await take(site, Slot(TUESDAY_TEN + timedelta(hours=2), TUESDAY_TEN + timedelta(hours=2, minutes=30)), 2)
    await visitor.tap_on("book-button")


async def unchosen(site: Site, visitor: Visitor, language: str) -> None:
    """Book without having chosen."""
    await nothing(site, visitor, language)
    await visitor.ask(_WITHOUT_ASKING)
    await visitor.tap_on("book-button")


async def unsure(site: Site, visitor: Visitor, language: str) -> None:
    """Never want to be called again, without the tick."""
    await nothing(site, visitor, language)
    await visitor.ask(_WITHOUT_ASKING)
    await visitor.tap("never-heading")
    await visitor.tap_on("never-button")


async def done(site: Site, visitor: Visitor, language: str) -> None:
    """Book a window."""
    await promise(site, visitor, language)
    await visitor.tap("window-2")
    await visitor.tap_on("book-button")


async def cancelled(site: Site, visitor: Visitor, language: str) -> None:
    """Cancel."""
    await promise(site, visitor, language)
    await visitor.tap("cancel-heading")
    await visitor.tap_on("cancel-button")


async def blocked(site: Site, visitor: Visitor, language: str) -> None:
    """Show the page of a number that is never called."""
    await site.store.do_not_call.block(NUMBER, reason="STOP by SMS")
    await nothing(site, visitor, language)


async def gone(site: Site, visitor: Visitor, language: str) -> None:
    """Open a link after its two days."""
    path = await site.link()
    site.clock.turn(49 * 3600)
    await visitor.open(f"{path}?lang={language}")


async def too_often(site: Site, visitor: Visitor, language: str) -> None:
    """Open a link again and again."""
    path = await site.link()
    for _ in range(2):
        await visitor.open(f"{path}?lang={language}")


async def number(_: Site, visitor: Visitor, language: str) -> None:
    """Show the page without a link."""
    await visitor.open(f"/callback/{queue_for(language)}?lang={language}")


async def number_wrong(site: Site, visitor: Visitor, language: str) -> None:
    """Type what is no number."""
    await number(site, visitor, language)
    await visitor.type("number", "090-12")
    await visitor.tap_on("ask-button")


async def code(site: Site, visitor: Visitor, language: str) -> None:
    """Be asked for the code."""
    await number(site, visitor, language)
    await visitor.type("number", TYPED)
    await visitor.tap_on("ask-button")


async def code_wrong(site: Site, visitor: Visitor, language: str) -> None:
    """Type a wrong one."""
    await code(site, visitor, language)
    right = await code_sent(site, visitor)
    await visitor.type("code", f"{(int(right) + 1) % 10**6:06}")
    await visitor.tap_on("prove-button")


SCENES: Mapping[str, Way] = {
    way.__name__: way
    for way in (
        promise, soon, nothing, few, chosen, late, dialling, closed, full, unchosen, unsure, done, cancelled, blocked,
        gone, too_often, number, number_wrong, code, code_wrong,
    )
}  # fmt: skip
LANGUAGES = ("ja", "en")


def limits_of(scene: str) -> RateLimits:
    """Return how often somebody may ask in a scene."""
    return replace(NO_LIMITS, per_link_per_minute=1) if scene == "too_often" else NO_LIMITS


async def take(site: Site, window: Slot, places: int) -> None:
    """Have so many others book a window."""
    for count in range(places):
        await site.promised(number=f"+81901111000{count}", slot=window)


async def code_sent(site: Site, visitor: Visitor) -> str:
    """Return the code that was sent for the page that a visitor is on."""
    token = (await visitor.path()).removeprefix("/verify/")
    challenge_id = site.web.signer.read(Purpose.CHALLENGE, token)
    assert challenge_id is not None
    return site.web.signer.code(challenge_id)
