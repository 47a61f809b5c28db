"""What agents choose on a screen for the promise that they are shown: beside the keys of their phone."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class PreviewChoices:
    """One question for each agent who is being asked, by their name."""

    def __init__(self) -> None:
        self._asked: dict[str, asyncio.Future[str]] = {}

    @contextmanager
    def asked(self, agent: str) -> Iterator[asyncio.Future[str]]:
        """Let an agent choose while the context is open; what they choose is the result."""
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._asked[agent] = answer
        try:
            yield answer
        finally:
            del self._asked[agent]
            answer.cancel()

    def choose(self, agent: str, key: str) -> bool:
        """Choose as by a key. False: they are not asked, or have chosen."""
        answer = self._asked.get(agent)
        if answer is None or answer.done():
            return False
        answer.set_result(key)
        return True
