"""The verbs of a call, on a scripted channel. Every one takes a moment, and each moment can be interrupted."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from controller.domain.digits import Entry
from controller.domain.evidence import AnsweredBy, Evidence
from controller.domain.outcome import Outcome
from controller.domain.recording import Consent
from controller.ports.calls import CallerHungUp, CallFacts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from controller.domain.digits import Keypad
    from controller.ports.calls import Call
    from tests.journeys.scripted_channel import Channel
    from tests.journeys.scripted_shelf import ScriptedShelf

HALF_WAY_S = 0.25
"""So long into a verb it is interrupted: before anybody reacts to a prompt."""
MARKS = frozenset({"stage", "queue", "language", "urgent", "agent", "call", "consent"})
REQUEST_S = 0.02
"""How long a PBX takes for a request."""


class Moment(StrEnum):
    """Where in a verb a story is interrupted."""

    BEFORE = "before"
    DURING = "during"
    AFTER = "after"


@dataclass(frozen=True)
class Step:
    """One verb that a journey has called: the how-manyeth of which channel. Also a transaction of the database."""

    who: str
    nth: int
    ordinal: int
    verb: str


class Exchange(Protocol):
    """What a call needs of its PBX."""

    talks: set[str]
    """The ids of the calls whose talk was begun; a controller that ends it takes it down."""

    epoch: int
    """Counts up with each controller. A call of an earlier one does nothing any more, and its verbs never return."""

    prompt_s: Callable[[str], float]
    """How long a prompt is."""

    shelf: ScriptedShelf
    """What is recorded."""

    def reached(self, step: Step, moment: Moment) -> None:
        """Take note that a story has come to this moment, and do what was planned for it."""

    def place(self, channel: Channel) -> None:
        """Place a call."""

    def refusal(self, channel: Channel) -> Outcome | None:
        """Say why a call may not be placed."""


class ScriptedCall:
    """One controller's hold on one channel: the ports `Call` and `OutboundCall`."""

    def __init__(self, exchange: Exchange, channel: Channel, *, ring_timeout_s: float = 30) -> None:
        self._exchange = exchange
        self._epoch = exchange.epoch
        self._ring_timeout_s = ring_timeout_s
        self._requests = asyncio.Lock()
        self.channel = channel
        self.id = channel.id
        self.facts: CallFacts = channel.facts

    @property
    def language(self) -> str:
        """The language of its prompts. On the channel, so that the next controller finds it there."""
        return self.channel.language

    @property
    def consent(self) -> Consent | None:
        """What was said to being recorded: on the channel too."""
        said = self.channel.marks.get("consent")
        return Consent(said) if said else None

    @property
    def evidence(self) -> Evidence:
        """What was seen of it."""
        answered_by = self.channel.person.answered_by if self.channel.up else AnsweredBy.NOT_ASKED
        return Evidence(trunk="carrier", rang=self.channel.placed, answered_by=answered_by)

    async def answer(self) -> None:
        """Answer."""
        async with self._verb("answer", REQUEST_S / 2):
            if not self.channel.up:
                await self._request()
                self.channel.up = True

    async def play(self, *prompts: str) -> None:
        """Play prompts to their end."""
        async with self._verb("play", HALF_WAY_S):
            await self._request()
            await self._say(prompts)

    async def ask(
        self, *prompts: str, keypad: Keypad, first_key_timeout_s: float = 8, next_key_timeout_s: float = 4
    ) -> str:
        """Play prompts until a key comes, then collect keys."""
        async with self._verb("ask", HALF_WAY_S):
            await self._request()
            channel = self.channel
            channel.held_in = None
            if not channel.keys:
                speech = asyncio.ensure_future(self._say(prompts))
                keyed = asyncio.ensure_future(channel.until(lambda: bool(channel.keys)))
                try:
                    await asyncio.wait({speech, keyed}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    speech.cancel()
                    keyed.cancel()
                    await asyncio.gather(speech, keyed, return_exceptions=True)
            entered, entry, timeout_s = "", Entry.OPEN, first_key_timeout_s
            while entry is Entry.OPEN and await self._key_within(timeout_s):
                entered, entry = keypad.press(entered, channel.keys.popleft())
                timeout_s = next_key_timeout_s
            return entered

    async def hold(self, queue: str, *, until_keys: str = "") -> str:
        """Put the party on hold and wait for a key."""
        async with self._verb("hold", HALF_WAY_S):
            channel = self.channel
            if channel.held_in != queue:
                await self._request()
                channel.held_in = queue
            while True:
                await channel.until(lambda: bool(channel.keys) and bool(until_keys))
                self._still_there()
                key = channel.keys.popleft()
                if key in until_keys:
                    return key

    async def connect(self, other: Call, *, on_joined: Callable[[], Awaitable[None]]) -> bool:
        """Join two parties until one is gone."""
        if not isinstance(other, ScriptedCall):
            raise TypeError("only a call on the same PBX can be joined")
        async with self._verb("connect", 2.0):
            await self._request()
            if other.channel.gone:
                return False
            self._exchange.talks.add(self.id)
            self.channel.join(other.channel)
            try:
                await on_joined()
                await _first_to_go(self.channel, other.channel)
            finally:
                if self._epoch == self._exchange.epoch:
                    self._exchange.talks.discard(self.id)
                    self.channel.part()
        return True

    async def record(self, recording_id: str) -> None:
        """Record the talk."""
        async with self._verb("record", REQUEST_S / 2):
            await self._request()
            self._exchange.shelf.record(recording_id, self.channel)

    async def remember(self, **marks: str) -> None:
        """Keep marks on the channel."""
        unknown = marks.keys() - MARKS
        if unknown:
            raise ValueError(f"a channel keeps no {', '.join(sorted(unknown))}")
        async with self._verb("remember", REQUEST_S / 2):
            await self._request()
            self.channel.marks.update(marks)
            self.channel.language = self.channel.marks.get("language") or self.channel.language

    async def hang_up(self) -> None:
        """Hang up what is still up."""
        if self._epoch == self._exchange.epoch and self.channel.live:
            self.channel.hang_up("controller")

    async def gone(self) -> None:
        """Return when the party is gone."""
        await self.channel.until(lambda: False)

    async def dial(self) -> Outcome | None:
        """Ring the party, or wait for one that was found ringing."""
        channel = self.channel
        async with self._verb("dial", 0.25, raises=False):
            if not channel.placed and not channel.gone:
                refusal = self._exchange.refusal(channel)
                if refusal is not None:
                    return refusal
                self._exchange.place(channel)
            try:
                async with asyncio.timeout(self._ring_timeout_s):
                    await channel.until(lambda: channel.up)
            except TimeoutError:
                await self.hang_up()
                return Outcome.NO_ANSWER
            except asyncio.CancelledError:
                await self.hang_up()
                raise
            if channel.gone:
                return Outcome.DROPPED if channel.up else channel.ended_as
        return None

    @asynccontextmanager
    async def _verb(self, name: str, half_way_s: float, *, raises: bool = True) -> AsyncIterator[None]:
        """Be interrupted before, `half_way_s` into, and after a verb; raise CallerHungUp once the party is gone."""
        step = Step(self.channel.role, self.channel.nth, self.channel.verbs, name)
        self.channel.verbs += 1
        await self._reach(step, Moment.BEFORE)
        if raises:
            self._still_there()
        half_way = asyncio.get_running_loop().call_later(half_way_s, self._exchange.reached, step, Moment.DURING)
        try:
            yield
        finally:
            half_way.cancel()
        await self._reach(step, Moment.AFTER)

    async def _reach(self, step: Step, moment: Moment) -> None:
        if self._epoch == self._exchange.epoch:
            self._exchange.reached(step, moment)
        if self._epoch != self._exchange.epoch:
            await asyncio.get_running_loop().create_future()  # A dead controller never gets any further.

    async def _request(self) -> None:
        """Have the PBX do something; one after the other, as on one connection."""
        async with self._requests:
            await asyncio.sleep(REQUEST_S)
        self._still_there()

    async def _say(self, prompts: tuple[str, ...]) -> None:
        for prompt in prompts:
            self._still_there()
            self.channel.hear(prompt)
            try:
                async with asyncio.timeout(self._exchange.prompt_s(prompt)):
                    await self.channel.until(lambda: False)
            except TimeoutError:
                continue
        self._still_there()

    async def _key_within(self, timeout_s: float) -> bool:
        try:
            async with asyncio.timeout(timeout_s):
                await self.channel.until(lambda: bool(self.channel.keys))
        except TimeoutError:
            return False
        self._still_there()
        return True

    def _still_there(self) -> None:
        if self.channel.gone:
            raise CallerHungUp(self.id)


async def _first_to_go(one: Channel, other: Channel) -> None:
    watches = [asyncio.ensure_future(each.until(lambda: False)) for each in (one, other)]
    try:
        await asyncio.wait(watches, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for watch in watches:
            watch.cancel()
        await asyncio.gather(*watches, return_exceptions=True)
