"""How readily callers hang up in line, measured: those who left, by the time that all of them together waited."""

from __future__ import annotations

from dataclasses import dataclass

MEMORY = 0.99
"""What each caller takes from the weight of those before: about the last hundred count."""
PRIOR_WAITED_S = 3600.0
"""As if nobody had left in so much waiting, before anybody was seen: one who hangs up first proves little."""


@dataclass(frozen=True, slots=True)
class Patience:
    """What was seen of one queue's live callers; recent ones weigh more."""

    left: float = 0.0
    waited_s: float = PRIOR_WAITED_S

    def note(self, waited_s: float, *, left: bool) -> Patience:
        """Return the value after one more caller, who waited so long, and then hung up or was served."""
        return Patience(self.left * MEMORY + left, self.waited_s * MEMORY + max(0.0, waited_s))

    @property
    def leaving_per_s(self) -> float:
        """How many leave in a second, for each who waits."""
        return self.left / self.waited_s if self.waited_s > 0 else 0.0
