"""A person with a phone, and the channel between that phone and the PBX."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controller.domain.evidence import AnsweredBy
from controller.domain.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from controller.ports.calls import CallFacts
    from controller.ports.survey import Role

REACTION_S = 0.5
"""How long after the beginning of a prompt somebody presses a key."""


@dataclass(frozen=True)
class Person:
    """What somebody does with a phone. Times in seconds."""

    presses: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The keys pressed when a prompt is heard: the first time, the second time, ... and none from then on."""
    answers_after_s: float | None = 1.0
    """None: never."""
    refuses: Outcome | None = None
    """The phone, or the network for it, says this instead of ringing."""
    answered_by: AnsweredBy = AnsweredBy.NOT_ASKED
    """What the PBX makes of whoever answers."""
    talks_s: float | None = 20.0
    """Hangs up so long after having been joined with somebody; None leaves that to the other."""
    patience_s: float = 900.0
    """Hangs up so long after the call began, unless in a talk."""


class Channel:
    """One channel of the PBX. It outlives the controller that made it."""

    def __init__(self, channel_id: str, role: Role, nth: int, person: Person, facts: CallFacts, language: str) -> None:
        self.id = channel_id
        self.role = role
        self.nth = nth
        self.person = person
        self.facts = facts
        self.language = language
        self.marks: dict[str, str] = {}
        self.agent: str | None = None
        self.for_call: str | None = None
        self.attempt_id: str | None = None
        self.menu_code: str | None = None
        """What an agent dialled for themselves, as `11`; None for every other channel."""
        self.shown: str | None = None
        """The number that is shown to the party who is rung; None: our own."""
        self.placed = False
        self.up = False
        self.gone = False
        self.ended_as = Outcome.REJECTED
        """The outcome of a leg that ends before it was answered."""
        self.hung_up_by: str | None = None
        self.held_in: str | None = None
        self.peer: Channel | None = None
        self.keys: deque[str] = deque()
        self.heard: list[str] = []
        self.heard_in: list[str] = []
        """The language of each prompt in `heard`."""
        self.answered_with: list[tuple[str, str]] = []
        """Which prompt was answered with which keys."""
        self.talked_with: list[str] = []
        self.verbs = 0
        self.on_change: Callable[[Channel], None] = lambda _channel: None
        self._news = asyncio.Event()

    @property
    def live(self) -> bool:
        """Whether the PBX has this channel."""
        return self.placed and not self.gone

    def begin(self) -> None:
        """Let the person's patience run."""
        self.placed = True
        asyncio.get_running_loop().call_later(self.person.patience_s, self._lose_patience)
        self.change()

    def ring(self) -> None:
        """Ring the phone; the person does what the script says."""
        self.begin()
        loop = asyncio.get_running_loop()
        if self.person.refuses is not None:
            self.ended_as = self.person.refuses
            loop.call_later(REACTION_S, self.hang_up, "network")
        elif self.person.answers_after_s is not None:
            loop.call_later(self.person.answers_after_s, self.pick_up)

    def pick_up(self) -> None:
        """Answer the phone, if it still rings."""
        if not self.gone:
            self.up = True
            self.change()

    def hang_up(self, by: str) -> None:
        """End the call, once."""
        if self.gone:
            return
        self.gone, self.hung_up_by, self.held_in = True, by, None
        self.change()

    def hear(self, prompt: str) -> None:
        """Begin to hear a prompt, and react to it."""
        times = self.heard.count(prompt)
        self.heard.append(prompt)
        self.heard_in.append(self.language)
        keys = self.person.presses.get(prompt, ())
        if times < len(keys) and keys[times]:
            asyncio.get_running_loop().call_later(REACTION_S, self.press, keys[times], prompt)

    def press(self, keys: str, prompt: str = "") -> None:
        """Press keys, one directly after the other."""
        if not self.gone:
            self.answered_with.append((prompt, keys))
            self.keys.extend(keys)
            self.change()

    def join(self, other: Channel) -> None:
        """Talk with somebody."""
        for one, peer in ((self, other), (other, self)):
            one.peer, one.held_in = peer, None
            one.talked_with.append(peer.id)
            if one.person.talks_s is not None:
                asyncio.get_running_loop().call_later(one.person.talks_s, one.hang_up, "person")

    def part(self) -> None:
        """End the talk; both are still up."""
        if self.peer is not None:
            self.peer.peer = None
            self.peer = None

    def change(self) -> None:
        """Let those who wait look again."""
        self._news.set()
        self._news = asyncio.Event()
        self.on_change(self)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Return once `condition()` holds or the channel is gone."""
        while not condition() and not self.gone:
            await self._news.wait()

    def _lose_patience(self) -> None:
        if self.peer is None:
            self.hang_up("person")
