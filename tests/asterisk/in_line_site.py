"""A site with a queue for each rule of waiting in line, and what its tests ask of it: the stories in the queue log."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab import audio
from lab.phone import Ignore
from lab.rootfolder import root_folder
from tests.asterisk.floor import AGENT_HZ, CALLER_HZ, Floor, e164

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.phone import Phone, PhoneCall

GREETING = "digit-1"
"""The shortest there is: what is tested comes after it."""
LOW_HZ, HIGH_HZ = 300.0, 1200.0
"""What the two classes of music sound like: neither is a tone of a phone."""

QUEUES = {
    "support": 'announcements = { offer = "on_key" }',
    "cards": 'announcements = { offer = "never" }',
    "low": 'music = "low-music"\nannouncements = { offer = "never" }',
    "high": 'music = "high-music"\nannouncements = { offer = "never" }',
    "nowhere": 'music = "no-such-music"\nannouncements = { offer = "never" }',
    "places": 'announcements = { place = true, offer = "never", interval_s = 1 }',
    "told": "announcements = { place = true, wait = true, interval_s = 600 }",
    "at-once": "announcements = { interval_s = 1 }",
    "long-waits": 'announcements = { place = true, offer = "by_wait", offer_wait_s = 1, interval_s = 1 }',
    "short-waits": 'announcements = { place = true, offer = "by_wait", offer_wait_s = 86400, interval_s = 1 }',
    "on-key": 'announcements = { place = true, offer = "on_key", interval_s = 1 }',
    "patient": (
        'announcements = { offer = "never" }\nlimits = { max_wait_s = 2, on_max_wait = { queue = "support" } }'
    ),
    "small": ('announcements = { offer = "never" }\nlimits = { max_length = 1, on_full = { message = "goodbye" } }'),
    "overflowing": 'limits = { overflow_wait_s = 1, on_overflow = { message = "goodbye" } }',
    "staffed": 'announcements = { offer = "never" }\nlimits = { on_no_agents = { message = "goodbye" } }',
    "missed": 'music = "low-music"\nrecapture_sms = true\nrecapture_after_s = 2\nannouncements = { offer = "never" }',
    "hasty": 'music = "low-music"\nrecapture_sms = true\nrecapture_after_s = 3600\nannouncements = { offer = "never" }',
}
"""What is particular to each, as the settings write it."""

WAYS_IN = {name: f"03123456{nth:02}" for nth, name in enumerate((*QUEUES, "urgent"), start=1)}
"""What is dialled for each queue; "urgent" leads to support, ahead of the others."""

SERVED = ["support agent-1 CONNECT s leg s", "support agent-1 COMPLETECALLER s s 1"]
"""The lines of the queue log of somebody who was first in line at support, talked, and hung up."""

_SECONDS = {
    "ABANDON": (2,),
    "CONNECT": (0, 2),
    "COMPLETEAGENT": (0, 1),
    "COMPLETECALLER": (0, 1),
    "EXITEMPTY": (2,),
    "EXITWITHKEY": (3,),
    "EXITWITHTIMEOUT": (2,),
}
"""Which fields of a line of the queue log are lengths of time (Asterisk documentation, "Queue Logs")."""


def in_line_settings(text: str) -> str:
    """Return the settings with these queues and ways in, in the place of the first file's own."""
    queues = [
        f'[[queues]]\nname = "{name}"\ntitle_ja = "{name}"\ntitle_en = "{name}"\nlanguage = "en"\n'
        "agent_ring_timeout_s = 4\ncustomer_ring_timeout_s = 20\nwrap_up_s = 0.5\nmissed_pause_s = 1\n" + rules
        for name, rules in QUEUES.items()
    ]
    entrances = [
        f'[[entrances]]\nname = "to-{name}"\ndialled_numbers = ["{number}"]\nlanguage = "en"\nwelcome = "{GREETING}"\n'
        + ('leads_to = { urgent = "support" }' if name == "urgent" else f'leads_to = {{ queue = "{name}" }}')
        for name, number in WAYS_IN.items()
    ]
    staff = {"agent-1": list(QUEUES), "agent-2": ["cards"]}
    agents = [
        f'[[agents]]\nname = "{name}"\nendpoint = "{name}"\nqueues = {json.dumps(serves)}'
        for name, serves in staff.items()
    ]
    return "\n\n".join((text.partition("\n[[queues]]")[0], *entrances, *queues, *agents)) + "\n"


@contextmanager
def own_music(home: Path) -> Iterator[None]:
    """Have two classes of music in a folder of the admin's own, named in the file that is the admin's own."""
    folder = Path(tempfile.mkdtemp(prefix="music-", dir=root_folder() / "srv"))
    classes = []
    try:
        for name, hz in (("low-music", LOW_HZ), ("high-music", HIGH_HZ)):
            (folder / name).mkdir(parents=True)
            audio.write_wav(folder / name / "tone.wav", audio.sine(hz, 5 * audio.RATE_HZ))
            classes.append(f"[{name}]\nmode = files\ndirectory = /srv/{folder.name}/{name}\n")
        folder.chmod(0o755)
        local = home / "pbx" / "site" / "musiconhold-local.conf"
        local.parent.mkdir(mode=0o700, parents=True)
        local.write_text("\n".join(classes), encoding="utf-8")
        yield
    finally:
        shutil.rmtree(folder)


@dataclass
class Caller:
    """Somebody who has called: their phone, their end of the call, and the call's id."""

    phone: Phone
    call: PhoneCall
    id: str

    def entered(self, queue: str, place: int) -> str:
        """Return the line of the queue log that they joined this queue at this place."""
        return f"{queue} NONE ENTERQUEUE - {self.phone.user} {place}"


@dataclass
class Centre:
    """The floor for one test, with the questions of this site. Between two tests no number holds a promise."""

    floor: Floor
    _used: int = 0

    def customer(self) -> Phone:
        """Return a customer's phone that this test has not used yet; it rings until the caller gives up."""
        phone = self.floor.customers[self._used]
        self._used += 1
        phone.when_rung = Ignore()
        return phone

    def rows(self, query: str, *values: str) -> list[Any]:
        """Read the controller's database."""
        return self.floor.rows(query, *values)

    async def calls(self, phone: Phone, way_in: str) -> Caller:
        """Dial a way in, be answered, and be known to the controller. One at a time: the log masks numbers."""
        controller = self.floor.stack.controller
        seen = len(controller.lines)
        call = await phone.dial(WAYS_IN[way_in], timeout_s=20)
        line = await controller.logged("call", since=seen)
        await call.answered()
        return Caller(phone, call, str(line["call_id"]))

    async def waits(self, queue: str) -> Caller:
        """Call from a phone that nobody has used, and stand in line."""
        caller = await self.calls(self.customer(), queue)
        await self.story(caller.id, 1)
        return caller

    async def hears(self, caller: Caller, *prompts: str, from_s: float = 0) -> float:
        """Wait until the caller has heard these prompts, in this order; return when the last one began."""
        for prompt in prompts:
            # The end of a sentence can be empty in one language: a short silence, which nobody can tell from others.
            if audio.sounding(self._sound(prompt)).any():
                from_s = await self.floor.heard(caller.call, prompt, from_s=from_s)
        return from_s

    def has_heard(self, caller: Caller, prompt: str) -> bool:
        """Tell whether the caller has heard a prompt to its end by now."""
        return audio.find_prompt(caller.call.heard.slice(), self._sound(prompt)).score > audio.PROMPT_SCORE

    def _sound(self, prompt: str) -> audio.Samples:
        return audio.read_wav(self.floor.stack.prompts.file(prompt, "en"))

    async def goes(self, caller: Caller) -> None:
        """Hang up, and wait until the controller is done with the call."""
        await caller.call.hang_up()
        await self.floor.call_ended(caller.id)

    async def ending(self, caller: Caller) -> str:
        """Return how the call ended for the records, once it has ended."""
        await caller.call.ended
        await self.floor.call_ended(caller.id)
        await self.until(lambda: bool(self.rows("select id from calls where id = ? and ending is not null", caller.id)))
        return str(self.rows("select ending from calls where id = ?", caller.id)[0]["ending"])

    async def promised(self, phone: Phone) -> tuple[str, Caller]:
        """Call support, leave the shown number there, and be told that it is promised; return the promise's id.

        Returns once the promise has its turn with the others: customers are left in peace for some seconds first.
        """
        caller = await self.calls(phone, "support")
        await caller.call.press("11")
        await self.hears(caller, "promise-made")
        await caller.call.ended
        (row,) = self.rows("select id from promises where number = ? and state = 'waiting'", e164(phone.user))
        due = "select id from promises where id = ? and not_before <= strftime('%Y-%m-%d %H:%M:%f', 'now')"
        await self.until(lambda: bool(self.rows(due, row["id"])))
        return str(row["id"]), caller

    async def talks(self, agent: Phone, caller: Caller) -> PhoneCall:
        """See that the agent's phone rings for this caller and that they hear each other; return the agent's end."""
        leg = await agent.rings()
        assert leg.caller_id.number.endswith(caller.phone.user[1:])
        caller.call.talk(CALLER_HZ)
        await asyncio.gather(caller.call.heard.until_tone(AGENT_HZ), leg.heard.until_tone(CALLER_HZ))
        return leg

    async def served(self, agent: Phone, caller: Caller) -> None:
        """Let the caller and the agent talk, and the caller hang up."""
        leg = await self.talks(agent, caller)
        await caller.call.hang_up()
        await leg.ended

    async def called_back(self, agent: Phone, customer: Phone) -> None:
        """Let the agent and a customer who is called back talk, and the customer hang up."""
        leg = await agent.rings()
        callback = await customer.rings()
        await callback.answered()
        await callback.press("1")
        callback.talk(CALLER_HZ)
        await asyncio.gather(callback.heard.until_tone(AGENT_HZ), leg.heard.until_tone(CALLER_HZ))
        await callback.hang_up()
        await leg.ended

    async def story(self, call_id: str, count: int) -> list[str]:
        """Return the call's lines in Asterisk's queue log once there are so many: `QUEUE AGENT EVENT FIELDS...`.

        Times are checked to be whole seconds and told as `s`, the agent's own channel as `leg`.
        """
        await self.until(lambda: len(self._noted(call_id)) >= count)
        return self._noted(call_id)

    async def callback_story(self, customer: Phone, count: int) -> list[str]:
        """Return the same of the last call that we made to this customer."""

        def made() -> list[str]:
            return [line[1] for line in self._lines() if line[4:7] == ["ENTERQUEUE", "", e164(customer.user)]]

        await self.until(lambda: bool(made()))
        return await self.story(made()[-1], count)

    def _noted(self, call_id: str) -> list[str]:
        return [_told(*line[2:]) for line in self._lines() if line[1] == call_id]

    def _lines(self) -> list[list[str]]:
        log = (self.floor.stack.pbx.log_path.parent / "queue_log").read_text("utf-8")
        # A line that has no end yet is still being written.
        return [line.rstrip("\n").split("|") for line in log.splitlines(keepends=True) if line.endswith("\n")]

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something is so that nobody tells of."""
        async with asyncio.timeout(20):
            while not is_so():
                await self.floor.stack.pbx.cli("core waitfullybooted")  # Gives it time.

    async def told_by(self, *command: str) -> Any:
        """Return what a command of the controller says, as a program would read it."""
        words = ("-m", "controller", *command, "--json", "--settings", str(self.floor.stack.settings))
        process = await asyncio.create_subprocess_exec(sys.executable, *words, stdout=asyncio.subprocess.PIPE)
        output, _ = await process.communicate()
        assert process.returncode == 0
        return json.loads(output)

    async def decisions(self, *waiter_ids: str) -> list[dict[str, Any]]:
        """Return the audit's records of these waiters, oldest first, once each of them has one."""
        marks = ", ".join("?" * len(waiter_ids))
        query = f"select distinct waiter_id from line_decisions where waiter_id in ({marks})"  # noqa: S608 - marks
        await self.until(lambda: len(self.rows(query, *waiter_ids)) == len(waiter_ids))
        listed = await self.told_by("line", "--limit", "50")
        return [one for one in reversed(listed["decisions"]) if one["waiter_id"] in waiter_ids]


def rung(phone: Phone) -> int:
    """Return how often the phone was rung so far."""
    return sum(call.incoming for call in phone.calls)


def _told(queue: str, agent: str, event: str, *fields: str) -> str:
    told = list(fields)
    for place in _SECONDS.get(event, ()):
        assert told[place].isdecimal(), f"{event} {fields}: no whole seconds"
        told[place] = "s"
    if event == "CONNECT":
        assert told[1] not in {"", "NONE"}
        told[1] = "leg"
    return " ".join((queue, agent, event, *(field or "-" for field in told)))
