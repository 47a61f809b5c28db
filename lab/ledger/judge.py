"""The judge: facts and rules in, faults out. Pure; knows nothing of how the controller works."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from lab.ledger.facts import By, Fact, Kind, Means
from lab.ledger.rules import CONGESTED, UNKNOWN_NUMBER, Rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_DAY_S = 24 * 3600.0
_SEEN_LATE_S = 1.0
"""The two ends of a call see its end at different moments."""
_SAID_S = 10.0
"""A time that was chosen counts from when it is on disk; the ledger sees the end of what is said of it then."""


_WRITTEN = frozenset({Kind.REPLIED, Kind.BOOKED})


class Fault(StrEnum):
    """What must never be."""

    LOST = "lost"
    """Acknowledged, and neither talked with, nor written to for good, nor cancelled."""
    DUPLICATED = "duplicated"
    """Two calls at a time, a call after the request was settled, or too many; the same SMS twice."""
    UNTOLD = "untold"
    """Acknowledged and called as often as is allowed, in vain; and no last SMS said so."""
    EARLY = "early"
    FORBIDDEN = "forbidden"
    OVER_CAP = "over cap"
    DROPPED = "dropped"
    """A talk ended that neither of the two had ended."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault, with enough to look it up in the ledger."""

    fault: Fault
    number: str
    at_s: float
    why: str


@dataclass(slots=True)
class Leg:
    """One call from the company to a customer, from the INVITE to its end."""

    number: str
    began_s: float
    ended_s: float = float("inf")
    answered: bool = False
    by: str = ""
    cause: int = 0
    pbx: str = ""


def judge(facts: Sequence[Fact], rules: Rules) -> list[Finding]:
    """Return every fault in the order of time. The facts must be whole: nothing is owed any more at their end."""
    facts = sorted(facts, key=lambda fact: fact.at_s)
    legs = legs_of(facts)
    by_number: dict[str, list[Fact]] = defaultdict(list)
    for fact in facts:
        by_number[fact.number].append(fact)
    end_s = facts[-1].at_s if facts else 0.0
    findings: list[Finding] = [*_over_cap(legs, rules), *_dropped(facts, legs)]
    for number, own in by_number.items():
        theirs = [leg for leg in legs if leg.number == number]
        findings += _lost(number, own, theirs, rules)
        findings += _overlapping(number, theirs)
        findings += _after_the_end(number, own, rules)
        findings += _too_many(number, own, theirs, rules)
        findings += _sms_twice(number, own)
        findings += _early(number, own, theirs, rules)
        findings += _too_late(number, own, rules, end_s)
        findings += _forbidden(number, own, rules)
    return sorted(findings, key=lambda finding: finding.at_s)


def legs_of(facts: Sequence[Fact]) -> list[Leg]:
    """Put the calls together from their facts."""
    open_legs: dict[str, Leg] = {}
    legs = []
    for fact in facts:
        if fact.kind is Kind.INVITE:
            open_legs[fact.leg] = leg = Leg(fact.number, fact.at_s, pbx=fact.pbx)
            legs.append(leg)
        elif fact.kind is Kind.ANSWERED and fact.leg in open_legs:
            open_legs[fact.leg].answered = True
        elif fact.kind is Kind.ENDED and fact.leg in open_legs:
            leg = open_legs.pop(fact.leg)
            leg.ended_s, leg.by, leg.cause = fact.at_s, fact.by, fact.cause
        elif fact.kind is Kind.PBX_GONE:
            # Nobody is left who could end them: the far end rings on, or talks to nobody.
            for key in [key for key, leg in open_legs.items() if leg.pbx == fact.pbx]:
                open_legs.pop(key).ended_s = fact.at_s
    return legs


def _lost(number: str, own: list[Fact], theirs: list[Leg], rules: Rules) -> Iterator[Finding]:
    asked = [fact for fact in own if asks(fact)]
    if not asked:
        return
    since_s = asked[-1].at_s
    taken_back = {fact.leg for fact in own if fact.kind is Kind.ENDED and fact.by == By.COMPANY}
    for fact in own:
        if fact.at_s <= since_s:
            continue
        # A talk may have begun while they still heard that they would be called: by a clock that was set ahead.
        # Whoever pressed the key and was then let go was understood; whoever gave up pressing was not.
        if (
            settles(fact, rules)
            or fact.kind is Kind.TALK_OVER
            or (fact.kind is Kind.PRESSED_NO and fact.leg in taken_back)
        ):
            return
    if _was_given_up(theirs, rules):
        yield Finding(Fault.UNTOLD, number, asked[-1].at_s, "called in vain, and no last SMS")
    else:
        yield Finding(Fault.LOST, number, asked[-1].at_s, "acknowledged, and nothing came of it")


def _was_given_up(legs: list[Leg], rules: Rules) -> bool:
    """Tell whether no further call is owed: the network knows no such number, or it was called often enough."""
    counted = [leg for leg in legs if leg.cause != CONGESTED]
    return any(leg.cause == UNKNOWN_NUMBER for leg in legs) or len(counted) >= rules.max_invites


def asks(fact: Fact) -> bool:
    """Tell whether somebody was told, or can believe, that they will be called."""
    return fact.kind is Kind.ACKNOWLEDGED or (fact.kind in _WRITTEN and fact.text in {Means.NOW, Means.AT})


def settles(fact: Fact, rules: Rules) -> bool:
    """Tell whether nothing is owed any more once this has happened."""
    return (
        fact.kind in {Kind.TALK, Kind.CANCELLED, Kind.BLOCKED}
        or (fact.kind is Kind.SMS and fact.text in rules.final_sms)
        or (fact.kind in _WRITTEN and fact.text in {Means.CANCEL, Means.STOP})
    )


def _overlapping(number: str, legs: list[Leg]) -> Iterator[Finding]:
    busy_until_s = float("-inf")
    for leg in legs:
        if leg.began_s < busy_until_s:
            yield Finding(Fault.DUPLICATED, number, leg.began_s, "dialled while an earlier call was still up")
        busy_until_s = max(busy_until_s, leg.ended_s)


def _after_the_end(number: str, own: list[Fact], rules: Rules) -> Iterator[Finding]:
    settled: Fact | None = None
    asked_s = float("-inf")
    for fact in own:
        if asks(fact):
            settled, asked_s = None, fact.at_s if fact.kind in _WRITTEN else asked_s
        elif settles(fact, rules):
            # The last word on an earlier request may have been on its way when they asked anew.
            is_older = fact.kind is Kind.SMS and fact.at_s < asked_s + rules.on_its_way_s
            settled = settled if is_older else fact
        elif fact.kind is Kind.INVITE and settled is not None:
            if settled.kind in _WRITTEN and fact.at_s < settled.at_s + rules.on_its_way_s:
                continue
            yield Finding(Fault.DUPLICATED, number, fact.at_s, f"dialled after it was settled ({settled.kind})")


def _too_many(number: str, own: list[Fact], legs: list[Leg], rules: Rules) -> Iterator[Finding]:
    requests = max(1, _requests(own, rules))
    counted = [leg for leg in legs if leg.cause != CONGESTED]
    for some, most, which in ((counted, rules.max_invites, "counted"), (legs, rules.max_dials, "in all")):
        if len(some) > most * requests:
            at_s = some[most * requests].began_s
            yield Finding(Fault.DUPLICATED, number, at_s, f"{len(some)} calls {which}, {most * requests} are allowed")


def _requests(own: list[Fact], rules: Rules) -> int:
    """Count how often they asked anew: who is told of one promise twice has asked once."""
    count, is_open = 0, False
    for fact in own:
        if asks(fact):
            # Who writes asks for one more call, whatever they were promised before.
            count += not is_open or fact.kind in _WRITTEN
            is_open = True
        elif settles(fact, rules):
            is_open = False
    return count


def _sms_twice(number: str, own: list[Fact]) -> Iterator[Finding]:
    """Find SMS that were handed over again though they had been taken, or whoever handed them over could not know."""
    seen: set[str] = set()
    for fact in own:
        if fact.kind in {Kind.SMS, Kind.SMS_OPEN}:
            if fact.leg in seen:
                yield Finding(Fault.DUPLICATED, number, fact.at_s, f"the SMS {fact.leg} was handed over twice")
            seen.add(fact.leg)


def _early(number: str, own: list[Fact], legs: list[Leg], rules: Rules) -> Iterator[Finding]:
    written_s = [fact.at_s for fact in own if fact.kind in _WRITTEN and asks(fact)]
    for before, after in pairwise(legs):
        # Who asks to be called now, or at a time, is not made to wait besides.
        if any(before.began_s <= at_s <= after.began_s for at_s in written_s):
            continue
        known = None if before.answered else rules.gap_by_cause_s.get(before.cause)
        gap_s = rules.gap_s if known is None else known
        waited_s = after.began_s - before.ended_s
        if 0 <= waited_s < gap_s - rules.tolerance_s:
            yield Finding(Fault.EARLY, number, after.began_s, f"dialled after {waited_s:.2f} s, not {gap_s:g} s")
    chosen_s, may_come_s = float("-inf"), float("-inf")
    for fact in own:
        if fact.kind is Kind.LATER:
            chosen_s, may_come_s = fact.at_s + fact.later_s - _SAID_S, fact.at_s
        elif fact.kind in _WRITTEN:
            chosen_s = fact.at_s + fact.later_s if fact.text == Means.AT else float("-inf")
            may_come_s = fact.at_s + rules.on_its_way_s
        is_ours = fact.kind is Kind.INVITE and fact.at_s > may_come_s
        if is_ours and fact.at_s < chosen_s - rules.tolerance_s:
            yield Finding(Fault.EARLY, number, fact.at_s, f"{chosen_s - fact.at_s:.0f} s before the chosen time")


def _too_late(number: str, own: list[Fact], rules: Rules, end_s: float) -> Iterator[Finding]:
    """Find those who wrote when they want to be called, and nothing was heard in time."""
    for at, fact in enumerate(own):
        if fact.kind not in _WRITTEN or fact.text != Means.AT:
            continue
        until_s = fact.at_s + fact.later_s + rules.in_time_s
        after = [one for one in own[at + 1 :] if one.at_s <= until_s]
        was_told = (one.kind is Kind.SMS and one.text == rules.late_sms for one in after)
        comes = (one.kind is Kind.INVITE or asks(one) or settles(one, rules) for one in after)
        if end_s > until_s and not any(comes) and not any(was_told):
            yield Finding(Fault.LOST, number, until_s, "asked for a time in writing, and not called in time")


def _forbidden(number: str, own: list[Fact], rules: Rules) -> Iterator[Finding]:
    blocked_s, stopped_s = float("inf"), float("inf")
    for fact in own:
        if fact.kind is Kind.BLOCKED:
            blocked_s = min(blocked_s, fact.at_s)
        if fact.kind in _WRITTEN and fact.text == Means.STOP:
            stopped_s = min(stopped_s, fact.at_s + rules.on_its_way_s)
        if fact.kind in {Kind.SMS, Kind.SMS_OPEN} and fact.at_s > stopped_s:
            yield Finding(Fault.FORBIDDEN, number, fact.at_s, f"asked never to be written to: {fact.leg}")
        if fact.kind is not Kind.INVITE:
            continue
        if fact.at_s >= blocked_s or fact.at_s > stopped_s:
            yield Finding(Fault.FORBIDDEN, number, fact.at_s, "asked never to be called")
        if not number.startswith(rules.allowed_prefixes) or number.startswith(rules.denied_prefixes or ("!",)):
            yield Finding(Fault.FORBIDDEN, number, fact.at_s, "not a number that may be dialled")
        local = datetime.fromtimestamp(fact.at_s, UTC).astimezone(ZoneInfo(rules.zone)).time()
        if local < rules.opens or (rules.closes is not None and local >= rules.closes):
            yield Finding(Fault.FORBIDDEN, number, fact.at_s, f"dialled at {local:%H:%M:%S} on their clock")


def _over_cap(legs: list[Leg], rules: Rules) -> Iterator[Finding]:
    for at, leg in enumerate(legs):
        here = [one for one in legs[: at + 1] if one.pbx == leg.pbx]  # What an Asterisk may do is each one's own.
        up = sum(one.ended_s > leg.began_s for one in here[:-1]) + 1
        if up > rules.max_concurrent:
            yield Finding(Fault.OVER_CAP, leg.number, leg.began_s, f"{up} calls at a time")
        if rules.max_per_s is not None:
            recent = sum(one.began_s > leg.began_s - 1 + rules.tolerance_s for one in here)
            if recent > max(1, rules.max_per_s):
                yield Finding(Fault.OVER_CAP, leg.number, leg.began_s, f"{recent} calls in a second")
        if rules.max_per_number is not None:
            today = [one for one in legs[: at + 1] if one.number == leg.number and one.began_s > leg.began_s - _DAY_S]
            if len(today) > rules.max_per_number:
                yield Finding(Fault.OVER_CAP, leg.number, leg.began_s, f"{len(today)} calls to it in 24 hours")


def _dropped(facts: Sequence[Fact], legs: list[Leg]) -> Iterator[Finding]:
    """Find talks that ended while the customer had not hung up: an agent in the lab never hangs up first."""
    gone = [fact for fact in facts if fact.kind is Kind.PBX_GONE]
    for fact in facts:
        if fact.kind is not Kind.TALK_OVER:
            continue
        if any(one.pbx == fact.pbx and abs(one.at_s - fact.at_s) < _SEEN_LATE_S for one in gone):
            continue
        theirs = (one for one in legs if one.number == fact.number)
        leg = next((one for one in theirs if one.began_s < fact.at_s <= one.ended_s + _SEEN_LATE_S), None)
        if leg is not None and not (leg.by == By.FAR_END and abs(leg.ended_s - fact.at_s) < _SEEN_LATE_S):
            yield Finding(Fault.DROPPED, fact.number, fact.at_s, f"a talk with {fact.agent} ended by itself")
