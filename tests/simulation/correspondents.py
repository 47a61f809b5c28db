"""Customers who got an SMS: some reply, some open its page, some do both twice. All of it rolled by the SMS."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from controller.domain.effects import SmsTemplate
from controller.domain.signed import Purpose, Signer
from controller.journeys import booking
from controller.ports.links import Done, LinkSpent, TooLate
from controller.ports.promises import NumberBlocked, SlotFull, StoreUnavailableError
from tests.simulation.far_end import What

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from controller.ports.links import BookingLink, Redeemed
    from tests.simulation.carrier import Letter
    from tests.simulation.office import Office
    from tests.simulation.premises import Premises

PUBLIC_URL = "https://callback.example.com"
SIGNER = Signer(b"the secret of a simulated day")
PATIENCE_S = 15.0
SOON = 12
"""How many windows on a page are soon enough to be seen kept within the day, or the next."""
CALM_S = 3.0
"""So long a controller may take to act on a reply when nothing is wrong."""
ANSWERED_TO = frozenset(
    {
        *(SmsTemplate.NOT_REACHED, SmsTemplate.GAVE_UP, SmsTemplate.EXPIRED, SmsTemplate.RUNNING_LATE),
        *(SmsTemplate.CONFIRMED, SmsTemplate.TIME_TAKEN, SmsTemplate.REPLY_HELP),
    }
)


class Wish(StrEnum):
    """What somebody wants who writes, or opens a page."""

    NOW = "now"
    TIME = "time"
    CANCEL = "cancel"
    STOP = "stop"
    NONSENSE = "nonsense"


WORDS = {
    Wish.NOW: ("1", "今すぐ", "NOW", "１", "いますぐお願いします"),
    Wish.CANCEL: ("2", "キャンセル", "cancel", "不要"),
    Wish.STOP: ("STOP", "停止", "配信停止"),
    Wish.NONSENSE: ("ありがとうございます", "who is this?", "お世話になっております", "???"),
}


class Correspondents:
    """Everybody who may write to us on a day."""

    def __init__(self, premises: Premises) -> None:
        self._premises = premises
        self._under_way: set[asyncio.Task[None]] = set()

    @property
    def is_idle(self) -> bool:
        """Whether nobody writes, or waits for a page."""
        return not self._under_way

    def gets(self, letter: Letter) -> None:
        """Be told that a phone got an SMS; what somebody does about it is rolled."""
        dice = self._premises.day.dice("correspondent", letter.key, letter.tries)
        if letter.template in ANSWERED_TO and dice.random() < 0.3:
            wish = dice.choices(tuple(Wish), (4, 3, 2, 0.7, 1.5))[0]
            self._begin(self._replies(letter, wish, dice.uniform(2, 600), copies=dice.choice((1, 1, 1, 2, 3))))
        if letter.link is not None and dice.random() < 0.3:
            wish = dice.choices((Wish.NOW, Wish.TIME, Wish.CANCEL, Wish.STOP), (3, 4, 2, 0.5))[0]
            after_s = dice.uniform(2, 900)
            for _ in range(dice.choice((1, 1, 2, 3))):
                self._begin(self._opens(letter, wish, after_s))
                after_s += dice.choice((0.0, 0.0, 5.0, 60.0))

    def _begin(self, story: Coroutine[Any, Any, None]) -> None:
        task = self._premises.loop.create_task(story)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    # -- replies

    async def _replies(self, letter: Letter, wish: Wish, after_s: float, *, copies: int) -> None:
        await asyncio.sleep(after_s)
        premises = self._premises
        dice = premises.day.dice("reply", letter.key)
        text = self._time_of(dice.randrange(1, 5)) if wish is Wish.TIME else dice.choice(WORDS[wish])
        premises.far_end.see(What.REPLIES, letter.number, f"{wish} {letter.queue} {text}")

        def taken() -> None:
            premises.far_end.see(What.REPLY_TAKEN, letter.number, f"{wish} {letter.queue}")
            if wish is Wish.STOP:
                self._begin(self._stop_is_done(letter.number))

        premises.carrier.reply(letter.number, text, f"reply-to-{letter.key}", copies=copies, on_taken=taken)

    def _time_of(self, hours: int) -> str:
        local = self._premises.clock.now().astimezone(self._premises.day.zone) + timedelta(hours=hours)
        return f"{local.hour}時"

    async def _stop_is_done(self, number: str) -> None:
        """See the STOP as done once a controller has been at work undisturbed for a moment."""
        premises, calm_s = self._premises, 0.0
        while calm_s < CALM_S:
            await asyncio.sleep(0.5)
            office = premises.office
            calm_s = calm_s + 0.5 if office is not None and not office.is_disturbed else 0.0
        premises.far_end.see(What.BLOCKED, number)

    # -- pages

    async def _opens(self, letter: Letter, wish: Wish, after_s: float) -> None:
        await asyncio.sleep(after_s)
        premises = self._premises
        link_id = SIGNER.read(Purpose.PROMISE, letter.token) or SIGNER.read(Purpose.BOOK, letter.token)
        if link_id is None:
            raise ValueError(f"{letter.key} carries no link of ours")
        office = premises.office
        if office is None:
            return  # An error page; nobody tries for ever.
        premises.far_end.see(What.ASKS, letter.number, f"{wish} {letter.queue}")
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._uses(office, link_id, letter, wish)
        except (StoreUnavailableError, TimeoutError):
            return

    async def _uses(self, office: Office, link_id: str, letter: Letter, wish: Wish) -> None:
        premises, house = self._premises, office.house
        link = await house.links.find(link_id, premises.clock.now())
        if link is None:
            return
        view = await booking.look(link, house)
        if view.is_spent:
            return
        told = ""
        match wish:
            case Wish.NOW:
                redeemed = await booking.call_now(link, house)
            case Wish.TIME:
                if not view.windows:
                    return
                window = premises.day.dice("window", letter.key).choice(view.windows[:SOON])
                told = f" {window.starts_at.isoformat()}"
                redeemed = await booking.book(link, window.starts_at, house)
            case Wish.CANCEL:
                redeemed = await booking.withdraw(link, house)
            case _:
                redeemed = await booking.never_again(link, house)
        self._shown(letter, wish, redeemed, link, told)

    def _shown(self, letter: Letter, wish: Wish, redeemed: Redeemed, link: BookingLink, told: str) -> None:
        """See what the page then says."""
        match redeemed:
            case Done():
                self._premises.far_end.see(What.DECIDED, letter.number, f"{wish} {letter.queue} {link.id}{told}")
                if wish is Wish.STOP:
                    self._premises.far_end.see(What.BLOCKED, letter.number)
            case LinkSpent() | TooLate() | SlotFull() | NumberBlocked():
                pass
