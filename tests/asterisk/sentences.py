"""What is said in several prompts, heard word by word; and calls that press keys before they are asked."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import numpy as np

from lab import audio

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Coroutine, Sequence

    from lab.phone import Phone, PhoneCall
    from tests.asterisk.floor import Floor

SYLLABLE_S = 0.15
"""The shortest word is longer than this."""


async def hears(
    floor: Floor, call: PhoneCall, words: Sequence[str], language: str = "en", *, from_s: float = 0
) -> float:
    """Wait until these prompts were heard one right after the other; return when the last sound of them ended.

    Between two of them nothing else may have been said. A prompt that is nothing but a pause is not listened for.
    """
    ended_s: float | None = None
    for word in words:
        file = floor.stack.prompts.file(word, language)
        sound = audio.read_wav(file)
        loud = np.flatnonzero(audio.sounding(sound))
        if not loud.size:
            continue
        match = await call.heard.until_prompt(file, 30, from_s=from_s)
        if ended_s is not None:
            between = call.heard.slice(ended_s, match.at_s)
            said_s = float(np.sum(audio.sounding(between))) * audio.FRAME / audio.RATE_HZ
            assert said_s < SYLLABLE_S, f"{said_s:.2f} s of something else were said before {word}"
        # Not the end of the file: who presses a key has the silence behind the last sound cut short.
        from_s = ended_s = match.at_s + int(loud[-1] + 1) * audio.FRAME / audio.RATE_HZ
    return from_s


async def dialled(phone: Phone, number: str, keys: str = "") -> PhoneCall:
    """Call `number`, wait for the answer, and press keys without listening."""
    call = await phone.dial(number, timeout_s=20)
    await call.answered()
    if keys:
        await call.press(keys, gap_ms=60)
    return call


async def promise_to(floor: Floor, number: str) -> sqlite3.Row:
    """Return the one promise that a number (E.164) has, once it has one."""
    async with asyncio.timeout(60):
        while not (found := floor.rows("select * from promises where number = ?", number)):
            await floor.stack.pbx.cli("core waitfullybooted")  # Nothing tells of it: this gives it time.
    (promise,) = found
    return promise


async def together(*stories: Coroutine[Any, Any, None]) -> None:
    """Play stories at the same time; the first that fails ends the others."""
    async with asyncio.TaskGroup() as group:
        for story in stories:
            group.create_task(story)
