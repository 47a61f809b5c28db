"""A call and its few verbs: answer, play, ask, hold, connect, record, dial, hang up.

A further verb needs a decision record.

Only a verb raises `CallerHungUp`. The task that runs a journey is not cancelled when a caller hangs up, so that
whatever it is writing is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime

    from controller.domain.agents import Agent
    from controller.domain.digits import Keypad
    from controller.domain.evidence import Evidence
    from controller.domain.outcome import Outcome
    from controller.domain.promise import Attempt
    from controller.domain.recording import Consent


class CallerHungUp(Exception):  # noqa: N818 - not an error: callers hang up
    """The party on this call is gone. Raised by verbs alone."""


class PbxUnavailableError(Exception):
    """The PBX refused or could not be reached for something a call needs; says what."""


class Stage(StrEnum):
    """How far a caller's journey is. Kept on the channel, so that a restarted controller goes on from there."""

    GREETING = "greeting"
    AT_CLOSED_DOOR = "at_closed_door"
    """Told that the queue is closed; not in line."""
    IN_LINE = "in_line"
    LEAVING_NUMBER = "leaving_number"
    TALKING = "talking"
    BOOKED = "booked"
    """The promise is made; only the goodbye is left."""


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What is known of a caller from the PBX's own JSON, filtered to safe characters."""

    number: str | None
    """As shown by the network; None when it was withheld."""
    dialled: str
    arrived_at: datetime
    """Aware UTC; counts from the first moment in the dialplan, also when the controller was away."""
    endpoint: str | None = None
    """The PBX's own name of the phone or trunk, as `agent-1`; what the party writes into a message cannot change it."""


class Conversation(Protocol):
    """A party that can be spoken to and answers by keys. Every verb raises CallerHungUp once the party is gone."""

    @property
    def id(self) -> str:
        """The channel's id."""
        ...

    @property
    def facts(self) -> CallFacts:
        """Who called, what, and when."""
        ...

    @property
    def language(self) -> str:
        """The language that prompts are played in: `ja` or `en`."""
        ...

    async def answer(self) -> None:
        """Answer, if that has not happened yet."""
        ...

    async def play(self, *prompts: str) -> None:
        """Play prompts in order, to their end. Keys pressed meanwhile are kept for the next `ask` or `hold`."""
        ...

    async def ask(
        self, *prompts: str, keypad: Keypad, first_key_timeout_s: float = 8, next_key_timeout_s: float = 4
    ) -> str:
        """Play prompts, cut short by the first key, and return what was keyed; "" when nothing was.

        The first-key timeout counts from the end of the prompts. Keys pressed before count (type-ahead).
        """
        ...

    async def remember(self, **marks: str) -> None:
        """Keep marks (`stage`, `queue`, `language`, ...) on the channel itself: they survive this process.

        `language` is also the language that prompts are played in from then on.
        """
        ...

    async def hang_up(self) -> None:
        """Hang up. Does nothing when the party is gone already; never raises."""
        ...


class Call(Conversation, Protocol):
    """One party on one channel of ours: can also wait with music, and be joined with another."""

    @property
    def consent(self) -> Consent | None:
        """What the party was told of recording, or said to it (`remember(consent=...)`); None: nothing yet."""
        ...

    async def hold(self, queue: str, *, until_keys: str = "") -> str:
        """Put the caller on hold music and return the first of `until_keys` that is pressed.

        Cancelled, or with no keys to wait for, the caller stays on hold until another verb takes them off.
        """
        ...

    async def connect(self, other: Call, *, on_joined: Callable[[], Awaitable[None]]) -> bool:
        """Join both parties and return True when one of them has hung up; does not raise then.

        `on_joined` is awaited once they hear each other. False: the other party was gone already, and nobody was
        joined. The party that is left, if any, is still up.
        """
        ...

    async def record(self, recording_id: str) -> None:
        """Record the talk that this party, with whom `connect` was called, is in; its end ends that.

        `recording_id`: letters, digits, `-` and `_`. Repeatable. Raises CallerHungUp when the talk is over, and
        PbxUnavailableError.
        """
        ...

    async def gone(self) -> None:
        """Return when the party is gone. An event to race against, not a verb: it does not raise."""
        ...


class OutboundCall(Call, Protocol):
    """A call that we place. Known, with its id, before anything is sent."""

    @property
    def evidence(self) -> Evidence:
        """What was seen of it so far. `confirmed_at` is not its to know."""
        ...

    async def dial(self) -> Outcome | None:
        """Ring the party. Return None once they answered, or how it ended. Cancelled, it stops ringing."""
        ...


class NotListening(StrEnum):
    """Why a talk cannot be listened to."""

    NO_TALK = "no_talk"
    NO_PHONE = "no_phone"
    """The PBX has no such phone, or it is not registered."""


class Oversight(Protocol):
    """What supervisors do to calls that are journeys'; those see what follows. Phones are named by their endpoints."""

    async def hang_up_on(self, endpoint: str) -> bool:
        """Hang up the call that an agent's phone is on. False: it is on none of ours."""
        ...

    async def listen(self, agent: str, endpoint: str, *, caller_id: str) -> NotListening | None:
        """Ring a phone and let it hear the talk that an agent's phone is in, until either ends; nobody hears it.

        Returns once both are known to be there. Raises PbxUnavailableError.
        """
        ...

    async def has_prompt(self, prompt: str, languages: Iterable[str]) -> bool:
        """Tell whether a prompt can be played in every one of these languages. Raises PbxUnavailableError."""
        ...


class Telephony(Protocol):
    """Where outbound calls come from. The leg is hung up when its context is left, however it is left."""

    def agent_leg(
        self, agent: Agent, *, for_call: str, shown_number: str | None, ring_timeout_s: float
    ) -> AbstractAsyncContextManager[OutboundCall]:
        """Prepare a call to an agent's phone on behalf of the call or attempt `for_call`."""
        ...

    def customer_leg(
        self, attempt: Attempt, *, queue: str, language: str, since: datetime, ring_timeout_s: float
    ) -> AbstractAsyncContextManager[OutboundCall]:
        """Prepare a call to a customer. The gate is asked again in the last step before the call is placed.

        By `queue` it is known which number is shown, and whether a machine is listened for
        (`OutboundCall.evidence.answered_by`).
        """
        ...

    def external_leg(
        self, number: str, *, for_call: str, shown_number: str | None, ring_timeout_s: float
    ) -> AbstractAsyncContextManager[OutboundCall]:
        """Prepare a call to a number outside that the settings name, on behalf of the caller `for_call`.

        The gate lets no other number pass here.
        """
        ...
