"""Dials that are to be taken back while they are on their way: the customer rings us, or the promise was cancelled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.workers.news import News

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet


class Withdrawals:
    """Which promises nobody may dial now."""

    def __init__(self) -> None:
        self._stood_in_for: dict[str, str] = {}
        self._cancelled: set[str] = set()
        self._news = News()

    @property
    def stood_in_for(self) -> AbstractSet[str]:
        """The promises whose customers stand in line themselves."""
        return set(self._stood_in_for.values())

    def stands_in(self, call_id: str, promise_id: str) -> None:
        """Take note that the customer of a promise stands in line themselves."""
        self._stood_in_for[call_id] = promise_id
        self._news.tell()

    def left(self, call_id: str) -> None:
        """Take note that they no longer do."""
        self._stood_in_for.pop(call_id, None)

    def cancel(self, promise_id: str) -> None:
        """Take note that a promise is not wanted any more."""
        self._cancelled.add(promise_id)
        self._news.tell()

    def over(self, promise_id: str) -> None:
        """Take note that no dial of a promise is on its way any more."""
        self._cancelled.discard(promise_id)

    def applies_to(self, promise_id: str) -> bool:
        """Tell whether a promise may not be dialled now."""
        return promise_id in self._cancelled or promise_id in self._stood_in_for.values()

    async def come(self, promise_id: str) -> None:
        """Return when a promise may not be dialled any more."""
        while not self.applies_to(promise_id):
            await self._news.come()
