"""Two controllers for one Asterisk: one works, the other stands by and takes its place, and hands it back."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from lab.controller_process import ControllerProcess
from tests.asterisk.floor import AGENT_HZ, CALLER_HZ, Floor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lab.phone import PhoneCall

SECOND = "second"


class Second(ControllerProcess):
    """Another member at the same Asterisk and database."""

    def _command(self) -> list[str]:
        return [*super()._command(), "--member", SECOND]


@asynccontextmanager
async def standing_by(floor: Floor, *, at_home: bool = False) -> AsyncIterator[Second]:
    """Start the second controller, which is not the one that works; it is gone afterwards."""
    stack = floor.stack
    text = stack.settings.read_text("utf-8")
    if at_home:
        text = text.replace("\n[asterisk]", f'\n[asterisk]\nhome = "{SECOND}" #', 1)
    path = stack.settings.with_name("second.toml")
    path.write_text(text, encoding="utf-8")
    second = Second(stack.site, path)
    second.log_path = stack.site.home / "second.log"
    await second.start(until="standing by")
    try:
        yield second
    finally:
        await second.stop()


async def talking(floor: Floor) -> tuple[PhoneCall, PhoneCall]:
    """Have a caller and an agent talk; return both their calls."""
    agent = await floor.signed_in(0)
    call = await floor.calling(floor.customer())
    leg = await agent.rings()
    call.talk(CALLER_HZ)
    await asyncio.gather(call.heard.until_tone(AGENT_HZ), leg.heard.until_tone(CALLER_HZ))
    return call, leg


async def test_a_standby_takes_over_when_the_controller_is_killed(floor: Floor) -> None:
    """The talk goes on, who waits is served by the standby, and who was killed stands by when it comes back."""
    first = floor.stack.controller
    async with standing_by(floor) as second:
        call, leg = await talking(floor)
        waits = await floor.holding(floor.customer())
        died_at_s = call.heard.duration_s
        await first.kill9()
        await second.logged("in control", timeout_s=20)
        await first.start(until="standing by")
        await call.hang_up()
        await leg.ended
        await waits.heard.until_tone(AGENT_HZ)
        assert call.heard.longest_silence_s(died_at_s) < 0.5
        assert waits.heard.longest_silence_s() < 2.0
        await waits.hang_up()
        seen = len(first.lines)
        await second.stop()
        await first.logged("in control", since=seen, timeout_s=20)


async def test_the_member_whose_home_it_is_gets_it_from_the_one_at_work_and_nobody_is_cut_off(floor: Floor) -> None:
    """Handed back at once and without force; when the owner leaves, the other is there again."""
    first = floor.stack.controller
    call, leg = await talking(floor)
    began_s, seen = call.heard.duration_s, len(first.lines)
    async with standing_by(floor, at_home=True) as second:
        await first.logged("handed back", since=seen)
        await second.logged("in control")
        await second.logged("a caller is taken up")
        assert not [line for line in first.lines[seen:] if line["event"] == "in control"]
    await first.logged("in control", since=seen)
    assert call.heard.longest_silence_s(began_s) < 0.5
    await call.hang_up()
    await leg.ended
    assert first.pid is not None


async def test_a_second_controller_under_the_same_name_leaves_one_of_them_at_work(floor: Floor) -> None:
    """The later one takes over, as after a restart; the earlier one ends or stands by, and takes nothing back."""
    first = floor.stack.controller
    second = ControllerProcess(floor.stack.site, floor.stack.settings)
    second.log_path = floor.stack.site.home / "second.log"
    seen = len(first.lines)
    await second.start()
    await first.logged("taken over by another controller", since=seen)
    call, leg = await _served_by(second, floor)
    assert not [line for line in first.lines[seen:] if line["event"] == "in control"]
    await call.hang_up()
    await leg.ended
    await second.stop()
    await first.logged("in control", since=seen, timeout_s=20)


async def _served_by(controller: ControllerProcess, floor: Floor) -> tuple[PhoneCall, PhoneCall]:
    seen = len(controller.lines)
    agent = floor.agents[0]
    await agent.register()
    call = await floor.calling(floor.customer())
    leg = await agent.rings()
    await controller.logged("turn", since=seen)
    return call, leg
