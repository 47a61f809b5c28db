"""What stays up while controllers of a cluster are killed: two Asterisks, Kamailio, PostgreSQL, ledger, a load."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from controller.settings.first_file import with_value
from lab.chaos.bench import CALLBACK_NUMBER, QUICK, Bench, for_chaos
from lab.chaos.ledger_process import running_ledger
from lab.chaos.post import running_post
from lab.cluster import Member, running_machines, write_cluster_settings
from lab.cluster_front import one_front
from lab.far_end import Does, far_end, furnish
from lab.ledger.facts import Kind
from lab.text_messages import free_port

if TYPE_CHECKING:
    import random
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from controller.provision import Site
    from lab.ami_socket import AmiLogin
    from lab.cluster import Machines
    from lab.pbx import Asterisk

AGENTS = 6
"""At each Asterisk."""
AT_ONCE = 3
TRIES = 4
"""To have somebody talk at each Asterisk: who calls whom is not ours to choose."""


@dataclass(kw_only=True)
class ClusterBench(Bench):
    """Everything that a fault of a cluster needs. `site` and `pbx` are those of the first Asterisk."""

    machines: Machines
    settings_of: Mapping[str, Path]
    """By member: all the same but for the port of the pages, as they share a machine."""
    at: dict[str, str] = field(default_factory=dict)
    """Who talks for as long as they are let, and at which Asterisk."""

    @property
    def names(self) -> tuple[str, ...]:
        """The members."""
        return self.machines.cluster.members

    def home_of(self, member: str) -> Site:
        """Return the Asterisk that is a member's whenever it lives."""
        return self.machines.cluster.pbxs[self.names.index(member)]

    def member(self, name: str) -> Member:
        """Return a controller as it is run in production, not started yet."""
        return self.watched(Member(self.machines.cluster, name, self.settings_of[name]))

    def another(self) -> Member:
        """Return one that takes on all that is left, not started yet."""
        return self.member(self.names[0])

    async def started(self) -> dict[str, Member]:
        """Start all of them; return them once each is in control of its home. Raises ControllerFailedError."""
        members = {name: self.member(name) for name in self.names}
        await asyncio.gather(*(one.start() for one in members.values()))
        await asyncio.gather(*(one.in_control_of(self.home_of(name).name) for name, one in members.items()))
        return members

    async def talks_everywhere(self) -> None:
        """Have somebody talk at each Asterisk for as long as they are let. Raises TimeoutError."""
        for _ in range(TRIES):
            numbers = [self.calls_in(Does.TALK, 0, 9) for _ in range(AT_ONCE)]
            talks = await asyncio.gather(*(self.seen(Kind.TALK, number, timeout_s=90) for number in numbers))
            self.at |= {talk.number: talk.pbx for talk in talks}
            self.talking += numbers
            if len(set(self.at.values())) == len(self.names):
                return
        raise TimeoutError(f"everybody talks at the same Asterisk: {self.at}")

    async def until_told(self, pbx: str, *, since: int, timeout_s: float = 40) -> None:
        """Wait until a caller at this Asterisk was told that they will be called back. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while True:
                facts = self.ledger.facts()[since:]
                if any(fact.kind is Kind.ACKNOWLEDGED and fact.pbx == pbx for fact in facts):
                    return
                await asyncio.sleep(0.05)

    async def hang_up_all_of(self, site: Site) -> None:
        """Have the far end give up the calls of an Asterisk that is gone: nobody is left who could tell it to.

        Callers hang up by themselves, after a while of silence.
        """
        desks = {agent.user for agent in site.agents}
        for line in (await self.carrier.cli("core show channels concise")).splitlines():
            channel, _, exten, *_ = line.split("!")
            if channel.startswith(f"PJSIP/{site.name}-") or exten in desks:
                await self.carrier.cli(f"channel request hangup {channel}")
        for number in [number for number, pbx in self.at.items() if pbx == site.name]:
            del self.at[number]
            self.talking.remove(number)

    async def settle(self) -> list[str]:
        """As for one controller; all that was said of who talks where is forgotten."""
        self.at.clear()
        return await super().settle()

    def _asterisks(self) -> tuple[tuple[str, Asterisk], ...]:
        return (*self.machines.pbxs.items(), ("carrier", self.carrier))


@asynccontextmanager
async def running_cluster_bench(home: Path, rng: random.Random) -> AsyncIterator[ClusterBench]:
    """Run everything but the controllers. Raises what `lab.cluster.running_machines` raises."""
    logins: list[AmiLogin] = []
    async with AsyncExitStack() as stack:
        post = await stack.enter_async_context(running_post(home, rng))
        machines = await stack.enter_async_context(
            running_machines(
                home, agents=AGENTS, customers=1, furnish=lambda cluster: logins.append(furnish(*cluster.pbxs))
            )
        )
        first, *_ = sites = machines.cluster.pbxs
        ports = {name: free_port() for name in machines.cluster.members}
        await stack.enter_async_context(one_front(post.web_port, list(ports.values())))
        changes = {**QUICK, ("[queues]", "language"): '"en"'}

        def on_port(port: int, text: str) -> str:
            return with_value(post.settings(for_chaos(text)), "web", "port", str(port))

        settings_of = {
            name: write_cluster_settings(machines, changes, edit=partial(on_port, port), name=f"{name}.toml")
            for name, port in ports.items()
        }
        ledger = await stack.enter_async_context(
            running_ledger(first, (post.record, post.booked), home / "ledger.jsonl", among=sites)
        )
        far = await stack.enter_async_context(far_end(logins[0], CALLBACK_NUMBER))
        yield ClusterBench(
            site=first,
            pbx=machines.pbxs[first.name],
            carrier=machines.carrier,
            settings=settings_of[machines.cluster.members[0]],
            ledger=ledger,
            far=far,
            post=post,
            rng=rng,
            machines=machines,
            settings_of=settings_of,
        )
