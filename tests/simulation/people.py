"""What people do with their phones: callers, customers who are called back, agents. All of it rolled beforehand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from controller.domain.evidence import AnsweredBy
from controller.domain.outcome import Outcome
from tests.journeys.scripted_channel import Person

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

CARDS, LOANS, URGENT = "0312345678", "0312345679", "0312345670"
"""What callers dial."""
FREEPHONE, PREMIUM, POLICE, NONSENSE = "0120123456", "0990123456", "110", "12345"
WRONG_KEYS = (FREEPHONE, PREMIUM, POLICE, NONSENSE, "")


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody calls us."""

    at_s: float
    number: str | None
    """As the network shows it; None: withheld."""
    dialled: str
    person: Person


def arrivals_of(dice: Random, active_s: float, *, can_book: bool) -> list[Arrival]:
    """Return the calls of a day: by Poisson, each half hour with a rate of its own; some of them more than once."""
    found: list[Arrival] = []
    rates = [dice.choice((4.0, 8.0, 16.0, 30.0)) for _ in range(1 + int(active_s // 1800))]
    at_s = dice.expovariate(rates[0] / 1800) / 2
    while at_s < active_s and len(found) < 30:
        mobile = f"090{dice.randrange(10_000_000, 99_999_999)}"
        found += _visits(dice, at_s, mobile, can_book=can_book)
        at_s += dice.expovariate(rates[int(at_s // 1800)] / 1800)
    return sorted(found, key=lambda each: each.at_s)


def _visits(dice: Random, at_s: float, mobile: str, *, can_book: bool) -> list[Arrival]:
    """Return one person's calls: one, or another after a while, in the same queue or the other, shown otherwise."""
    visits = [Arrival(at_s, mobile, _dialled(dice), caller(dice, mobile, can_book=can_book))]
    while dice.random() < 0.3 and len(visits) < 4:
        at_s += dice.choice((5.0, 40.0, 120.0, 400.0, 900.0)) * dice.uniform(0.5, 1.5)
        again = caller(dice, mobile, can_book=can_book)
        visits.append(Arrival(at_s, _spelled(dice, mobile), _dialled(dice), again))
    return visits


def _dialled(dice: Random) -> str:
    return dice.choices((CARDS, LOANS, URGENT), (6, 3, 1))[0]


def _spelled(dice: Random, mobile: str) -> str | None:
    return dice.choice((mobile, "+81" + mobile[1:], "184" + mobile, "186" + mobile, None))


def caller(dice: Random, mobile: str, *, can_book: bool) -> Person:
    """Return a caller: patient, or not, or one who leaves a number in one way or another."""
    kind = dice.choices(("waits", "hurries", "leaves a number", "leaves another", "muddles"), (3, 2, 6, 2, 1))[0]
    patience_s = dice.uniform(5, 60) if kind == "hurries" else dice.uniform(60, 900)
    person = Person(talks_s=dice.uniform(5, 400), patience_s=patience_s)
    if kind in {"waits", "hurries"}:
        return person
    offers = {name: _sometimes(dice) for name in ("hold-offer", "offer", "closed-offer", "welcome-back")}
    other = mobile if dice.random() < 0.3 else f"080{dice.randrange(10_000_000, 99_999_999)}"
    numbers = {"use-this-number": ["1"] * 3}
    if kind == "leaves another":
        numbers = {"use-this-number": ["2"] * 3, "enter-number": [other + "#"] * 3, "confirm-number": ["1"] * 3}
    if kind == "muddles":
        keyed = [dice.choice((*WRONG_KEYS, other)) + dice.choice(("#", "")) for _ in range(3)]
        confirmed = [dice.choice(("1", "2", "", "9")) for _ in range(3)]
        numbers = {"use-this-number": ["2", "1", "2"], "enter-number": keyed, "confirm-number": confirmed}
    hasty = dice.random() < 0.25
    return replace(
        person,
        presses={**offers, **numbers, **(_times(dice) if can_book else {})},
        patience_s=dice.uniform(8, 40) if hasty else patience_s,
    )


def _sometimes(dice: Random) -> list[str]:
    return [dice.choice(("1", "1", "")) for _ in range(6)]


def _times(dice: Random) -> dict[str, list[str]]:
    if dice.random() < 0.25:
        return {"when-menu": ["1"] * 3}
    return {
        "when-menu": ["2"] * 3,
        "choose-day": [dice.choice("1112")] * 3,
        "choose-time": [dice.choice(("1", "1", "1", "2", "3", "9", "*")) for _ in range(4)],
    }


def customer(dice: Random) -> Person:
    """Return what happens when a number is called back, this time."""
    later = {"later-choose": [dice.choice("123459")] * 3, "later-confirm": ["1"] * 3}
    ways: Mapping[str, tuple[float, Callable[[], Person]]] = {
        "says yes": (8, lambda: Person(presses={"callback-confirm": ["1", "1"]})),
        "says yes the second time": (1, lambda: Person(presses={"callback-confirm": ["", "1"]})),
        "does not want it": (1, lambda: Person(presses={"callback-confirm": ["3"]})),
        "wants it later": (1.5, lambda: Person(presses={"callback-confirm": ["2", "2"], **later})),
        "presses nothing": (1, Person),
        "is a machine": (1, lambda: Person(answered_by=AnsweredBy.MACHINE, patience_s=20)),
        "hangs up": (1, lambda: Person(patience_s=dice.uniform(3, 12))),
        "never answers": (2, lambda: Person(answers_after_s=None)),
        **{
            outcome.value: (weight, lambda outcome=outcome: Person(refuses=outcome))  # type: ignore[misc]
            for outcome, weight in {
                Outcome.BUSY: 1.5,
                Outcome.REJECTED: 0.5,
                Outcome.CONGESTION: 0.7,
                Outcome.UNREACHABLE: 0.5,
                Outcome.INVALID_NUMBER: 0.2,
                Outcome.NOT_PLACED: 0.2,
            }.items()
        },
    }
    name = dice.choices(list(ways), [weight for weight, _ in ways.values()])[0]
    person = ways[name][1]()
    answers_after_s = None if person.answers_after_s is None else dice.uniform(1, 28)
    talks_s = dice.uniform(3, 400)
    return replace(person, answers_after_s=answers_after_s, talks_s=talks_s)


def agent(dice: Random) -> Person:
    """Return what an agent does when the phone rings, this time."""
    answers_after_s = None if dice.random() < 0.1 else dice.uniform(1, 12)
    impatient = dice.random() < 0.06
    previews = {"preview-menu": [dice.choices(("1", "2", "3", ""), (8, 1, 1, 1))[0] for _ in range(3)]}
    return Person(
        presses=previews,
        answers_after_s=answers_after_s,
        talks_s=dice.choice((None, dice.uniform(10, 300))),
        patience_s=dice.uniform(3, 20) if impatient else 2000.0,
    )
