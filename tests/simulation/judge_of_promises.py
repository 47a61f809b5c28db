"""The judge of promises: what callers were told, against the calls that they got and when."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, ClassVar

from controller.domain.effects import SmsTemplate
from controller.domain.outcome import Outcome
from controller.ports.survey import Role
from tests.simulation.correspondents import Wish
from tests.simulation.day_plan import Deed
from tests.simulation.far_end import What
from tests.simulation.notebook import QUEUE_OF, Notebook
from tests.simulation.owed import ACKNOWLEDGED, WITH_SLOT, Owed, e164, spoken_start

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.journeys.scripted_channel import Channel
    from tests.simulation.day_plan import Day, QueuePlan
    from tests.simulation.far_end import FarEnd, Sighting

FINAL_TEXTS = frozenset({"expired", "gave_up"})
MIDNIGHT = time(0)
RING_S, LATE_S, USUAL_LATER_S = 30.0, 1800.0, 5400.0
GAPS_S = {"busy": 120.0, "no answer": 300.0}
"""As the settings of every day say."""
ON_ITS_WAY_S = 0.5
"""A call that was claimed when somebody cancelled it may be placed, and is taken back."""
LAST_WORD_S = 60.0
"""So long may those before it in the outbox take."""
RUNG_OUT = frozenset({Outcome.BUSY, Outcome.REJECTED, Outcome.UNREACHABLE})


class JudgeOfPromises(Notebook):
    """Keeps what is owed to whom."""

    KINDS: ClassVar[tuple[str, ...]] = (
        *("lost", "late", "not owed", "too many tries", "early", "slot overbooked", "false acknowledgement"),
    )

    def __init__(self, day: Day, far_end: FarEnd) -> None:
        super().__init__(day, far_end)
        self._owed: dict[tuple[str, str], Owed] = {}
        self._keyed: dict[str, str] = {}
        self._wished: dict[str, Owed] = {}
        self._telling: dict[str, tuple[Sighting, list[str]]] = {}
        self._later: dict[str, str] = {}
        self._confirmed_later: dict[str, str] = {}
        self._talking: set[str] = set()
        self._answered: set[str] = set()
        self._blocked: dict[str, float] = {}
        self._may_be_blocked: set[str] = set()
        """Who asked for it in writing; whether it was done they do not learn."""
        self._written_by: defaultdict[str, set[str]] = defaultdict(set)
        """The queues that wrote to a number: a reply is to the last of them."""

    def rules(self) -> Mapping[What, Callable[[Sighting], None]]:
        """Return what is done about each kind of sighting."""
        return {
            What.INVITE: self._invite,
            What.ANSWERS: lambda seen: self._answered.add(seen.who),
            What.HEARS: self._hears,
            What.PRESSES: self._presses,
            What.TALKS: self._talks,
            What.ENDS: self._ends,
            What.HANDED_OVER: self._handed_over,
            What.REPLIES: self._writes,
            What.REPLY_TAKEN: self._reply_taken,
            What.ASKS: self._writes,
            What.DECIDED: self._decided,
            What.CANCELLED: lambda seen: self._of(seen.detail, seen.who).close(seen.at_s, "cancelled by the admin"),
            What.BLOCKED: self._stop,
            What.FAULT: self._fault,
        }

    def _of(self, queue: str, number: str) -> Owed:
        return self._owed.setdefault((queue, number), Owed(queue, number))

    def _plan(self, queue: str) -> QueuePlan:
        return next(each for each in self._day.queues if each.name == queue)

    def _presses(self, seen: Sighting) -> None:
        keys, _, prompt = seen.detail.partition(" at ")
        channel = self.channel(seen.who)
        if channel.role is Role.CUSTOMER:
            self._customer_presses(seen, channel, keys, prompt)
        elif channel.role is Role.CALLER:
            if prompt == "enter-number":
                self._keyed[seen.who] = keys
            number = {
                ("use-this-number", "1"): e164(channel.facts.number),
                ("confirm-number", "1"): e164(self._keyed.get(seen.who)),
            }.get((prompt, keys))
            if number is not None:
                owed = self._of(QUEUE_OF[channel.facts.dialled], number)
                owed.wish(seen.at_s)
                self._wished[seen.who] = owed

    def _customer_presses(self, seen: Sighting, channel: Channel, keys: str, prompt: str) -> None:
        owed = self._of(*self.party(channel))
        if (prompt, keys) == ("callback-confirm", "3"):
            owed.close(seen.at_s, "declined", for_sure=False)
        elif prompt == "later-choose":
            self._later[seen.who] = keys
        elif prompt == "later-confirm":
            self._confirmed_later[seen.who] = keys
            # It may be done although nobody could acknowledge it: they are owed nothing sooner from here on.
            owed.put_off(seen, 0, self._day.lifetime_s + USUAL_LATER_S)

    def _customer_hears(self, seen: Sighting) -> None:
        """Take note of what was acknowledged: that holds."""
        owed = self._of(*self.party(self.channel(seen.who)))
        if seen.detail == "cancelled":
            owed.close(seen.at_s, "declined")
        elif seen.detail == "later-goodbye":
            is_sure = self._confirmed_later.get(seen.who) == "1"
            later_s = 600 * int(self._later[seen.who][0]) if is_sure else 0
            owed.put_off(seen, later_s, self._day.lifetime_s + (0 if is_sure else USUAL_LATER_S))

    def _hears(self, seen: Sighting) -> None:
        role = self.channel(seen.who).role
        if role is Role.CUSTOMER:
            self._customer_hears(seen)
        if role is not Role.CALLER:
            return
        words = self._telling.get(seen.who)
        if seen.detail in ACKNOWLEDGED:
            self._acknowledged(seen)
        elif words is not None and seen.detail == "slot-after":
            self._told_slot(*self._telling.pop(seen.who))
        elif words is not None:
            words[1].append(seen.detail)

    def _acknowledged(self, seen: Sighting) -> None:
        owed = self._wished.get(seen.who)
        if owed is None:
            self.found("false acknowledgement", seen, f"{seen.who} gave no number and was promised a call")
            return
        plan = self._plan(owed.queue)
        local = seen.wall.astimezone(self._day.zone).time()
        is_closed = local < plan.opens or (plan.closes != MIDNIGHT and local >= plan.closes)
        owed.acknowledge(seen, self._day.lifetime_s, is_closed=is_closed)
        if seen.detail in WITH_SLOT:
            self._telling[seen.who] = (seen, [])

    def _told_slot(self, seen: Sighting, words: list[str]) -> None:
        owed = self._wished.get(seen.who)
        start = spoken_start(words, seen.wall, self._day.zone)
        if owed is None or start is None or not owed.is_certain or owed.acknowledged_at_s != seen.at_s:
            return  # Asked again meanwhile, by another call: something else was promised since.
        self._holds_slot(seen, owed, start)

    def _holds_slot(self, seen: Sighting, owed: Owed, start: datetime) -> None:
        owed.tell_slot(start, self._day.lifetime_s)
        plan = self._plan(owed.queue)
        same = [
            each
            for each in self._owed.values()
            if each.queue == owed.queue and each.slot_at == start and each.must_be_kept and each.is_certain
        ]
        if len(same) > plan.slot_capacity > 0:
            self.found("slot overbooked", seen, f"{len(same)} were told {start:%d %H:%M}, {plan.slot_capacity} fit")

    def _invite(self, seen: Sighting) -> None:
        channel = self.channel(seen.who)
        if channel.role is not Role.CUSTOMER:
            return
        queue, number = self.party(channel)
        owed = self._of(queue, number)
        is_over = owed.closed_at_s is not None and owed.closed_at_s < seen.at_s - ON_ITS_WAY_S
        if owed.wished_at_s < 0 or (not owed.is_open and owed.closed_for_sure and is_over):
            self.found("not owed", seen, f"{number} was dialled by {queue}: {owed.closed_by or 'never asked for'}")
        if any(self.channel(each).menu_code is not None for each in self._live):
            return  # An agent calls by hand, whenever they think it right.
        if owed.tries >= self._day.max_attempts:
            self.found("too many tries", seen, f"{number} was tried {owed.tries} times before")
        if owed.slot_at is not None and owed.is_certain and seen.wall < owed.slot_at:
            self.found("early", seen, f"{number} was told {owed.slot_at:%d %H:%M}")
        gap_s = owed.gap_since_s
        is_unknown = gap_s is not None and self.was_blind(gap_s, gap_s)
        if owed.not_before is not None and seen.wall < owed.not_before and not is_unknown:
            self.found("early", seen, f"{number} was not to be called before {owed.not_before:%d %H:%M:%S} UTC")

    def _talks(self, seen: Sighting) -> None:
        for who in (seen.who, seen.detail):
            self._talking.add(who)
            self._close_by_talk(seen, who)

    def _close_by_talk(self, seen: Sighting, who: str) -> None:
        channel = self.channel(who)
        if channel.role in {Role.CALLER, Role.CUSTOMER} and self.party(channel) in self._owed:
            owed = self._of(*self.party(channel))
            is_asked_for = any(self._wished.get(each) is owed for each in self._live if each != who)
            sure = not is_asked_for and not self.was_blind(self._live[who].at_s, seen.at_s)
            owed.close(seen.at_s, "they talked", for_sure=sure)

    def _ends(self, seen: Sighting) -> None:
        channel = self.channel(seen.who)
        if channel.role is Role.CUSTOMER:
            if seen.who in self._talking:  # What they asked for on another phone meanwhile is kept by this talk too.
                self._close_by_talk(seen, seen.who)
            self._try_is_over(seen, channel, self._live[seen.who].at_s, seen.detail.partition(" ")[0])

    def _try_is_over(self, seen: Sighting, channel: Channel, began_s: float, by: str) -> None:
        owed = self._of(*self.party(channel))
        owed.last_try_s = seen.at_s
        if owed.wished_at_s > began_s:
            return  # Asked for once more meanwhile: sooner, perhaps.
        refused = channel.person.refuses if by == "network" else None
        rang_out = by == "controller" and seen.who not in self._answered and seen.at_s - began_s >= RING_S
        if rang_out or refused in RUNG_OUT:
            owed.tries += 1
        if rang_out or refused is Outcome.BUSY:
            owed.keep_gap(seen, GAPS_S["no answer" if rang_out else "busy"])

    def _handed_over(self, seen: Sighting) -> None:
        """Take note of a text. Whether it arrives is the carrier's doing."""
        template, queue, *more = seen.detail.partition(": ")[2].split(" ")
        self._written_by[seen.who].add(queue)
        owed = self._of(queue, seen.who)
        if template in FINAL_TEXTS:
            if owed.deadline and owed.must_be_kept and seen.wall > owed.deadline + timedelta(seconds=LATE_S):
                self.found("late", seen, f"{seen.who} was to be called by {owed.deadline:%d %H:%M} UTC")
            owed.close(seen.at_s, f"told by SMS ({template})", for_sure=False)
        elif template == SmsTemplate.CONFIRMED:  # By now it was promised, whatever is promised since.
            owed.wish(seen.at_s)
            starts = [each.partition("=")[2] for each in more if each.startswith("starts_at=")]
            for start in starts:
                owed.hear_of_slot(datetime.fromisoformat(start), self._day.lifetime_s)
        elif template == SmsTemplate.CANCELLED:
            owed.close(seen.at_s, "cancelled by SMS", for_sure=False)

    def _writes(self, seen: Sighting) -> None:
        """Take note of a reply, or of a page that is opened: from here on it may be done, told or not."""
        wish, queue, *_ = seen.detail.split(" ")
        for each in {queue} | (self._written_by[seen.who] if seen.what is not What.ASKS else set()):
            self._may_be(wish, self._of(each, seen.who), seen)

    def _may_be(self, wish: str, owed: Owed, seen: Sighting) -> None:
        match wish:
            case Wish.NOW | Wish.TIME:
                owed.wish(seen.at_s)
            case Wish.CANCEL:
                owed.close(seen.at_s, "cancelled in writing", for_sure=False)
            case Wish.STOP:
                self._may_be_blocked.add(seen.who)

    def _reply_taken(self, seen: Sighting) -> None:
        """Take note that a reply was acknowledged: what it asks for has to be done."""
        self._writes(seen)
        wish, queue = seen.detail.split(" ")
        if wish == Wish.NOW and self._written_by[seen.who] == {queue}:
            self._of(queue, seen.who).acknowledge(seen, self._day.lifetime_s, is_closed=True)

    def _decided(self, seen: Sighting) -> None:
        """Take note of what a page said: that holds."""
        wish, queue, _, *told = seen.detail.split(" ")
        owed = self._of(queue, seen.who)
        self._may_be(wish, owed, seen)
        if wish in {Wish.NOW, Wish.TIME}:
            owed.acknowledge(seen, self._day.lifetime_s, is_closed=True)
        if told:
            self._holds_slot(seen, owed, datetime.fromisoformat(told[0]))

    def _stop(self, seen: Sighting) -> None:
        self._blocked[seen.who] = seen.at_s
        for queue in ("cards", "loans"):
            self._of(queue, seen.who).close(seen.at_s, "STOP")

    def _fault(self, seen: Sighting) -> None:
        if seen.who == Deed.CLOCK_SET.value:  # Set forward, the time is over sooner; that is nobody's delay.
            for owed in self._owed.values():
                if owed.deadline is not None:
                    owed.deadline += timedelta(seconds=max(0.0, float(seen.detail)))

    def at_the_end(self, last: Sighting) -> None:
        """Look for those who were promised a call and got nothing."""
        for owed in self._owed.values():
            is_unsaid = self._may_be_unsaid(owed, last)
            is_blocked = owed.number in self._blocked or owed.number in self._may_be_blocked
            if owed.must_be_kept and not is_blocked and not is_unsaid:
                self.found("lost", last, f"{owed.number} was promised a call by {owed.queue}; nothing came of it")

    def _may_be_unsaid(self, owed: Owed, last: Sighting) -> bool:
        """Tell whether the last word can have been the SMS that a controller had in hand as it died.

        That is never sent blindly again.
        """
        if owed.tries >= self._day.max_attempts and self.was_blind(owed.last_try_s, owed.last_try_s):
            return True
        if owed.deadline is None:
            return False
        due_s = last.at_s - (last.wall - owed.deadline).total_seconds()
        return any(due_s - LAST_WORD_S < each < due_s + LAST_WORD_S for each in self._deaths)
