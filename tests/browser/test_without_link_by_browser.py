"""The page without a link, by browser: a number, the code from the SMS, a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser import scenes
from tests.browser.scenes import LANGUAGES, code_sent, queue_for
from tests.web.site import NUMBER

if TYPE_CHECKING:
    from tests.browser.visitor import Visitor
    from tests.web.site import Site

pytestmark = pytest.mark.parametrize("language", LANGUAGES)


async def test_a_number_is_proved_and_a_time_booked(site: Site, visitor: Visitor, language: str) -> None:
    """One SMS with the code, one that confirms."""
    await scenes.code(site, visitor, language)
    assert await visitor.status() == 200
    await visitor.type("code", await code_sent(site, visitor))
    await visitor.tap_on("prove-button")
    assert "090-****-5678" in await visitor.reads()
    await visitor.tap("window-2")
    await visitor.tap_on("book-button")
    assert await visitor.sees("#done") == 1
    promise = await site.open_promise(queue=queue_for(language))
    assert promise is not None
    assert promise.slot is not None
    assert promise.language == language
    owed = (await site.everything())["sms_outbox"]
    assert [(row["template"], row["number"]) for row in owed] == [("code", NUMBER), ("confirmed", NUMBER)]


async def test_a_wrong_code_is_said_beside_its_field_and_the_right_one_still_works(
    site: Site, visitor: Visitor, language: str
) -> None:
    """The line at the top leads to the field."""
    await scenes.code_wrong(site, visitor, language)
    assert await visitor.status() == 400
    assert await visitor.reads("code-error") in await visitor.reads("error")
    await visitor.tap_link("#code")
    assert await visitor.focus() == "code"
    await visitor.press(await code_sent(site, visitor))
    await visitor.tap_on("prove-button")
    assert (await visitor.path()).startswith("/l/")


async def test_what_is_no_number_is_said_beside_its_field(site: Site, visitor: Visitor, language: str) -> None:
    """What was typed stands there still."""
    await scenes.number_wrong(site, visitor, language)
    assert await visitor.status() == 400
    assert await visitor.reads("number-error") in await visitor.reads("error")
    assert await visitor.ask("return document.getElementById('number').value") == "090-12"
    assert (await site.everything())["sms_outbox"] == []


async def test_a_number_that_gets_no_code_sees_the_same_page(site: Site, visitor: Visitor, language: str) -> None:
    """Nobody learns whom we know, text, or never call."""
    await scenes.code(site, visitor, language)
    said = await visitor.ask("return document.body.innerText")
    for typed in ("03-3456-7890", "0120-123-456", "+1 650 253 0000"):
        await scenes.number(site, visitor, language)
        await visitor.type("number", typed)
        await visitor.tap_on("ask-button")
        assert await visitor.ask("return document.body.innerText") == said


async def test_the_phone_is_told_what_each_field_is_for(site: Site, visitor: Visitor, language: str) -> None:
    """Its number is offered, digits are its keyboard, and the code is taken from the SMS."""
    await scenes.code(site, visitor, language)
    assert await visitor.sees("input[type=text][inputmode=numeric][autocomplete=one-time-code]") == 1
    await scenes.number(site, visitor, language)
    assert await visitor.sees("input[type=tel][autocomplete=tel]") == 1
