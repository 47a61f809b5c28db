"""In which language a call is spoken to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Languages:
    """In which language a call's prompts are."""

    by_queue: Mapping[str, str]
    by_dialled: Mapping[str, str]

    @property
    def default(self) -> str:
        """The first queue's language."""
        return next(iter(self.by_queue.values()))

    def of(self, *, queue: str | None, dialled: str | None) -> str:
        """Return the language of a dialled number, else of a queue, else the default.

        The number first: a caller goes on in the language of the way in, whichever queue they were led to.
        """
        return self.by_dialled.get(dialled or "") or self.by_queue.get(queue or "") or self.default
