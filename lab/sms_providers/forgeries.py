"""Webhooks that look genuine and are not: each is a genuine one with something about it that only a forger does."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.sms_providers import forged_twilio, forged_vonage
from lab.sms_providers.provider import TakenSms

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from lab.sms_providers.provider import Provider, SignedWebhook
    from lab.sms_providers.twilio import TwilioProvider
    from lab.sms_providers.vonage import VonageProvider

_TEXTS = ("1", "今すぐ", "16時", "明日の午前でお願いします", "キャンセル", "STOP", "tomorrow 3pm", "a+b=c & d%20e", "")


@dataclass(frozen=True, slots=True)
class Forgery:
    """One request that must change nothing. `how` names what is wrong with it."""

    provider: str
    how: str
    webhook: SignedWebhook


def forgeries(
    n: int, seed: int, *, twilio: TwilioProvider, vonage: VonageProvider, public_url: str, now: datetime
) -> Iterator[Forgery]:
    """Yield `n` forgeries, each way of forging in its turn; the same ways and texts for the same seed."""
    dice = random.Random(seed)  # noqa: S311 - it has to be repeatable, and nobody guesses at it
    ways = [(twilio.name, how) for how in forged_twilio.WAYS] + [(vonage.name, how) for how in forged_vonage.WAYS]
    for name, how in itertools.islice(itertools.cycle(ways), n):
        if name == twilio.name:
            genuine = genuine_webhook(twilio, dice, public_url, now)
            yield Forgery(name, how, forged_twilio.WAYS[how](twilio, genuine, dice))
        else:
            genuine = genuine_webhook(vonage, dice, public_url, now)
            yield Forgery(name, how, forged_vonage.WAYS[how](vonage, genuine, dice, now))


def genuine_webhook(provider: Provider, dice: random.Random, public_url: str, now: datetime) -> SignedWebhook:
    """Return what a provider would really send: a receipt for some SMS, or a reply with some text."""
    number = f"+8190{dice.randrange(10**8):08}"
    sms = TakenSms(
        reference=f"SM{dice.randrange(16**32):032x}",
        key=f"p-{dice.randrange(10**6)}:not_reached",
        sender="+815012345678",
        number=number,
        text="...",
        receipts_to=f"{public_url}/sms/{provider.name}/receipt?key=cC0x",
    )
    receipt = provider.receipt(sms, dice.choice(provider.delivered + provider.undelivered), now)
    if receipt is not None and dice.random() < 0.5:  # noqa: PLR2004 - half of them
        return receipt
    return provider.reply(number, sms.sender, dice.choice(_TEXTS), now)
