"""The demo's script: who calls when, and what each of them does and hears. Every phone is a real SIP phone."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from controller.system_clock import SystemClock
from lab.audio import looks_like_music
from lab.phone import Answer, Busy, Ignore, NotHeard

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from lab.phone import Phone, PhoneCall
    from lab.stack import AnyStack
    from lab.text_messages import TextMessages
    from lab.timeline import Timeline

AGENT_HZ = 440.0
FIRST_CALLER_HZ = 620.0
CALLER_STEP_HZ = 70.0
A_DIGIT_S = 0.3
"""A spoken digit is longer than this, so the next one begins later."""
SMS_TIMEOUT_S = 15.0
LEAST_NOTICE = timedelta(seconds=25)
"""Who replies with a time means the first full minute that is so far away."""
MINUTE = timedelta(minutes=1)


@dataclass(eq=False)
class Caller:
    """One caller: their phone, the phone they want to be called on, and what they heard."""

    name: str
    phone: Phone
    callback_phone: Phone
    tone_hz: float
    wish: str
    heard: list[str] = field(default_factory=list)
    waited_s: float | None = None
    """From the first ring to an agent, on the line or by callback."""
    began_s: float = 0.0
    asked_for: datetime | None = None
    """The time that they asked for by SMS."""
    rung_at: datetime | None = None
    """When the callback rang that they answered."""

    @property
    def number(self) -> str:
        """The number that they are called back on, as the database keeps it (E.164)."""
        return "+81" + self.callback_phone.user[1:]


class BusySpell:
    """Plays the script. `play()` returns when everybody has done their part."""

    def __init__(
        self, stack: AnyStack, texts: TextMessages, timeline: Timeline, agents: list[Phone], language: str
    ) -> None:
        self._stack = stack
        self._texts = texts
        self._timeline = timeline
        self._agents = agents
        self._language = language
        self._clock = SystemClock()
        self.callers: list[Caller] = []

    def cast(self, name: str, phone: Phone, callback_phone: Phone, wish: str) -> Caller:
        """Put a caller on the list, with a tone of their own as a voice."""
        tone_hz = FIRST_CALLER_HZ + CALLER_STEP_HZ * len(self.callers)
        caller = Caller(name, phone, callback_phone, tone_hz, wish)
        self.callers.append(caller)
        return caller

    async def agent_signs_in(self, index: int, *, after_s: float) -> None:
        """Register an agent's phone, which answers whatever rings and then says its tone."""
        await asyncio.sleep(after_s)
        agent = self._agents[index]
        agent.when_rung = Answer(after_s=0.8, tone_hz=AGENT_HZ)
        await agent.register()

    async def is_served_at_once(self, caller: Caller, *, after_s: float, talk_s: float) -> None:
        """Call while an agent is free, and talk."""
        call = await self._calls(caller, after_s=after_s)
        await self._talks(caller, call, talk_s=talk_s)

    async def holds(self, caller: Caller, *, after_s: float, talk_s: float) -> None:
        """Call, hold for as long as it takes, and talk."""
        call = await self._calls(caller, after_s=after_s)
        await self._hears_music(caller, call)
        await self._talks(caller, call, talk_s=talk_s)

    async def leaves_shown_number(self, caller: Caller, *, after_s: float) -> None:
        """Call, hold a little, press 1, hear the own number read back, and take it."""
        call = await self._calls(caller, after_s=after_s)
        await self._hears_music(caller, call)
        await self._presses(caller, call, "1", "to leave a number")
        await self._reads_back(caller, call, "offer-calling-number", caller.phone.user, then="use-this-number")
        await self._presses(caller, call, "1", "to be called back on it")
        await self._is_promised(caller, call)

    async def leaves_other_number(self, caller: Caller, *, after_s: float) -> None:
        """Call, press 1 and then 2, key another number, hear it read back, and confirm it."""
        call = await self._calls(caller, after_s=after_s)
        await self._hears_music(caller, call)
        await self._presses(caller, call, "1", "to leave a number")
        await call.heard.until_prompt(self._prompt("offer-calling-number"), timeout_s=20)
        await self._presses(caller, call, "2", "for another one")
        await call.heard.until_prompt(self._prompt("enter-number"), timeout_s=20)
        await self._presses(caller, call, f"{caller.callback_phone.user}#", "")
        await self._reads_back(caller, call, "you-entered", caller.callback_phone.user, then="confirm-number")
        await self._presses(caller, call, "1", "to confirm it")
        await self._is_promised(caller, call)

    async def is_called_back(self, caller: Caller, *, talk_s: float) -> None:
        """Answer the callback, press 1, and talk."""
        caller.callback_phone.when_rung = Answer(after_s=1.5)
        call = await self._rung(caller)
        caller.rung_at = self._clock.now()
        await call.answered()
        await call.heard.until_prompt(self._prompt("callback-confirm"), timeout_s=25)
        await self._presses(caller, call, "1", "to be connected")
        await self._talks(caller, call, talk_s=talk_s)

    async def is_busy_once(self, caller: Caller) -> None:
        """Be on the phone when the callback comes."""
        caller.callback_phone.when_rung = Busy()
        await (await self._rung(caller)).ended
        self._says(caller, "is on another call: busy")

    async def never_answers(self, caller: Caller, *, times: int) -> None:
        """Let it ring, each time."""
        caller.callback_phone.when_rung = Ignore()
        for _ in range(times):
            await (await self._rung(caller)).ended
            self._says(caller, "did not hear the phone")

    async def asks_by_sms(self, caller: Caller, zone: ZoneInfo) -> None:
        """Read the SMS that they were not reached, reply with a time on the clock of `zone`, read the answer.

        Raises TimeoutError for an SMS that does not come, ValueError for a reply that is not taken.
        """
        await self._reads(caller, seen=0)
        soonest = self._clock.now().astimezone(zone) + LEAST_NOTICE + MINUTE
        caller.asked_for = soonest.replace(second=0, microsecond=0)
        reply = f"{caller.asked_for:%H:%M}"
        self._says(caller, f"replies by SMS: {reply}")
        status = await self._texts.reply(caller.number, reply)
        if status not in range(200, 300):
            raise ValueError(f"the reply of {caller.name} was answered with HTTP status {status}")
        await self._reads(caller, seen=1)

    async def _reads(self, caller: Caller, *, seen: int) -> None:
        """Read the SMS that comes after the `seen` first ones."""
        await self._texts.next_to(caller.number, seen=seen, timeout_s=SMS_TIMEOUT_S)
        caller.heard.append("SMS")

    async def _calls(self, caller: Caller, *, after_s: float) -> PhoneCall:
        await asyncio.sleep(after_s)
        self._says(caller, f"calls {self._stack.site.service_number}")
        caller.began_s = self._timeline.now_s
        call = await caller.phone.dial(self._stack.site.service_number, timeout_s=20)
        await call.answered()
        return call

    async def _hears_music(self, caller: Caller, call: PhoneCall) -> None:
        """Listen through the greeting until three seconds of music were heard, or the agent was quicker."""
        offer = await call.heard.until_prompt(self._prompt("hold-offer"), timeout_s=20)
        music_s = offer.at_s + 7.0
        await call.heard.until_sound(timeout_s=20, from_s=music_s + 2.9)
        if looks_like_music(call.heard.slice(music_s, music_s + 3.0)):
            caller.heard.append("music")
            self._says(caller, "hears hold music")

    async def _reads_back(self, caller: Caller, call: PhoneCall, intro: str, number: str, *, then: str) -> None:
        at = (await call.heard.until_prompt(self._prompt(intro), timeout_s=20)).at_s
        recognised = 0
        for digit in number:
            # A busy machine swallows a bit of sound now and then; a digit that was missed is not waited for long.
            with suppress(NotHeard):
                match = await call.heard.until_prompt(
                    self._prompt(f"digit-{digit}"), timeout_s=4, from_s=at + A_DIGIT_S
                )
                at, recognised = match.at_s, recognised + 1
        await call.heard.until_prompt(self._prompt(then), timeout_s=30, from_s=at)
        whole = recognised == len(number)
        caller.heard.append("read-back" if whole else f"read-back ({recognised} of {len(number)} digits)")
        self._says(caller, f"hears {number} read back, digit by digit")

    async def _presses(self, caller: Caller, call: PhoneCall, keys: str, why: str) -> None:
        self._says(caller, f"presses {keys} {why}".rstrip())
        await call.press(keys)

    async def _is_promised(self, caller: Caller, call: PhoneCall) -> None:
        await call.heard.until_prompt(self._prompt("promise-made"), timeout_s=20)
        caller.heard.append("promise")
        self._says(caller, "hears the promise, and is off the line")
        await call.ended

    async def _rung(self, caller: Caller) -> PhoneCall:
        call = await caller.callback_phone.rings(timeout_s=120)
        self._says(caller, f"is called back on {caller.callback_phone.user}")
        return call

    async def _talks(self, caller: Caller, call: PhoneCall, *, talk_s: float) -> None:
        call.talk(caller.tone_hz)
        await call.heard.until_tone(AGENT_HZ, timeout_s=120)
        caller.waited_s = self._timeline.now_s - caller.began_s
        agent = await self._agent_who_hears(caller)
        caller.heard.append("agent")
        self._says(caller, f"and {agent.user} hear each other")
        await asyncio.sleep(talk_s)
        await call.hang_up()
        self._says(caller, "hangs up")

    async def _agent_who_hears(self, caller: Caller) -> Phone:
        """Return the agent on whose phone this caller's own tone is heard. Raises NotHeard."""
        for agent in self._agents:
            for leg in agent.calls:
                if leg.ending is None:
                    try:
                        await leg.heard.until_tone(caller.tone_hz, timeout_s=3)
                    except NotHeard:
                        continue
                    return agent
        raise NotHeard(f"no agent hears {caller.name}")

    def _says(self, caller: Caller, what: str) -> None:
        self._timeline.say(caller.name, what, "caller")

    def _prompt(self, prompt: str) -> Path:
        return self._stack.prompts.file(prompt, self._language)
