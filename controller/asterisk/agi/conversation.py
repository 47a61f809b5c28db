"""The verbs of a conversation, on AGI commands.

Asterisk drops a key that comes while no command is under way, a millisecond between two of them. So prompts are
stopped by keys and go on where they stopped, and all keys of a number but the first are taken by one command.
"""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING

import structlog

from controller.asterisk import names
from controller.asterisk.agi.commands import ANSWER_TIMEOUT_S, quoted
from controller.domain.digits import KEYS, Entry
from controller.ports.calls import CallerHungUp, CallFacts, PbxUnavailableError

if TYPE_CHECKING:
    from datetime import datetime

    from controller.asterisk.agi.commands import AgiCommands
    from controller.asterisk.agi.wire import DialplanRequest
    from controller.domain.digits import Keypad

log = structlog.get_logger(__name__)

RESULT = "ORI_RESULT"
"""The variable by which the dialplan learns what came of it."""
PROMPT_TIMEOUT_S = 120.0
"""No prompt is longer; one that takes more time is not being played at all."""
MOST_KEYS = 64
"""Kept of a flood of keys; what comes beyond is dropped while prompts play."""
HASH = "#"
MARKS = {"stage": names.STAGE, "queue": names.QUEUE, "urgent": names.URGENT, "language": "CHANNEL(language)"}
"""What `remember` can keep on a channel, and in which variable."""

_ANY_KEY = "".join(sorted(KEYS))
_PROMPT = re.compile(r"[A-Za-z0-9_-]{1,80}", re.ASCII)


class AgiConversation:
    """One channel whose dialplan is in `AGI()`. Its end goes back to the dialplan."""

    def __init__(self, commands: AgiCommands, request: DialplanRequest, arrived_at: datetime) -> None:
        self._commands = commands
        self._keys: deque[str] = deque()
        self.request = request
        self.id = request.call_id
        self.language = request.language or ""
        self.facts = CallFacts(
            number=request.number, dialled=request.dialled, arrived_at=arrived_at, endpoint=request.endpoint
        )

    async def answer(self) -> None:
        """Answer, unless the channel is up already: Asterisk knows."""
        await self._commands.send("ANSWER")

    async def play(self, *prompts: str) -> None:
        """Play prompts to their end."""
        for prompt in prompts:
            await self._speak(prompt, until_key=False)

    async def ask(
        self, *prompts: str, keypad: Keypad, first_key_timeout_s: float = 8, next_key_timeout_s: float = 4
    ) -> str:
        """Play prompts until the first key, then collect keys until the keypad says that it is enough."""
        for prompt in prompts:
            if self._keys:
                break
            await self._speak(prompt, until_key=True)
        if not self._keys:
            await self._wait_for_key(first_key_timeout_s)
        entered, entry, over = "", Entry.OPEN, not self._keys
        while entry is Entry.OPEN and (self._keys or not over):
            if not self._keys:
                over = await self._collect_keys(keypad, len(entered), next_key_timeout_s)
                continue
            entered, entry = keypad.press(entered, self._keys.popleft())
        return entered

    async def remember(self, **marks: str) -> None:
        """Set marks as channel variables."""
        for mark, value in marks.items():
            await self._commands.send(f"SET VARIABLE {MARKS[mark]} {quoted(value)}")
            if mark == "language":
                self.language = value

    async def hang_up(self) -> None:
        """Hang up, if there still is something to hang up."""
        if self._commands.usable:
            try:
                await self._commands.send("HANGUP")
            except (CallerHungUp, PbxUnavailableError) as reason:
                log.info("it was gone already", call_id=self.id, reason=type(reason).__name__)

    async def report(self, result: str) -> None:
        """Tell the dialplan the result, and leave the channel in the language in which it came.

        Raises CallerHungUp, PbxUnavailableError.
        """
        if self.request.language not in (None, self.language):
            await self.remember(language=self.request.language or "")
        await self._commands.send(f"SET VARIABLE {RESULT} {quoted(result)}")

    async def _speak(self, prompt: str, *, until_key: bool) -> None:
        """Play one prompt; keys are kept. `until_key`: to the first key only."""
        if not _PROMPT.fullmatch(prompt):
            raise ValueError(f"{prompt!r} is no prompt's id")
        position = 0
        while True:
            keys = _ANY_KEY if len(self._keys) < MOST_KEYS else ""
            answer = await self._commands.send(
                f'STREAM FILE {names.SOUND_FOLDER}/{prompt} "{keys}" {position}', timeout_s=PROMPT_TIMEOUT_S
            )
            if not answer.key:
                if not position and not answer.end_position:
                    log.error("the PBX has no such prompt; install the prompts there", prompt=prompt)
                return
            self._keys.append(answer.key)
            if until_key:
                return
            position = answer.end_position

    async def _wait_for_key(self, timeout_s: float) -> None:
        answer = await self._commands.send(
            f"WAIT FOR DIGIT {_milliseconds(timeout_s)}", timeout_s=timeout_s + ANSWER_TIMEOUT_S
        )
        self._keys.extend(answer.key)

    async def _collect_keys(self, keypad: Keypad, already: int, timeout_s: float) -> bool:
        """Take further keys up to `#`, a pause, or as many as the keypad wants; return whether no more will come."""
        wanted = keypad.max_digits - already
        if keypad.finish != HASH:  # GET DATA knows no other end.
            await self._wait_for_key(timeout_s)
            return not self._keys
        answer = await self._commands.send(
            f'GET DATA "" {_milliseconds(timeout_s)} {wanted}', timeout_s=(wanted + 1) * timeout_s + ANSWER_TIMEOUT_S
        )
        keys = [key for key in answer.result[:wanted] if key in KEYS]
        self._keys.extend(keys)
        if keys and answer.note != "timeout" and len(keys) < wanted:
            self._keys.append(HASH)
        return answer.note == "timeout" or not keys


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
