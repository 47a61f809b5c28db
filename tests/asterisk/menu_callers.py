"""What callers at a site with menus do, and what they hear: which prompts, in which language, in which order."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab.audio import PROMPT_SCORE, RATE_HZ, find_prompt, read_wav
from tests.asterisk.floor import AGENT_HZ, CALLER_HZ
from tests.asterisk.menu_site import ANNEX, LOBBY, NOTICE_HZ

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from lab.audio import Samples
    from lab.phone import Phone, PhoneCall
    from lab.prompts import PromptFiles
    from tests.asterisk.floor import Floor

TELLING = (
    *("welcome", "menu-english", "menu-japanese", LOBBY, ANNEX, "language-set", "wrong-key", "no-key"),
    *("message-moved", "goodbye", "hold-offer", "offer", "urgent-connecting", "transferring", "transfer-failed"),
    *("sms-offer", "sms-sent", "sms-needs-mobile", "enter-number", "promise-made"),
)
"""The prompts by which a path is told. Not the single words: one is part of another."""

COMMAND_TIMEOUT_S = 30


async def hear_each_other(leg: PhoneCall, caller: PhoneCall) -> None:
    """Have the caller say a tone; both hear the other's."""
    caller.talk(CALLER_HZ)
    await asyncio.gather(caller.heard.until_tone(AGENT_HZ), leg.heard.until_tone(CALLER_HZ))


async def stay(floor: Floor, phone: Phone) -> tuple[str, str]:
    """Return the queue and the agent of the last call of a phone."""
    (row,) = floor.rows("select * from calls where number = ? order by arrived_at desc limit 1", phone.user)
    return row["queue"], row["agent"]


async def dials(phone: Phone, number: str, keys: str = "") -> PhoneCall:
    """Dial a number, wait for the answer, and press keys at once."""
    call = await phone.dial(number, timeout_s=20)
    await call.answered()
    if keys:
        await call.press(keys)
    return call


async def hears(floor: Floor, call: PhoneCall, *told: str, from_s: float = 0) -> float:
    """Wait until these prompts, as `ja/welcome`, were heard whole, in order; return when the last one ended."""
    for one in told:
        language, _, prompt = one.partition("/")
        file = floor.stack.prompts.file(prompt, language)
        match = await call.heard.until_prompt(file, timeout_s=20, from_s=max(0.0, from_s))
        # What is cut short by the next one is not heard to the end of its own silence.
        from_s = match.at_s + read_wav(file).size / RATE_HZ - 0.3
    return from_s


def passer_by(floor: Floor, index: int) -> Phone:
    """Return one of the phones of which nothing is kept after a call; they are used by one test after another."""
    return floor.customers[10:18][index]


async def ending_of(floor: Floor, number: str) -> str:
    """Wait until the latest call to `number` is over, and return how it is recorded."""
    (row,) = floor.rows("select id from calls where dialled = ? order by arrived_at desc limit 1", number)
    line = await floor.stack.controller.logged("call ended", where=lambda line: line.get("call_id") == row["id"])
    return str(line["ending"])


@dataclass(frozen=True, slots=True)
class Heard:
    """One prompt that was played, as `ja/welcome`, and when it began."""

    told: str
    at_s: float


async def all_heard(floor: Floor, call: PhoneCall) -> list[str]:
    """Return every telling prompt that was heard whole, in order. Those that sound alike have the same name."""
    return await asyncio.to_thread(_all_in, call.heard.slice(), _references(floor.stack.prompts))


def alike(files: PromptFiles, told: Iterable[str]) -> list[str]:
    """Return the names that `all_heard` has for these prompts."""
    first: dict[bytes, str] = {}
    names = {}
    for language in NOTICE_HZ:
        for prompt in TELLING:
            name = f"{language}/{prompt}"
            names[name] = first.setdefault(files.file(prompt, language).read_bytes(), name)
    return [names[one] for one in told]


def _references(files: PromptFiles) -> dict[str, Samples]:
    every = [f"{language}/{prompt}" for language in NOTICE_HZ for prompt in TELLING]
    return {
        name: read_wav(files.file(name.partition("/")[2], name.partition("/")[0]))
        for name in dict.fromkeys(alike(files, every))
    }


def _all_in(recording: Samples, references: dict[str, Samples]) -> list[str]:
    found: list[Heard] = []
    for name, reference in references.items():
        start = 0
        while (match := find_prompt(recording[start:], reference)).score > PROMPT_SCORE:
            found.append(Heard(name, start / RATE_HZ + match.at_s))
            start += round(match.at_s * RATE_HZ) + reference.size * 3 // 4
    return [one.told for one in sorted(found, key=lambda one: one.at_s)]


async def controller(settings: Path, *words: str, env: dict[str, str] | None = None) -> tuple[int | None, str, str]:
    """Run one command of the controller to its end; return its exit code, and what it printed on either stream.

    Raises TimeoutError when it does not come to an end.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "controller", *words, "--settings", str(settings)),
        env={**os.environ, **(env or {})},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(COMMAND_TIMEOUT_S):
            printed, complained = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode, printed.decode(), complained.decode()


async def rehearsed(floor: Floor, entrance: str, presses: str) -> list[list[str]]:
    """Return what `controller rehearse` prints of one path: the prompts of each step, as `ja/welcome`."""
    code, printed, complained = await controller(
        floor.stack.settings, "rehearse", "--entrance", entrance, f"--press={presses}", "--json"
    )
    assert code == 0, complained
    path: list[dict[str, Any]] = json.loads(printed)["path"]
    steps = [[f"{said['language']}/{said['prompt']}" for said in step["said"]] for step in path]
    return [[one for one in said if not one.endswith("/digit-pause")] for said in steps]
