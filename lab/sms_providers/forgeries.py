"""Webhooks that look genuine and are not: each is a genuine one with something about it that only a forger does."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from lab.sms_providers import forged_json, forged_twilio, forged_vonage
from lab.sms_providers.provider import TakenSms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from lab.sms_providers.json_http import BearerJsonProvider
    from lab.sms_providers.provider import Provider, SignedWebhook
    from lab.sms_providers.twilio import TwilioProvider
    from lab.sms_providers.vonage import VonageProvider

Side = TypeVar("Side")

_RECEIPTS = {"twilio": "/receipt?key=cC0x", "vonage": "/receipt?key=cC0x"}
"""What the address for receipts has behind the provider's name; the described provider is told no more than that."""
_TEXTS = ("1", "今すぐ", "16時", "明日の午前でお願いします", "キャンセル", "STOP", "tomorrow 3pm", "a+b=c & d%20e", "")


@dataclass(frozen=True, slots=True)
class Forgery:
    """One request that must change nothing. `how` names what is wrong with it."""

    provider: str
    how: str
    webhook: SignedWebhook


def forgeries(
    n: int,
    seed: int,
    *,
    twilio: TwilioProvider,
    vonage: VonageProvider,
    public_url: str,
    now: datetime,
    json_http: BearerJsonProvider | None = None,
) -> Iterator[Forgery]:
    """Yield `n` forgeries, each way of forging in its turn; the same ways and texts for the same seed.

    Of the described provider only when it is given, as it is a described one that signs.
    """
    dice = random.Random(seed)  # noqa: S311 - it has to be repeatable, and nobody guesses at it
    ways: list[tuple[Provider, str, Callable[[SignedWebhook], SignedWebhook]]] = []
    ways += [(twilio, how, partial(_with_dice, way, twilio, dice)) for how, way in forged_twilio.WAYS.items()]
    ways += [(vonage, how, partial(_in_time, way, vonage, dice, now)) for how, way in forged_vonage.WAYS.items()]
    if json_http is not None:
        ways += [
            (json_http, how, partial(_in_time, way, json_http, dice, now)) for how, way in forged_json.WAYS.items()
        ]
    for provider, how, forge in itertools.islice(itertools.cycle(ways), n):
        yield Forgery(provider.name, how, forge(genuine_webhook(provider, dice, public_url, now)))


def _with_dice(
    way: Callable[[Side, SignedWebhook, random.Random], SignedWebhook],
    provider: Side,
    dice: random.Random,
    genuine: SignedWebhook,
) -> SignedWebhook:
    return way(provider, genuine, dice)


def _in_time(
    way: Callable[[Side, SignedWebhook, random.Random, datetime], SignedWebhook],
    provider: Side,
    dice: random.Random,
    now: datetime,
    genuine: SignedWebhook,
) -> SignedWebhook:
    return way(provider, genuine, dice, now)


def genuine_webhook(provider: Provider, dice: random.Random, public_url: str, now: datetime) -> SignedWebhook:
    """Return what a provider would really send: a receipt for some SMS, or a reply with some text."""
    number = f"+8190{dice.randrange(10**8):08}"
    sms = TakenSms(
        reference=f"SM{dice.randrange(16**32):032x}",
        key=f"p-{dice.randrange(10**6)}:not_reached",
        sender="+815012345678",
        number=number,
        text="...",
        receipts_to=f"{public_url}/sms/{provider.name}{_RECEIPTS.get(provider.name, '')}",
    )
    receipt = provider.receipt(sms, dice.choice(provider.delivered + provider.undelivered), now)
    if receipt is not None and dice.random() < 0.5:  # noqa: PLR2004 - half of them
        return receipt
    return provider.reply(number, sms.sender, dice.choice(_TEXTS), now)
