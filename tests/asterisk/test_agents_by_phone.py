"""Agents set their state from real phones: what they hear, and whether callers reach them then."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import pytest

from lab.phone import Answer, CallRefused, PhoneShelf
from lab.stack import running_stack
from tests.asterisk.conftest import QUICK
from tests.asterisk.floor import AGENT_HZ, CALLER_HZ, Floor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lab.phone import Phone, PhoneCall

PIN = "83716"
BY_PIN = {**QUICK, ("agents_by_phone", "sign_in"): '"pin"', ("[queues]", "wrap_up_s"): "600"}
"""Nobody is on duty by a phone alone, and a wrap-up that is over was ended by hand."""


@pytest.fixture(scope="module")
async def running_floor(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Floor]:
    """Start everything once for the tests of this file, with a PIN for the first agent."""
    async with running_stack(tmp_path_factory.mktemp("site"), changes=BY_PIN) as stack, PhoneShelf() as shelf:
        floor = await Floor.furnished(stack, shelf)
        await new_pin(floor)
        yield floor


@pytest.fixture
async def alice(floor: Floor) -> Phone:
    """Register the first agent's phone, whose owner is signed out, answers when rung, and says a tone."""
    phone = floor.agents[0]
    phone.when_rung = Answer(tone_hz=AGENT_HZ)
    await phone.register()
    await tells(floor, phone, "*12", "agent-signed-out")
    return phone


async def new_pin(floor: Floor) -> None:
    """Give the first agent a PIN, as an admin does."""
    words = ("agent", "pin", floor.agents[0].user, "--stdin", "--settings", str(floor.stack.settings))
    command = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "controller", *words), stdin=asyncio.subprocess.PIPE
    )
    await command.communicate(f"{PIN}\n".encode())
    assert command.returncode == 0


async def dials(phone: Phone, code: str) -> PhoneCall:
    """Dial a code and wait for the answer."""
    call = await phone.dial(code, timeout_s=20)
    await call.answered()
    return call


async def tells(floor: Floor, phone: Phone, code: str, *prompts: str, keys: str = "") -> None:
    """Dial a code, press `keys` at the first prompt when there are some, and hear all prompts to the end."""
    call = await dials(phone, code)
    at = 0.0
    for index, prompt in enumerate(prompts):
        at = await floor.heard(call, prompt, from_s=at)
        if keys and index == 0:
            await call.press(keys)
    await call.ended


async def signs_in(floor: Floor, phone: Phone) -> None:
    """Dial *11 and key the PIN."""
    await tells(floor, phone, "*11", "agent-pin", "agent-signed-in", keys=f"{PIN}#")


async def talks(phone: Phone, caller: PhoneCall) -> PhoneCall:
    """See that the agent is rung for the caller, and that they hear each other; return the agent's end."""
    leg = await phone.rings()
    caller.talk(CALLER_HZ)
    await asyncio.gather(caller.heard.until_tone(AGENT_HZ), leg.heard.until_tone(CALLER_HZ))
    return leg


async def part(floor: Floor, phone: Phone, caller: PhoneCall, leg: PhoneCall) -> None:
    """End the talk, and the agent's wrap-up with it."""
    await caller.hang_up()
    await leg.ended
    await tells(floor, phone, "*15", "agent-wrap-up-over")


def rung(phone: Phone) -> int:
    """Return how often the phone was rung so far."""
    return sum(call.incoming for call in phone.calls)


async def test_nobody_is_rung_before_signing_in_with_the_pin(floor: Floor, alice: Phone) -> None:
    """The caller waits, although a phone is registered; then they talk."""
    before = rung(alice)
    caller = await floor.holding(floor.customer())
    assert rung(alice) == before
    await signs_in(floor, alice)
    leg = await talks(alice, caller)
    await part(floor, alice, caller, leg)


async def test_a_paused_agent_is_not_rung_until_the_pause_is_over(floor: Floor, alice: Phone) -> None:
    """By one code, and by the spoken menu, whose keys may be pressed ahead."""
    await signs_in(floor, alice)
    await tells(floor, alice, "*132", "agent-paused")
    before = rung(alice)
    caller = await floor.holding(floor.customer())
    await tells(floor, alice, "*10", "agent-menu", "agent-paused", keys="31")
    assert rung(alice) == before
    await tells(floor, alice, "*13", "agent-pause-menu", "agent-unpaused", keys="0")
    leg = await talks(alice, caller)
    await part(floor, alice, caller, leg)


async def test_an_agent_is_rung_during_the_wrap_up_only_after_ending_it(floor: Floor, alice: Phone) -> None:
    """It would last ten minutes."""
    await signs_in(floor, alice)
    first = await floor.calling(floor.customer())
    leg = await talks(alice, first)
    await first.hang_up()
    await leg.ended
    before = rung(alice)
    second = await floor.holding(floor.customer())
    await tells(floor, alice, "*131", "agent-paused")
    await tells(floor, alice, "*14", "agent-unpaused")
    assert rung(alice) == before
    await tells(floor, alice, "*15", "agent-wrap-up-over")
    leg = await talks(alice, second)
    await part(floor, alice, second, leg)
    await tells(floor, alice, "*15", "agent-not-possible")


async def test_an_agent_who_signs_out_during_a_call_gets_no_other_after_it(floor: Floor, alice: Phone) -> None:
    """On the phone's second line; the talk goes on."""
    await signs_in(floor, alice)
    caller = await floor.calling(floor.customer())
    leg = await talks(alice, caller)
    await tells(floor, alice, "*12", "agent-signed-out")
    await caller.heard.until_tone(AGENT_HZ, from_s=caller.heard.duration_s)
    before = rung(alice)
    second = await floor.holding(floor.customer())
    await caller.hang_up()
    await leg.ended
    await tells(floor, alice, "*15", "agent-not-possible")
    assert rung(alice) == before
    await second.hang_up()
    await signs_in(floor, alice)
    await tells(floor, alice, "*15", "agent-wrap-up-over")


async def test_three_wrong_pins_lock_the_sign_in_until_an_admin_sets_another(floor: Floor, alice: Phone) -> None:
    """The right one is not asked for any more, not even after a restart; no digit is in the log."""
    call = await dials(alice, "*11")
    at = 0.0
    for _ in range(2):
        await call.press("90909#")
        at = await floor.heard(call, "agent-pin-wrong", from_s=at) + 0.3
    await call.press("90909#")
    await floor.heard(call, "agent-locked", from_s=at)
    await call.ended
    await floor.stack.controller.kill9()
    await floor.stack.controller.start()
    await tells(floor, alice, "*11", "agent-locked")
    await new_pin(floor)
    await signs_in(floor, alice)
    log = floor.stack.controller.log_path.read_text("utf-8")
    assert "a wrong PIN" in log
    assert "90909" not in log
    assert PIN not in log


@pytest.mark.parametrize(("code", "prompt"), [("*132", "agent-paused"), ("*12", "agent-signed-out")])
async def test_what_an_agent_set_holds_after_the_controller_was_killed(
    floor: Floor, alice: Phone, code: str, prompt: str
) -> None:
    """A caller waits, with a registered phone in the house; nobody else has to sign in again."""
    await signs_in(floor, alice)
    await tells(floor, alice, code, prompt)
    before = rung(alice)
    await floor.stack.controller.kill9()
    await floor.stack.controller.start()
    caller = await floor.holding(floor.customer())
    assert rung(alice) == before
    if code == "*12":
        await signs_in(floor, alice)
    else:
        await tells(floor, alice, "*14", "agent-unpaused")
    leg = await talks(alice, caller)
    await part(floor, alice, caller, leg)


async def test_a_phone_that_finds_the_controller_away_hears_so(floor: Floor, alice: Phone) -> None:
    """And nothing has changed when it is back."""
    await signs_in(floor, alice)
    await floor.stack.controller.stop()
    await tells(floor, alice, "*12", "agent-not-possible")
    await floor.stack.controller.start()
    caller = await floor.calling(floor.customer())
    leg = await talks(alice, caller)
    await part(floor, alice, caller, leg)


async def test_there_are_no_other_codes(floor: Floor) -> None:
    """What is none is refused, as an address that is unknown or incomplete, and leads nowhere."""
    for code in ("*16", "*1", "*135", "*112", "*1311", "10", "11", "*2", "orikaeshi-agent-menu"):
        call = await floor.agents[0].dial(code, timeout_s=10)
        with pytest.raises(CallRefused) as refusal:
            await call.answered()
        assert refusal.value.ending.status in {404, 484}, code
