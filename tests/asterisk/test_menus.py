"""Menus on a real Asterisk with real phones: which prompts are heard, in which language, and where keys lead."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from controller.settings.first_file import with_value
from tests.asterisk.floor import e164
from tests.asterisk.menu_callers import (
    alike,
    all_heard,
    controller,
    dials,
    hear_each_other,
    hears,
    passer_by,
    rehearsed,
    stay,
)
from tests.asterisk.menu_site import (
    ANNEX,
    FRONT_EN,
    FRONT_JA,
    LOBBY,
    MOVED,
    NOTICE_HZ,
    QUICK_EN,
    QUICK_JA,
    SHORT_OF_TIME,
    menu_floor,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from lab.phone import Phone
    from tests.asterisk.floor import Floor


@pytest.fixture(scope="module")
async def running_floor(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Floor]:
    """Start everything once for the tests of this file, with menus."""
    async with menu_floor(tmp_path_factory.mktemp("site")) as floor:
        yield floor


async def test_the_number_that_was_dialled_decides_the_greeting_and_its_language(floor: Floor) -> None:
    """And nothing of the other language is heard."""
    numbers = {"ja": FRONT_JA, "en": FRONT_EN}
    heard = {}

    async def greeted(index: int, language: str) -> None:
        call = await dials(passer_by(floor, index), numbers[language])
        await hears(floor, call, f"{language}/welcome")
        await call.hang_up()
        await call.ended
        heard[language] = await all_heard(floor, call)

    await asyncio.gather(greeted(0, "ja"), greeted(1, "en"))
    assert heard == {"ja": ["ja/welcome"], "en": ["en/welcome"]}


async def test_a_language_that_is_chosen_by_key_holds_for_this_call_and_the_next(floor: Floor) -> None:
    """Either way round: 8 at the Japanese number, and 8 at the English one."""

    async def chooses(phone: Phone, number: str, invitation: str, chosen: str) -> None:
        call = await dials(phone, number, "8")
        await hears(floor, call, f"{chosen}/language-set", invitation, f"{chosen}/{LOBBY}")
        await call.hang_up()
        await call.ended
        await hears(floor, await dials(phone, number), f"{chosen}/welcome")

    english, japanese = floor.customer(), floor.customer()
    await asyncio.gather(
        chooses(english, FRONT_JA, "ja/menu-english", "en"),
        chooses(japanese, FRONT_EN, "en/menu-japanese", "ja"),
    )
    kept = {row["number"]: row["language"] for row in floor.rows("select number, language from callers")}
    assert (kept[e164(english.user)], kept[e164(japanese.user)]) == ("en", "ja")


async def test_of_a_caller_who_withholds_the_number_no_language_is_kept(floor: Floor) -> None:
    """It holds for the call; the next one begins in the language of the number that was dialled."""
    phone = passer_by(floor, 0)
    known = floor.rows("select * from callers")
    call = await dials(phone, f"184{QUICK_JA}", "8")
    await hears(floor, call, "en/language-set")
    await call.hang_up()
    await call.ended
    await hears(floor, await dials(phone, f"184{FRONT_JA}"), "ja/welcome")
    assert floor.rows("select * from callers") == known


async def test_menus_lead_into_menus_and_back(floor: Floor) -> None:
    """Down, up, down again, and from there into a queue."""
    phone = passer_by(floor, 0)
    agent = await floor.signed_in()
    call = await dials(phone, QUICK_JA, "2")
    at = await hears(floor, call, f"ja/{ANNEX}")
    await call.press("*")
    at = await hears(floor, call, "ja/menu-english", f"ja/{LOBBY}", from_s=at)
    await call.press("2")
    await hears(floor, call, f"ja/{ANNEX}", from_s=at)
    await call.press("1")
    await hear_each_other(await agent.rings(), call)
    assert await stay(floor, phone) == ("billing", agent.user)


async def test_keys_that_are_pressed_early_go_through_two_menus_unheard(floor: Floor) -> None:
    """Whoever knows the way hears the greeting and the agent."""
    phone = passer_by(floor, 0)
    agent = await floor.signed_in()
    call = await dials(phone, FRONT_JA, "21")
    leg = await agent.rings()
    assert leg.caller_id.number.endswith(phone.user[1:])
    await hear_each_other(leg, call)
    assert await all_heard(floor, call) == ["ja/welcome"]
    assert await stay(floor, phone) == ("billing", agent.user)


async def test_a_menu_is_said_again_when_asked_for_and_after_a_wrong_key_or_none(floor: Floor) -> None:
    """To be asked for it is no try; two wrong keys lead one way, two silences another."""
    agent = await floor.signed_in()
    menu = f"en/{ANNEX}"

    async def presses_wrong_keys() -> list[str]:
        call = await dials(passer_by(floor, 0), SHORT_OF_TIME)
        at = await hears(floor, call, menu)
        for key in ("9", "5"):
            await call.press(key)
            at = await hears(floor, call, *(["en/wrong-key"] if key == "5" else []), menu, from_s=at)
        await call.press("7")
        await call.heard.until_tone(NOTICE_HZ["en"], from_s=at)
        await call.ended
        return await all_heard(floor, call)

    async def presses_nothing() -> list[str]:
        call = await dials(passer_by(floor, 1), SHORT_OF_TIME)
        await hear_each_other(await agent.rings(), call)
        return await all_heard(floor, call)

    wrong, silent = await asyncio.gather(presses_wrong_keys(), presses_nothing())
    assert wrong == [menu, menu, "en/wrong-key", menu]
    assert silent == [menu, "en/no-key", menu]
    assert await stay(floor, passer_by(floor, 1)) == ("billing", agent.user)


async def test_a_settings_file_that_names_a_prompt_that_is_not_there_is_refused_at_the_start(
    floor: Floor, tmp_path: Path
) -> None:
    """In one line that names the file to be made, and not in the middle of a call."""
    site = floor.stack.site
    text = floor.stack.settings.read_text("utf-8").replace(ANNEX, "no-such-prompt")
    # Under a name of its own: the controller that runs meanwhile is not to lose its place.
    settings = tmp_path / "controller.toml"
    settings.write_text(with_value(text, "asterisk", "app", '"newcomer"'), "utf-8")
    secrets = {"ORIKAESHI_ARI_PASSWORD": site.ari_password, "ORIKAESHI_AMI_PASSWORD": site.ami_password}
    code, printed, complained = await controller(settings, "run", env=secrets)
    assert (code, printed) == (1, "")
    assert "Traceback" not in complained
    (message,) = [line for line in complained.splitlines() if not line.startswith("{")]
    assert message.startswith("the PBX lacks prompts: en/no-such-prompt.wav, ")
    assert "ja/no-such-prompt.wav" in message


WALKS = (("front-ja", FRONT_JA, "82"), ("quick-en", QUICK_EN, "2*"), ("moved", MOVED, ""))
"""Entrance, its number, and the keys: another language and a second menu; a second menu and back; no menu at all."""


async def test_what_is_rehearsed_is_what_a_phone_hears(floor: Floor) -> None:
    """Three paths, told by the command line and walked by three phones: the same prompts in the same order."""

    async def walked(phone: Phone, entrance: str, number: str, presses: str) -> tuple[list[str], list[str]]:
        entry, *steps = await rehearsed(floor, entrance, presses)
        call = await dials(phone, number)
        keys, at = list(presses), await hears(floor, call, *entry)
        for said in steps:
            at = await hears(floor, call, *said, from_s=at)
            if keys:
                await call.press(keys.pop(0))
        await call.hang_up()
        await call.ended
        return alike(floor.stack.prompts, [one for said in (entry, *steps) for one in said]), await all_heard(
            floor, call
        )

    # What a journey says by itself, as that it goes on in another language, is not in the settings.
    phones = (floor.customer(), passer_by(floor, 0), passer_by(floor, 1))
    for told, heard in await asyncio.gather(*(walked(phone, *walk) for phone, walk in zip(phones, WALKS, strict=True))):
        assert [one for one in heard if not one.endswith("/language-set")] == told
