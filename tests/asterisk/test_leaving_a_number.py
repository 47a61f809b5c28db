"""Leaving a number, on a real Asterisk with real phones: which ones are taken, which not and why, and what is heard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from controller.journeys import prompts
from lab.phone import Answer, PhoneShelf
from lab.stack import running_stack
from tests.asterisk.conftest import QUICK
from tests.asterisk.floor import Floor, e164
from tests.asterisk.numbers_site import (
    AT_SUPPORT,
    CHANGES,
    EXTENSION,
    IN_ENGLISH,
    IN_JAPANESE,
    INTO_LINE,
    LETTERS,
    Strangers,
    numbers_settings,
)
from tests.asterisk.sentences import dialled, hears, promise_to, together

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lab.phone import Phone

MUSIC_S = 2.0
"""It goes on for longer than this."""

TAKEN = {
    "1840312340001": "+81312340001",
    "18609012345678": "+819012345678",
    "05012345678": "+815012345678",
    "0451234567": "+81451234567",
    "07012345678": "+817012345678",
    "08012345678": "+818012345678",
    "09087654321": "+819087654321",
    "01014155550123": "+14155550123",
}
"""What is keyed, and which number it is: the prefixes that hide and show a number, mobile phones, the internet's,
a landline, and abroad where the settings allow it."""

REFUSED = {
    "0120123456": prompts.NUMBER_FREEPHONE,
    "08001234567": prompts.NUMBER_FREEPHONE,
    "0570012345": prompts.NUMBER_NAVI,
    "0990512345": prompts.NUMBER_PREMIUM,
    "0108613912345678": prompts.NUMBER_ABROAD,
    "0901": prompts.NUMBER_TOO_SHORT,
    "9999999999": prompts.NUMBER_INVALID,
    "02041234567": prompts.NUMBER_NOT_ALLOWED,
}
"""What is keyed, and the reason that is heard."""
REFUSED_IN_JAPANESE = ("0570012345", "0108613912345678")


def digits(number: str) -> list[str]:
    """Return the prompts of a number's digits; the pauses between its groups are no sound."""
    return [f"digit-{digit}" for digit in number]


@dataclass(frozen=True)
class Lobby:
    """The phones on the PBX itself that are no agent's."""

    letters: Phone
    extension: Phone


@pytest.fixture(scope="module")
async def everything(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Floor, Lobby]]:
    """Start everything once for the tests of this file."""
    home = tmp_path_factory.mktemp("site")
    strangers = Strangers.known_to(home)
    async with (
        running_stack(home, changes={**QUICK, **CHANGES}, edit=numbers_settings) as stack,
        PhoneShelf() as shelf,
    ):
        lobby = Lobby(
            letters=await strangers.phone(LETTERS, stack, shelf),
            extension=await strangers.phone(EXTENSION, stack, shelf),
        )
        yield await Floor.furnished(stack, shelf), lobby


@pytest.fixture(scope="module")
def running_floor(everything: tuple[Floor, Lobby]) -> Floor:
    """Give the tests the floor of this site."""
    return everything[0]


@pytest.fixture
def lobby(everything: tuple[Floor, Lobby]) -> Lobby:
    """Give a test the phones on the PBX that are no agent's."""
    return everything[1]


async def test_the_shown_number_is_read_back_digit_by_digit_in_the_callers_language(floor: Floor) -> None:
    """In the order of the number, with nothing between the digits but the pauses of a written number."""

    async def leaves(number: str, language: str) -> None:
        customer = floor.customer()
        call = await dialled(customer, number)
        await hears(floor, call, [prompts.OFFER_CALLING_NUMBER, *digits(customer.user)], language)
        await call.press("1")
        promise = await promise_to(floor, e164(customer.user))
        assert (promise["language"], promise["queue"]) == (language, "numbers")
        await call.hang_up()

    await together(leaves(IN_ENGLISH, "en"), leaves(IN_JAPANESE, "ja"))


async def test_every_kind_of_number_that_may_be_called_is_taken(floor: Floor) -> None:
    """Without the prefix that hides or shows a caller's own number; each is promised as the number that it is."""
    customer = floor.customer()

    async def keys(entry: str, number: str) -> None:
        call = await dialled(customer, IN_ENGLISH, f"2{entry}#1")
        promise = await promise_to(floor, number)
        assert promise["state"] == "waiting"
        await hears(floor, call, [prompts.PROMISE_MADE])
        await call.ended

    await together(*(keys(entry, number) for entry, number in TAKEN.items()))


async def test_a_keyed_number_is_read_back_without_the_prefix_and_taken_once_it_is_right(floor: Floor) -> None:
    """Keyed wrong at first, and 2 is pressed at the read-back."""
    customer = floor.customer()
    call = await dialled(customer, IN_ENGLISH, "20312340009#21860312340002#")
    await hears(floor, call, [prompts.YOU_ENTERED, *digits("0312340002")])
    await call.press("1")
    await promise_to(floor, "+81312340002")
    assert floor.rows("select id from promises where number = ?", "+81312340009") == []


async def test_a_number_that_may_not_be_called_is_refused_with_its_own_reason(floor: Floor) -> None:
    """And asked for again; nothing is promised."""
    customer = floor.customer()

    async def keys(entry: str, number: str, language: str) -> None:
        call = await dialled(customer, number, f"2{entry}#")
        heard_s = await hears(floor, call, [REFUSED[entry]], language)
        await call.heard.until_sound(from_s=heard_s)
        await call.hang_up()

    before = len(floor.rows("select id from promises"))
    await together(
        *(keys(entry, IN_ENGLISH, "en") for entry in REFUSED),
        *(keys(entry, IN_JAPANESE, "ja") for entry in REFUSED_IN_JAPANESE),
    )
    assert len(floor.rows("select id from promises")) == before


async def test_after_three_tries_a_caller_in_line_is_back_in_line_and_another_is_bid_goodbye(floor: Floor) -> None:
    """Nobody is thrown out of the line for a number that cannot be keyed."""

    async def from_the_line() -> None:
        call = await dialled(floor.customer(), INTO_LINE, "12###")
        back_s = await hears(
            floor, call, [*[prompts.NOTHING_HEARD] * 3, prompts.NUMBER_TRIES_OVER, prompts.BACK_TO_HOLD]
        )
        music_s = await call.heard.until_sound(from_s=back_s)
        await call.heard.until_sound(from_s=music_s + MUSIC_S)
        await call.hang_up()

    async def from_outside() -> None:
        call = await dialled(floor.customer(), IN_ENGLISH, "2###")
        await hears(floor, call, [*[prompts.NOTHING_HEARD] * 3, prompts.NUMBER_TRIES_OVER, prompts.GOODBYE])
        await call.ended

    await together(from_the_line(), from_outside())


async def test_whoever_shows_no_number_that_can_be_called_is_told_so_and_asked_for_one(
    floor: Floor, lobby: Lobby
) -> None:
    """A number that is withheld, letters, an extension, and an agent's phone, which has no number outside."""
    withheld, agent = floor.customer(), floor.agents[0]

    async def asked(phone: Phone, number: str, why: str, keys: str = "") -> None:
        call = await dialled(phone, number, keys)
        await hears(floor, call, [why, prompts.ENTER_NUMBER])
        if phone is withheld:
            await call.press(f"{withheld.user}#1")
            await promise_to(floor, e164(withheld.user))
        await call.hang_up()

    await together(
        asked(withheld, f"184{IN_ENGLISH}", prompts.NUMBER_HIDDEN),
        asked(lobby.letters, IN_ENGLISH, prompts.NUMBER_HIDDEN),
        asked(lobby.extension, IN_ENGLISH, prompts.NUMBER_INTERNAL),
        asked(agent, floor.stack.site.service_number, prompts.NUMBER_HIDDEN, "1"),
    )
    shown = {row["number"] for row in floor.rows("select number from calls order by arrived_at desc limit 4")}
    assert shown == {None, "201"}


async def test_a_number_that_is_left_again_keeps_its_first_place(floor: Floor) -> None:
    """One promise for two requests, and it is kept before that of somebody who came between them."""
    first, between = floor.customer(), floor.customer()
    for phone in (first, between):
        call = await dialled(phone, AT_SUPPORT, "1")
        await promise_to(floor, e164(phone.user))
        await call.hang_up()
    made = await promise_to(floor, e164(first.user))
    again = await dialled(first, AT_SUPPORT, "1")
    await hears(floor, again, [prompts.PROMISE_EXISTS, prompts.GOODBYE])
    await again.ended
    merged = await promise_to(floor, e164(first.user))
    assert (merged["id"], merged["since"]) == (made["id"], made["since"])
    assert len(floor.rows("select call_id from promise_requests where promise_id = ?", made["id"])) == 2
    first.when_rung = Answer()
    await floor.signed_in()
    callback = await first.rings()
    assert not any(call.incoming for call in between.calls)
    await callback.answered()
    await callback.press("3")
    await floor.promise_is(made["id"], "cancelled")
