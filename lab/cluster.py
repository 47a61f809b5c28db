"""A cluster on this machine: two Asterisks behind Kamailio, a telephone network, PostgreSQL; and its controllers."""

from __future__ import annotations

import asyncio
import os
import re
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controller.first_cluster import cluster_settings
from controller.provision.cluster import provision_cluster
from controller.settings.first_file import DEFAULT_TEMPLATE, with_value
from lab.cluster_door import running_door
from lab.controller_process import ControllerProcess
from lab.instance_folders import sweep
from lab.pbx import CARRIER_CONF, PBX_CONF, Asterisk
from lab.postgres import open_postgres
from lab.rootfolder import root_folder
from lab.stack import LAB_SETTINGS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

    from controller.provision.cluster import Cluster
    from lab.cluster_door import Door
    from lab.controller_process import LogLine
    from lab.postgres import Postgres

IN_CONTROL = "in control"


@dataclass(frozen=True, slots=True)
class Machines:
    """Everything that runs, but the controllers."""

    cluster: Cluster
    pbxs: Mapping[str, Asterisk]
    """By name, `pbx-1` and up."""
    carrier: Asterisk
    door: Door
    postgres: Postgres
    database: str
    """The URL that the controllers share."""
    members: list[Member] = field(default_factory=list)


class Member(ControllerProcess):
    """`python -m controller run --member NAME`: one of the controllers of a cluster."""

    def __init__(
        self, cluster: Cluster, name: str, settings: Path, *, on_line: Callable[[LogLine], None] = lambda _line: None
    ) -> None:
        super().__init__(cluster.pbxs[0], settings, on_line=on_line)
        self.name = name
        self.log_path = cluster.home / f"{name}.log"
        self._cluster = cluster

    def _command(self) -> list[str]:
        return [*super()._command(), "--member", self.name]

    def _passwords(self) -> dict[str, str]:
        found = {"ORIKAESHI_DB_PASSWORD": self._cluster.db_password}
        for site in self._cluster.pbxs:
            end = site.name.upper().replace("-", "_")
            found[f"ORIKAESHI_ARI_PASSWORD_{end}"] = site.ari_password
            found[f"ORIKAESHI_AMI_PASSWORD_{end}"] = site.ami_password
        return found

    async def in_control_of(self, pbx: str, *, since: int = 0, timeout_s: float = 30) -> LogLine:
        """Return the line by which it says so; `since` is an index of `lines`. Raises ControllerFailedError."""
        return await self.logged(
            IN_CONTROL, since=since, timeout_s=timeout_s, where=lambda line: line.get("pbx") == pbx
        )


def write_cluster_settings(
    machines: Machines,
    changes: Mapping[tuple[str, str], str],
    *,
    edit: Callable[[str], str] = lambda text: text,
    name: str = "controller.toml",
) -> Path:
    """Write the settings that all members share, or those of one under another name; return the file.

    `changes`, `edit`: see `lab.stack.write_settings`.
    """
    text = cluster_settings(DEFAULT_TEMPLATE.read_text("utf-8"), machines.cluster, machines.database)
    for (table, key), value in {**LAB_SETTINGS, **changes}.items():
        text = with_value(text, table, key, value)
    path = machines.cluster.home / name
    path.write_text(edit(text), "utf-8")
    return path


@asynccontextmanager
async def running_machines(
    home: Path,
    *,
    agents: int = 2,
    customers: int = 20,
    language: str = "en",
    furnish: Callable[[Cluster], object] = lambda _cluster: None,
) -> AsyncIterator[Machines]:
    """Run all but the controllers until the context is left; `agents` are those at each Asterisk.

    `furnish` may add to the site files before anything is started. Raises RootFolderError, PackageError,
    PostgresError, ProvisionError, AsteriskFailed, DoorFailedError.
    """
    root = await asyncio.to_thread(root_folder)
    await asyncio.to_thread(sweep, root)
    cluster = provision_cluster(
        home, agents=agents, customers=customers, language=language, port_offset=os.getpid() % 700
    )
    await asyncio.to_thread(furnish, cluster)
    async with AsyncExitStack() as stack:
        postgres = stack.enter_context(open_postgres())
        database = await asyncio.to_thread(_empty_database, postgres, cluster.db_password)
        carrier = Asterisk(root, "carrier", CARRIER_CONF, cluster.pbxs[0].carrier_site)
        pbxs = {site.name: Asterisk(root, site.name, PBX_CONF, site.pbx_site) for site in cluster.pbxs}
        for one in (carrier, *pbxs.values()):
            stack.push_async_callback(one.stop)
        # The network first: an Asterisk that finds its trunk dead refuses to dial for the next ten seconds.
        await carrier.start()
        await asyncio.gather(*(one.start() for one in pbxs.values()))
        door = await stack.enter_async_context(running_door(cluster.door_site))
        await door.until_open(lives=len(pbxs))
        yield Machines(cluster, pbxs, carrier, door, postgres, database)


def _empty_database(postgres: Postgres, password: str) -> str:
    """Make a database, and its role with the cluster's password; return its URL, without that."""
    name = postgres.create()
    postgres.sql(f"ALTER ROLE orikaeshi PASSWORD '{password}'")
    return re.sub(r":[^:@/]*@", "@", postgres.url(name, by_tcp=True))
