"""A menu: say it, take one key, and tell where it leads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.digits import ONE_KEY
from controller.domain.menu import Repeat, SwitchLanguage
from controller.journeys import prompts
from controller.journeys.shown_number import shown_number

if TYPE_CHECKING:
    from controller.domain.menu import Destination, Menu
    from controller.journeys.house import House
    from controller.ports.calls import Call


@dataclass(frozen=True, slots=True)
class Chosen:
    """What came of a menu. Who pressed no key that means something has not chosen, and is not asked for ever."""

    destination: Destination
    by_key: bool


async def choose(call: Call, menu: Menu, house: House) -> Chosen:
    """Return where the caller's key leads; after `menu.tries` silences or wrong keys, where those lead."""
    silences = wrong_keys = 0
    while True:
        key = await call.ask(*menu.prompts, keypad=ONE_KEY, first_key_timeout_s=menu.first_key_timeout_s)
        match menu.keys.get(key):
            case None if not key:
                silences += 1
                if silences >= menu.tries:
                    return Chosen(menu.no_key, by_key=False)
                await call.play(prompts.NO_KEY)
            case None:
                wrong_keys += 1
                if wrong_keys >= menu.tries:
                    return Chosen(menu.wrong_key, by_key=False)
                await call.play(prompts.WRONG_KEY)
            case Repeat():
                continue
            case SwitchLanguage(language):
                await switch_language(call, language, house)
            case destination:
                return Chosen(destination, by_key=True)


async def switch_language(call: Call, language: str, house: House) -> None:
    """Go on in `language`, now and on the caller's next call."""
    await call.remember(language=language)
    await call.play(prompts.LANGUAGE_SET)
    shown = shown_number(call, house.plan)
    if house.callers is not None and shown is not None:
        await house.callers.remember_language(shown.e164, language)
