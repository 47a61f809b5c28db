"""A site where each story of a callback has a queue, and agents, of its own; and what its tests ask of it.

The promises are made before the first test: a customer is left in peace for some seconds before they are called.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab import audio
from lab.phone import PhoneShelf
from lab.stack import running_stack
from tests.asterisk.floor import AGENT_HZ, CALLER_HZ, Floor, e164
from tests.asterisk.sentences import dialled, promise_to

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from lab.phone import Phone, PhoneCall

OWN_CALLER_ID = "0312345699"
"""The number that one queue shows, instead of the company's."""
_A_WORD_S = 0.3
"""A spoken word is longer than this, so the next one begins later."""
WHISPER = ("agent-whisper", "whisper-number-before")
"""How the whisper begins; the last digits and the wait follow."""


@dataclass(frozen=True)
class Story:
    """One queue: what is particular to it (`[[queues]]` and below, as TOML), its agents, its language."""

    rules: str = ""
    agents: tuple[int, ...] = ()
    """By place in `Floor.agents`."""
    language: str = "en"


def way_in(stories: Mapping[str, Story], queue: str, language: str = "en") -> str:
    """Return what is dialled to leave a number for a queue, in a language."""
    return f"03123456{list(stories).index(queue) + (10 if language == 'en' else 40)}"


def settings_for(stories: Mapping[str, Story], text: str) -> str:
    """Return the settings with these queues, in the place of the first file's own."""
    entrances = [
        f'[[entrances]]\nname = "{language}-{name}"\ndialled_numbers = ["{way_in(stories, name, language)}"]\n'
        f'language = "{language}"\nwelcome = "digit-1"\nleads_to = {{ callback = "{name}" }}'
        for name in stories
        for language in ("en", "ja")
    ]
    queues = [
        f'[[queues]]\nname = "{name}"\ntitle_ja = "{name}"\ntitle_en = "{name}"\nlanguage = "{story.language}"\n'
        "agent_ring_timeout_s = 8\ncustomer_ring_timeout_s = 15\nwrap_up_s = 0.5\nmissed_pause_s = 1\n" + story.rules
        for name, story in stories.items()
    ]
    count = 1 + max(place for story in stories.values() for place in story.agents)
    agents = [
        f'[[agents]]\nname = "agent-{place + 1}"\nendpoint = "agent-{place + 1}"\n'
        f"queues = {json.dumps([name for name, story in stories.items() if place in story.agents])}"
        for place in range(count)
    ]
    return "\n\n".join((text.partition("\n[[queues]]")[0], *entrances, *queues, *agents)) + "\n"


@asynccontextmanager
async def callback_floor(home: Path, stories: Mapping[str, Story]) -> AsyncIterator[Floor]:
    """Run everything, with the phones on their desks."""
    agents = 1 + max(place for story in stories.values() for place in story.agents)
    async with (
        running_stack(home, agents=agents, edit=lambda text: settings_for(stories, text)) as stack,
        PhoneShelf() as shelf,
    ):
        yield await Floor.furnished(stack, shelf)


async def leaves_number(floor: Floor, phone: Phone, number: str, other: str = "") -> str:
    """Dial a way in, leave the shown number (or key another, as 09012345678), and return the promise's id."""
    call = await dialled(phone, number, f"2{other}#1" if other else "1")
    promise = await promise_to(floor, e164(other or phone.user))
    await call.hang_up()
    await call.ended
    return str(promise["id"])


async def hears(floor: Floor, call: PhoneCall, *words: str, language: str = "en") -> float:
    """Wait until these prompts were heard, in this order; return when the last one began."""
    began_s = -_A_WORD_S
    for word in words:
        file = floor.stack.prompts.file(word, language)
        began_s = (await call.heard.until_prompt(file, 30, from_s=began_s + _A_WORD_S)).at_s
    return began_s


async def hear_each_other(agent: PhoneCall, customer: PhoneCall) -> None:
    """Both say their tone, and both hear the other's from now on."""
    customer.talk(CALLER_HZ)
    await asyncio.gather(
        customer.heard.until_tone(AGENT_HZ, from_s=customer.heard.duration_s),
        agent.heard.until_tone(CALLER_HZ, from_s=agent.heard.duration_s),
    )


async def ended_attempt(floor: Floor, promise_id: str) -> sqlite3.Row:
    """Return the one attempt that there was for a promise, once it has ended."""
    query = "select * from attempts where promise_id = ? and ended_at is not null"
    async with asyncio.timeout(60):
        while not (found := floor.rows(query, promise_id)):
            await floor.stack.pbx.cli("core waitfullybooted")  # Nothing tells of it: this gives it time.
    (attempt,) = found
    return attempt


async def explained(floor: Floor, promise_id: str) -> tuple[dict[str, Any], str]:
    """Return what `controller explain` says of a promise, and all that it tells of what happened, in one text."""
    words = ("explain", promise_id, "--json", "--settings", str(floor.stack.settings))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "controller", *words), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    told = json.loads(output)
    return told, "\n".join(f"{line['what']}: {line['why']}" for line in told["timeline"])


def has_heard(floor: Floor, call: PhoneCall, prompt: str, language: str = "en") -> bool:
    """Tell whether a prompt was heard whole by now."""
    sound = audio.read_wav(floor.stack.prompts.file(prompt, language))
    return audio.find_prompt(call.heard.slice(), sound).score > audio.PROMPT_SCORE


def rung(phone: Phone) -> int:
    """Return how often the phone was rung so far."""
    return sum(call.incoming for call in phone.calls)
