"""The page without a link: a number is typed, a code is sent there, and whoever knows it gets a booking link.

Every number gets the same answer after the same work: nobody learns here who is a customer, or who asked never to be
called.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from controller.domain.effects import VALID_S, SendSms, SmsTemplate
from controller.domain.phone_number import DialableNumber, check, takes_sms
from controller.domain.signed import Purpose
from controller.ports.links import BookingLink, Challenge

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller.domain.phone_number import NumberPlan
    from controller.domain.signed import Signer
    from controller.journeys.house import House, Queue
    from controller.ports.links import NumberProofs

MAX_TRIES = 5
LONGEST_TYPED = 40
"""Characters; what follows is not looked at."""
_BETWEEN_DIGITS = dict.fromkeys(map(ord, " \t()./-‐‑‒–—―−ー"))
_NOBODY = "+"


@dataclass(frozen=True, slots=True)
class Prover:
    """What it takes to have a number proved."""

    proofs: NumberProofs
    signer: Signer
    objection: Callable[[str], str | None]
    """Why no SMS may go to a number (E.164); None when it may."""
    new_challenge_id: Callable[[], str]
    """Returns 18 hexadecimal digits that nobody can guess."""
    link_lifetime_s: float = 48 * 3600


async def ask_for_code(typed: str, queue: Queue, language: str, house: House, prover: Prover) -> str:
    """Have a code sent to the number that was typed, if it is one that we text; return the challenge's id either way.

    Raises StoreUnavailableError.
    """
    number = await number_to_prove(typed, house, prover)
    challenge = Challenge(
        id=prover.new_challenge_id(),
        queue=queue.name,
        number=number or "",
        language=language,
        expires_at=house.clock.now() + timedelta(seconds=VALID_S[SmsTemplate.CODE]),
        tries_left=MAX_TRIES,
    )
    await prover.proofs.start(challenge, code_sms(challenge) if number else None)
    return challenge.id


async def prove(challenge_id: str, typed: str, house: House, prover: Prover) -> BookingLink | None:
    """Return a new booking link for the number whose code was typed, once; None: wrong, too late, too often, unknown.

    It is for the promise that the number holds with the queue, if it holds one. Raises StoreUnavailableError.
    """
    now = house.clock.now()
    is_right = prover.signer.is_code(challenge_id, typed[:LONGEST_TYPED])
    challenge = await prover.proofs.guess(challenge_id, is_right=is_right, now=now)
    if challenge is None or not challenge.number:
        return None
    held = await house.promises.open_for(challenge.queue, challenge.number)
    purpose = Purpose.BOOK if held is None else Purpose.PROMISE
    link = BookingLink(
        id=prover.signer.id_for(purpose, f"challenge:{challenge.id}"),
        purpose=purpose,
        queue=challenge.queue,
        number=challenge.number,
        language=challenge.language,
        expires_at=now + timedelta(seconds=prover.link_lifetime_s),
        promise_id=held.id if held else None,
    )
    return await house.links.issue(link)


async def number_to_prove(typed: str, house: House, prover: Prover) -> str | None:
    """Return the number (E.164) to send a code to; None when none may be sent. The work is the same."""
    number = read_number(typed, house.plan)
    is_listed = await house.do_not_call.is_blocked(number.e164 if number else _NOBODY)
    may_be_sent = prover.objection(number.e164 if number else _NOBODY) is None
    if number is None or is_listed or not may_be_sent or not takes_sms(number):
        return None
    return number.e164


def read_number(typed: str, plan: NumberPlan) -> DialableNumber | None:
    """Return the number that somebody typed, as people write it: full-width digits, blanks, hyphens, brackets."""
    plain = unicodedata.normalize("NFKC", typed[:LONGEST_TYPED]).translate(_BETWEEN_DIGITS)
    number = check(plain, plan)
    return number if isinstance(number, DialableNumber) else None


def code_sms(challenge: Challenge) -> SendSms:
    """Return the SMS that carries the code of a challenge."""
    return SendSms(
        key=f"challenge:{challenge.id}",
        template=SmsTemplate.CODE,
        number=challenge.number,
        language=challenge.language,
        queue=challenge.queue,
        details={"challenge": challenge.id},
    )
