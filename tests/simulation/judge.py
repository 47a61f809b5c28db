"""The judge of a day. Reads what was seen from outside, keeps its own books, and asks nobody in the house."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulation.judge_of_calls import JudgeOfCalls
from tests.simulation.judge_of_promises import JudgeOfPromises
from tests.simulation.judge_of_writing import JudgeOfWriting

if TYPE_CHECKING:
    from tests.simulation.day_plan import Day
    from tests.simulation.far_end import FarEnd
    from tests.simulation.notebook import Violation

JUDGES = (JudgeOfPromises, JudgeOfCalls, JudgeOfWriting)
KINDS = tuple(kind for each in JUDGES for kind in each.KINDS)
"""All that must never happen."""


def judge(day: Day, far_end: FarEnd) -> list[Violation]:
    """Return all that happened on a day and must not have, in order."""
    found = [violation for each in JUDGES for violation in each(day, far_end).verdict()]
    return sorted(found, key=lambda each: (each.at_s, each.kind, each.what))
