"""One call through docker/compose.yaml, already up: real SIP phones, and nothing known but what the setup printed.

ORIKAESHI_HOME names the site's folder, COMPOSE_PROJECT_NAME the project. What is heard is compared with the prompts
in the image that runs.
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

from controller.provision import provision
from lab.docker_engine import Compose, compose_command
from lab.docker_stack import prompts_of
from lab.phone import Answer, PhoneShelf

AGENT_HZ = 440.0
CALLER_HZ = 880.0


async def test_a_caller_leaves_a_number_in_docker_and_is_called_back_and_joined_with_an_agent(tmp_path: Path) -> None:
    """The main job once, from the first ring to both hearing each other."""
    compose = Compose(compose_command(), os.environ["COMPOSE_PROJECT_NAME"], {})
    prompts = await prompts_of(await compose.container("asterisk"), tmp_path)
    site = await asyncio.to_thread(provision, Path(os.environ["ORIKAESHI_HOME"]))
    (agent, *_), (line, *_) = site.agents, site.customers
    began_s = time.monotonic()
    async with PhoneShelf() as shelf:
        customer = await shelf.add(line.user, line.password, site.host, site.ports.carrier_sip)
        await customer.register()
        call = await customer.dial(site.service_number, timeout_s=20)
        await call.answered()
        await call.heard.until_prompt(prompts.file("welcome", "ja"), timeout_s=30)
        await call.press("11")
        await call.heard.until_prompt(prompts.file("promise-made", "ja"), timeout_s=30)
        await call.ended

        customer.when_rung = Answer(after_s=0.2)
        desk = await shelf.add(agent.user, agent.password, site.host, site.ports.sip)
        desk.when_rung = Answer(tone_hz=AGENT_HZ)
        await desk.register()
        leg = await desk.rings(timeout_s=30)
        callback = await customer.rings(timeout_s=30)
        await callback.answered()
        assert callback.caller_id.number == site.service_number
        await callback.heard.until_prompt(prompts.file("callback-confirm", "ja"), timeout_s=30)
        await callback.press("1")
        callback.talk(CALLER_HZ)
        await asyncio.gather(callback.heard.until_tone(AGENT_HZ), leg.heard.until_tone(CALLER_HZ))
        await callback.hang_up()
        await leg.ended
    print(  # noqa: T201 - the line that a person looks for at the end of a run
        f"\none call through compose: promise heard, called back, both heard each other "
        f"({time.monotonic() - began_s:.1f} s)"
    )
