"""The PBX itself is killed and comes back: what was under way is settled, not dialled again to find out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.phone import Ignore
from tests.asterisk.floor import AGENT_HZ

if TYPE_CHECKING:
    from tests.asterisk.floor import Floor


async def test_an_attempt_that_dies_with_the_pbx_is_settled_and_the_next_caller_is_served(floor: Floor) -> None:
    """The customer's phone rang once; the promise waits for its next try; nobody holds a place that is gone."""
    customer, holder, later = floor.customer(), floor.customer(), floor.customer()
    promise_id = await floor.promised(customer)
    await floor.holding(holder)
    customer.when_rung = Ignore()
    await floor.signed_in(0)
    await customer.rings()

    controller = floor.stack.controller
    seen = len(controller.lines)
    await floor.stack.pbx.kill9()
    await floor.stack.pbx.start()
    await controller.logged("in control", since=seen)
    await floor.promise_is(promise_id, "waiting")
    (attempt,) = floor.rows("select outcome from attempts where promise_id = ?", promise_id)
    assert attempt["outcome"] in {"unknown", "agent_lost"}
    assert len([call for call in customer.calls if call.incoming]) == 1
    (held,) = floor.rows("select ending from calls where number = ?", holder.user)
    assert held["ending"] == "abandoned"

    for agent in floor.agents:
        await agent.unregister()
    call = await floor.holding(later)
    await floor.signed_in(1)
    # Whoever was promised a call came earlier, and may have an agent first.
    await call.heard.until_tone(AGENT_HZ, 60)
