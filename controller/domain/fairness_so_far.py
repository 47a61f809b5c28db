"""The tally of a day's turns while they go on being given: what new ones cannot have changed is not played again.

Somebody who is served now may have been due for hours, and then stood in the fair line before all whose turn has come
since: from where they were due on it is played again, and from nowhere before.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.fairness import FairLine, FairnessFigures, by_due, by_time, tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime
    from typing import Any

    from controller.domain.fairness import Moved, Turn
    from controller.domain.intervals import Placed

BLOCK = 256
"""So many turns are played between two places from which it can be played again."""
_A_FEW = 1000
"""As many are put in one by one; more are sorted with all the others."""


@dataclass(frozen=True, slots=True)
class _Block:
    line: FairLine
    """As it was before the first turn of the block was given."""
    tallies: Mapping[int, FairnessFigures]
    """Of the turns that the block's agents go to, by the interval in which those were really given."""


class QueueTurns:
    """The turns of one queue in a day."""

    def __init__(self, placed: Placed, *, block: int = BLOCK) -> None:
        self._placed = placed
        self._block = block
        self._given: list[Turn] = []
        self._coming: list[Turn] = []
        self._blocks: list[_Block] = []

    def change(self, came: Iterable[Turn], gone: Iterable[Turn] = ()) -> int:
        """Add turns, and take some out that are none after all; return how many were played again.

        Raises ValueError for one to be taken out that is not there.
        """
        came, gone = list(came), list(gone)
        if not came and not gone:
            return 0
        for turn in gone:
            _take_out(self._given, turn, by_time)
            _take_out(self._coming, turn, by_due)
        _put_in(self._given, came, by_time)
        _put_in(self._coming, came, by_due)
        return self._play_again(min(turn.due_at for turn in (*came, *gone)))

    def tallies(self) -> dict[int, FairnessFigures]:
        """Return the tally of each interval in which turns were given, by the interval's index."""
        found: defaultdict[int, FairnessFigures] = defaultdict(FairnessFigures)
        for block in self._blocks:
            for nth, one in block.tallies.items():
                found[nth] += one
        return dict(found)

    def _play_again(self, due_at: datetime) -> int:
        """Play on from the last block whose line nobody who was due from then on had stood in."""
        kept = len(self._blocks)
        while kept > 1 and (kept - 1) * self._block > len(self._given):
            kept -= 1
        while kept > 1 and self._given[(kept - 1) * self._block - 1].at >= due_at:
            kept -= 1
        line = self._blocks[kept - 1].line.copy() if kept else FairLine()
        first = max(0, kept - 1)
        del self._blocks[first:]
        for start in range(first * self._block, len(self._given), self._block):
            before = line.copy()
            moves = line.serve(self._given[start : start + self._block], self._coming)
            self._blocks.append(_Block(before, self._shared_out(moves)))
        return len(self._given) - first * self._block

    def _shared_out(self, moves: Iterable[Moved]) -> dict[int, FairnessFigures]:
        groups: defaultdict[int, list[Moved]] = defaultdict(list)
        for one in moves:
            nth = self._placed.at(one.turn.at)
            if nth is not None:
                groups[nth].append(one)
        return {nth: tally(group) for nth, group in groups.items()}


def _put_in(turns: list[Turn], came: list[Turn], order: Callable[[Turn], Any]) -> None:
    if len(came) > _A_FEW:
        turns.extend(came)
        turns.sort(key=order)
        return
    for turn in came:
        insort(turns, turn, key=order)


def _take_out(turns: list[Turn], turn: Turn, order: Callable[[Turn], Any]) -> None:
    nth = bisect_left(turns, order(turn), key=order)
    if nth == len(turns) or turns[nth] != turn:
        raise ValueError(f"no turn of {turn.waiter_id} was given at {turn.at}")
    del turns[nth]
