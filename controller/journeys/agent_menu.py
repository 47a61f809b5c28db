"""An agent at their own phone: sign in and out, pause, end the wrap-up early.

Who it is follows from the phone, which the PBX names; that it is they, from a PIN where one is due.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.agents import PAUSE_REASONS
from controller.domain.digits import ONE_KEY, Keypad
from controller.domain.pin import LONGEST
from controller.journeys import prompts
from controller.ports.agents import SignIn

if TYPE_CHECKING:
    from controller.ports.agents import AgentDuty
    from controller.ports.calls import Conversation

MENU, SIGN_IN, SIGN_OUT, PAUSE, UNPAUSE, END_WRAP_UP = "10", "11", "12", "13", "14", "15"
"""What an agent dials after the star; PAUSE may be followed by the key of a reason."""

MENU_KEYS = {"1": SIGN_IN, "2": SIGN_OUT, "3": PAUSE, "4": END_WRAP_UP}
UNPAUSE_KEY = "0"
TRIES = 3
PIN = Keypad(max_digits=LONGEST)


async def agent_menu(call: Conversation, code: str, duty: AgentDuty) -> None:
    """Do what the agent dialled (`11`, `131`, ...), say what came of it, and hang up. Raises CallerHungUp."""
    await call.answer()
    name = duty.name_of(call.facts.endpoint)
    if name is None:
        await call.play(prompts.AGENT_UNKNOWN)
    else:
        await perform(call, code, name, duty)
    await call.hang_up()


async def perform(call: Conversation, code: str, name: str, duty: AgentDuty) -> None:
    """Do what one code asks for, for the agent `name`."""
    if code == MENU:
        key = await choose(call, prompts.AGENT_MENU, keys="".join(MENU_KEYS))
        if key is None:
            return
        code = MENU_KEYS[key]
    match code[:2], code[2:]:
        case "11", "":
            await sign_in(call, name, duty)
        case "12", "":
            await tell(call, done=await duty.sign_out(name), prompt=prompts.AGENT_SIGNED_OUT)
        case "13", "":
            await choose_pause(call, name, duty)
        case "13", key if key in PAUSE_REASONS:
            await tell(call, done=await duty.pause(name, PAUSE_REASONS[key]), prompt=prompts.AGENT_PAUSED)
        case "14", "":
            await tell(call, done=await duty.unpause(name), prompt=prompts.AGENT_UNPAUSED)
        case "15", "":
            await tell(call, done=await duty.end_wrap_up(name), prompt=prompts.AGENT_WRAP_UP_OVER)
        case _:
            await call.play(prompts.WRONG_KEY)


async def sign_in(call: Conversation, name: str, duty: AgentDuty) -> None:
    """Sign the agent in, with a PIN where one is due."""
    answer = await duty.sign_in(name)
    for _ in range(TRIES):
        if answer not in {SignIn.PIN_WANTED, SignIn.PIN_WRONG}:
            break
        pin = await call.ask(prompts.AGENT_PIN, keypad=PIN)
        if not pin:
            await call.play(prompts.NOTHING_HEARD)
            continue
        answer = await duty.sign_in(name, pin)
        if answer is SignIn.PIN_WRONG:
            await call.play(prompts.AGENT_PIN_WRONG)
    match answer:
        case SignIn.DONE:
            await call.play(prompts.AGENT_SIGNED_IN)
        case SignIn.LOCKED:
            await call.play(prompts.AGENT_LOCKED)
        case SignIn.NOT_POSSIBLE:
            await call.play(prompts.AGENT_NOT_POSSIBLE)
        case SignIn.PIN_WANTED | SignIn.PIN_WRONG:
            pass  # They heard so, and the tries are over.


async def choose_pause(call: Conversation, name: str, duty: AgentDuty) -> None:
    """Ask for the reason of a pause; one key ends the pause instead."""
    key = await choose(call, prompts.AGENT_PAUSE_MENU, keys="".join(PAUSE_REASONS) + UNPAUSE_KEY)
    if key is not None:
        await perform(call, UNPAUSE if key == UNPAUSE_KEY else PAUSE + key, name, duty)


async def choose(call: Conversation, prompt: str, *, keys: str) -> str | None:
    """Ask until one of `keys` is pressed; None after a few tries."""
    for _ in range(TRIES):
        key = await call.ask(prompt, keypad=ONE_KEY)
        if key and key in keys:
            return key
        await call.play(prompts.WRONG_KEY if key else prompts.NO_KEY)
    return None


async def tell(call: Conversation, *, done: bool, prompt: str) -> None:
    """Say what came of it."""
    await call.play(prompt if done else prompts.AGENT_NOT_POSSIBLE)
