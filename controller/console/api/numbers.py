"""One person's data, by their number: all that is known of it, and forgetting it. Both are written into the audit."""

from __future__ import annotations

from typing import Any

from controller.console.api.operation import Ask, Nothing, Operation, Tag
from controller.console.api.problems import Refusal
from controller.console.api.shapes import At, Frozen
from controller.domain.access import Scope
from controller.domain.phone_number import as_e164, mask
from controller.domain.spellings import spellings


class KnownOfNumber(Frozen, frozen=True):
    """All that is known of a number, as the database has it."""

    number: str
    """E.164."""
    exported_at: At
    known: dict[str, list[dict[str, Any]]]
    """Rows by what they are: `calls`, `promises`, `attempts`, `sms`, `notes`, `do_not_call` and others."""


class NumberForgotten(Frozen, frozen=True):
    """What was done."""

    number: str
    """Masked: there is no other trace of it any more."""
    cancelled: tuple[str, ...]
    """The promises that were open."""
    erased: dict[str, int]
    """How many rows lost the number, or are gone, by what they were."""
    left: dict[str, int]
    """How many rows still have it because something goes on: forget it again afterwards. Empty: none."""


async def get_number(ask: Ask[Nothing, Nothing]) -> KnownOfNumber:
    """Return all that is known of a number."""
    number, spelled = _of(ask)
    known = await ask.house.store.privacy.known(spelled)
    return KnownOfNumber(number=number, exported_at=ask.house.now, known=known)


async def forget_number(ask: Ask[Nothing, Nothing]) -> NumberForgotten:
    """Erase a number everywhere."""
    number, spelled = _of(ask)
    done = await ask.house.store.privacy.forget(spelled, ask.house.now)
    return NumberForgotten(
        number=mask(number),
        cancelled=tuple(promise.id for promise in done.cancelled),
        erased=dict(done.erased),
        left=dict(done.left),
    )


def _of(ask: Ask[Nothing, Nothing]) -> tuple[str, tuple[str, ...]]:
    """Return the number that is asked for, E.164, and all its spellings. Raises Refusal."""
    home = ask.house.plan.home
    number = as_e164(ask.path["number"], home)
    if number is None:
        raise Refusal.at("path.number", "is no phone number")
    return number, spellings(number, home)


OPERATIONS = (
    Operation(
        "GET",
        "/numbers/{number}",
        get_number,
        tag=Tag.PRIVACY,
        summary="Tell all that is known of a number",
        answer=KnownOfNumber,
        scope=Scope.PRIVACY_WRITE,
        description="For the person whose number it is. `number`: E.164, or as it is dialled at home.",
    ),
    Operation(
        "DELETE",
        "/numbers/{number}",
        forget_number,
        tag=Tag.PRIVACY,
        summary="Forget a number",
        answer=NumberForgotten,
        scope=Scope.PRIVACY_WRITE,
        description=(
            "Cancels what the number was promised, without a word to anybody, and erases it everywhere. Its entry on "
            "the do-not-call list stays, hashed where the list is: without it, it could be called again."
        ),
    ),
)
