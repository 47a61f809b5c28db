"""Texts that people send to us: put together from their parts, and told from a repeat of one.

SMPP gives a text no id. A centre that did not get our answer sends the text again, and a person may write the same
text again; both look the same. What is taken for a repeat is described at `ReplyIds`.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiosmpplib.state import SmppCommandStatus

from controller.ports.promises import StoreUnavailableError
from controller.ports.sms import IncomingSms
from controller.sms.smpp_addresses import ours
from controller.sms.smpp_parts import decoded, opened
from controller.sms.smpp_wire import RECEIPTED_MESSAGE_ID, USER_MESSAGE_REFERENCE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime

    from structlog.typing import FilteringBoundLogger

    from controller.ports.clock import Clock
    from controller.sms.smpp_parts import PartOf
    from controller.sms.smpp_session import Ack, Answer
    from controller.sms.smpp_wire import DeliverSm

OK, AGAIN = SmppCommandStatus.ESME_ROK, SmppCommandStatus.ESME_RX_T_APPN
"""Taken; and: keep it and send it again, for we could not write it down (section 5.1.3)."""
FULL = SmppCommandStatus.ESME_RMSGQFUL
REPEAT_WITHIN_S = 600
MOST_REMEMBERED = 1000
HOLD_S = 3.0
JOIN_TURNS = 40
"""Parts are waited for 2 minutes."""
MOST_JOINING = 64
MOST_JOINING_BYTES = 1_000_000
MOST_JOINED = 100
LONGEST_TEXT = 2000
"""Nobody reads more; a person who wrote more is read up to here."""
_Key = tuple[str, str, int, int]
"""Sender, recipient, the sender's reference, and how many parts there are."""


@dataclass(slots=True)
class _Taken:
    event_id: str
    at: datetime
    count: int
    ack: Ack | None = None


class ReplyIds:
    """Gives each text an id by which a repeat of it is known.

    The id is a digest of sender, recipient, octets and what else the centre marked it with, of the 10 minutes in which
    it came, and of how often the same came in them. The same text is a repeat, and gets the same id, while it is not
    certain that the centre has read our answer to the first; certain is what a later request of ours proves that was
    answered on the same connection. Longer than 10 minutes after the first it is a text of its own.

    Cannot be told apart: the same text that a person sends twice, when the connection or we ourselves went down
    between the two, within 10 minutes: it is taken for one. And a repeat that comes after we were down, in the next 10
    minutes by the clock, or one later than 10 minutes: it is taken for a second text.
    """

    def __init__(self) -> None:
        self._taken: OrderedDict[str, _Taken] = OrderedDict()

    def id_for(self, digest: str, now: datetime) -> str:
        """Return the id of a text that came `now`."""
        before = self._taken.get(digest)
        period = int(now.timestamp() // REPEAT_WITHIN_S)
        count = 0
        if before is not None and (now - before.at).total_seconds() <= REPEAT_WITHIN_S:
            if before.ack is None or not before.ack.is_read():
                return before.event_id
            count = before.count + 1
        taken = self._taken[digest] = _Taken(f"{digest}-{period}-{count}", now, count)
        self._taken.move_to_end(digest)
        while len(self._taken) > MOST_REMEMBERED:
            self._taken.popitem(last=False)
        return taken.event_id

    def answered(self, digest: str, ack: Ack | None) -> None:
        """Note that the centre was told that we have it."""
        if digest in self._taken:
            self._taken[digest].ack = ack


@dataclass(frozen=True, slots=True)
class _Joined:
    at: datetime
    parts: Mapping[int, bytes]
    """Digests."""


@dataclass(slots=True)
class _Joining:
    total: int
    first: DeliverSm
    number: str
    parts: dict[int, bytes] = field(default_factory=dict)
    unanswered: list[Answer] = field(default_factory=list)
    turns: int = 0

    def octets(self) -> bytes:
        return b"".join(self.parts[number] for number in sorted(self.parts))

    def is_complete(self) -> bool:
        return len(self.parts) == self.total


class Replies:
    """Takes texts, whole or in parts, and hands each on once it is whole. `on_reply` returns when it is durable.

    A part is answered when its text is written down. A centre that sends the next part only after our answer to the
    last gets one after 3 s, since it would wait for ever: that part is in our memory alone until its text is whole,
    and lost if we die. Two minutes after the last part a text is handed on as far as it has come.
    """

    def __init__(
        self,
        provider: str,
        on_reply: Callable[[IncomingSms], Awaitable[None]],
        clock: Clock,
        log: FilteringBoundLogger,
        *,
        home: str,
    ) -> None:
        self._provider = provider
        self._home = home
        self._on_reply = on_reply
        self._clock = clock
        self._log = log
        self._ids = ReplyIds()
        self._joining: dict[_Key, _Joining] = {}
        self._joined: OrderedDict[_Key, _Joined] = OrderedDict()
        self._some = asyncio.Event()

    async def take(self, message: DeliverSm, number: str, answer: Answer) -> None:
        """Take one text or part from `number`, E.164. Raises WireError when its header cannot be read."""
        part, octets = opened(message)
        if part is None:
            answer(*await self._hand_on(message, number, octets, reference=None))
            return
        key = (number, message.destination, part.reference, part.total)
        if self._was_joined(key, part.number, octets):
            answer(OK)
            return
        joining = self._joining.get(key) or self._begin(key, message, number, part)
        if joining is None:
            answer(FULL)
            return
        joining.parts[part.number] = octets
        joining.turns = 0
        joining.unanswered.append(answer)
        if joining.is_complete():
            await self._finish(key, joining)

    def _begin(self, key: _Key, message: DeliverSm, number: str, part: PartOf) -> _Joining | None:
        held = sum(len(octets) for joining in self._joining.values() for octets in joining.parts.values())
        if len(self._joining) >= MOST_JOINING or held > MOST_JOINING_BYTES:
            self._log.warning("smpp_too_many_parts", texts=len(self._joining), octets=held)
            return None
        joining = self._joining[key] = _Joining(part.total, message, number)
        self._some.set()
        return joining

    async def run(self) -> None:
        """Answer parts that have waited, and hand on what does not get whole, until cancelled."""
        while True:
            await self._some.wait()
            await self._clock.sleep(HOLD_S)
            for key, joining in list(self._joining.items()):
                joining.turns += 1
                if joining.turns >= JOIN_TURNS:
                    self._log.warning("smpp_parts_missing", came=len(joining.parts), of=joining.total)
                    await self._finish(key, joining)
                else:
                    _answer_all(joining, OK)
            if not self._joining:
                self._some.clear()

    async def _finish(self, key: _Key, joining: _Joining) -> None:
        status, ack_of = await self._hand_on(joining.first, joining.number, joining.octets(), reference=key[2])
        _answer_all(joining, status, ack_of)
        if status == OK:
            self._joining.pop(key, None)
            parts = {number: _short(octets) for number, octets in joining.parts.items()}
            self._joined[key] = _Joined(self._clock.now(), parts)
            self._joined.move_to_end(key)
            while len(self._joined) > MOST_JOINED:
                self._joined.popitem(last=False)

    def _was_joined(self, key: _Key, number: int, octets: bytes) -> bool:
        """Tell whether this is a part again of a text that was handed on: it is not the beginning of another."""
        joined = self._joined.get(key)
        return (
            joined is not None
            and (self._clock.now() - joined.at).total_seconds() <= REPEAT_WITHIN_S
            and joined.parts.get(number) == _short(octets)
        )

    async def _hand_on(
        self, message: DeliverSm, number: str, octets: bytes, *, reference: int | None
    ) -> tuple[SmppCommandStatus, Callable[[Ack], None] | None]:
        """Return how to answer, and what is to be told when the answer is out."""
        digest = _digest(message, number, octets, reference)
        incoming = IncomingSms(
            provider=self._provider,
            event_id=self._ids.id_for(digest, self._clock.now()),
            number=number,
            to=ours(message.destination, self._home),
            text=decoded(octets, message.data_coding)[:LONGEST_TEXT],
        )
        try:
            await self._on_reply(incoming)
        except StoreUnavailableError:
            return AGAIN, None
        except Exception:  # noqa: BLE001 - sent again rather than lost: it may say STOP
            self._log.exception("smpp_reply_not_taken")
            return AGAIN, None
        return OK, lambda ack: self._ids.answered(digest, ack)


def _answer_all(joining: _Joining, status: SmppCommandStatus, then: Callable[[Ack], None] | None = None) -> None:
    for answer in joining.unanswered:
        answer(status, then)
    joining.unanswered.clear()


def _short(octets: bytes) -> bytes:
    return hashlib.sha256(octets).digest()[:16]


def _digest(message: DeliverSm, number: str, octets: bytes, reference: int | None) -> str:
    marks = [message.tlvs.get(tag, b"") for tag in (RECEIPTED_MESSAGE_ID, USER_MESSAGE_REFERENCE)]
    told = [number.encode(), message.destination.encode(), str(reference).encode(), octets, *marks]
    digest = hashlib.sha256()
    for part in told:
        digest.update(len(part).to_bytes(4, "big") + part)
    return digest.hexdigest()[:32]
