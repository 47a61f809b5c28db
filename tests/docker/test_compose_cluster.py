"""A cluster through docker/compose.cluster.yaml, already up: real SIP phones, a controller killed with its container.

ORIKAESHI_HOME names the cluster's folder, COMPOSE_PROJECT_NAME the project. What is heard is compared with the prompts
in the image that runs.
"""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import AsyncExitStack
from pathlib import Path

from controller.provision.cluster import provision_cluster
from lab.docker_engine import said
from lab.docker_stack import ControllerContainer, prompts_of
from lab.phone import Answer, PhoneShelf

AGENT_HZ = 440.0
CALLER_HZ = 880.0


async def container(service: str) -> str:
    """Return the id of the container that runs a service."""
    labels = {"project": os.environ["COMPOSE_PROJECT_NAME"], "service": service}
    filters = [
        word for key, value in labels.items() for word in ("--filter", f"label=com.docker.compose.{key}={value}")
    ]
    return (await said("docker", "ps", "--quiet", *filters)).strip()


async def in_control(member: ControllerContainer, pbx: str, *, since: int = 0) -> None:
    """Wait until a controller says that it has an Asterisk. Raises ControllerFailedError."""
    await member.logged("in control", since=since, where=lambda line: line.get("pbx") == pbx)


async def test_a_number_left_in_a_cluster_in_docker_is_called_back_after_its_controller_was_killed(
    tmp_path: Path,
) -> None:
    """Through Kamailio to one Asterisk; the controllers share a database; whoever is left has both Asterisks."""
    prompts = await prompts_of(await container("asterisk-1"), tmp_path)
    cluster = await asyncio.to_thread(provision_cluster, Path(os.environ["ORIKAESHI_HOME"]))
    first, second = cluster.pbxs
    members = [
        ControllerContainer(await container(name), first, cluster.home / "controller.toml") for name in cluster.members
    ]
    for member, site in zip(members, cluster.pbxs, strict=True):
        await member.start()
        await in_control(member, site.name)
    line = first.customers[0]
    began_s = time.monotonic()
    async with AsyncExitStack() as stack:
        shelf = await stack.enter_async_context(PhoneShelf())
        customer = await shelf.add(line.user, line.password, first.host, first.ports.carrier_sip)
        await customer.register()
        call = await customer.dial(first.service_number, timeout_s=20)
        await call.answered()
        await call.heard.until_prompt(prompts.file("welcome", "ja"), timeout_s=30)
        await call.press("11")
        await call.heard.until_prompt(prompts.file("promise-made", "ja"), timeout_s=30)
        await call.ended

        at = len(members[1].lines)
        killed_s = time.monotonic()
        await members[0].kill9()
        await in_control(members[1], first.name, since=at)
        over_s = time.monotonic() - killed_s

        customer.when_rung = Answer(after_s=0.2)
        # An agent of the Asterisk whose controller was killed: only the other can have rung this phone.
        agent = first.agents[0]
        desk = await shelf.add(agent.user, agent.password, first.host, first.ports.sip)
        desk.when_rung = Answer(tone_hz=AGENT_HZ)
        await desk.register()
        leg = await desk.rings(timeout_s=30)
        callback = await customer.rings(timeout_s=30)
        await callback.answered()
        await callback.heard.until_prompt(prompts.file("callback-confirm", "ja"), timeout_s=30)
        await callback.press("1")
        callback.talk(CALLER_HZ)
        await asyncio.gather(callback.heard.until_tone(AGENT_HZ), leg.heard.until_tone(CALLER_HZ))

        at = len(members[0].lines)
        await members[0].start()
        await in_control(members[0], first.name, since=at)
        await callback.heard.until_tone(AGENT_HZ)
        await callback.hang_up()
        await leg.ended
    assert second.name not in {one.get("pbx") for one in members[0].lines[at:] if one["event"] == "in control"}
    print(  # noqa: T201 - the line that a person looks for at the end of a run
        f"\na cluster through compose: taken over {over_s:.1f} s after the kill, called back, both heard each other, "
        f"handed back with the talk going on ({time.monotonic() - began_s:.1f} s)"
    )
