"""What is remembered of callers between their calls."""

from __future__ import annotations

from typing import Protocol


class CallerMemory(Protocol):
    """A failure to read or write is logged and never disturbs the call."""

    async def language_of(self, number: str) -> str | None:
        """Return the language that this number chose on an earlier call; None when it chose none, or is not known."""
        ...

    async def remember_language(self, number: str, language: str) -> None:
        """Keep the language that this number (E.164) has chosen by key."""
        ...
