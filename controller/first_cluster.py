"""What the first start of a cluster leaves: its Asterisks' sites, and one settings file for all its controllers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.provision.cluster import provision_cluster
from controller.provision.files import write_private
from controller.provision.site import CONTROL_HOST
from controller.settings.first_file import DEFAULT_TEMPLATE, first_settings, with_value
from controller.text_table import table

if TYPE_CHECKING:
    from pathlib import Path

    from controller.provision.cluster import Cluster

DATABASE = "postgresql+asyncpg://orikaeshi@/orikaeshi?host=/site/postgres/run"
"""That of docker/compose.cluster.yaml: a Unix socket in the cluster's folder, which no network reaches."""


@dataclass(frozen=True, slots=True)
class FirstCluster:
    """A cluster that can be started."""

    cluster: Cluster
    settings: Path
    is_new: bool
    """Whether the settings were written now; they are an admin's from then on, and never written over."""


def first_cluster(
    home: Path,
    *,
    bind: str = "127.0.0.1",
    pbxs: int = 2,
    agents: int = 2,
    customers: int = 20,
    language: str = "ja",
    simulated_network: bool = False,
    template: Path = DEFAULT_TEMPLATE,
) -> FirstCluster:
    """Make what a new cluster needs in `home`, or read it again: secrets, ports, site files, settings.

    As `controller.first_start.first_start`; `pbxs` is the number of Asterisks, `agents` those at each of them.

    Raises ProvisionError, OSError.
    """
    cluster = provision_cluster(home, bind=bind, pbxs=pbxs, agents=agents, customers=customers, language=language)
    path = home / "controller.toml"
    is_new = not path.exists()
    if is_new:
        text = cluster_settings(template.read_text(encoding="utf-8"), cluster, DATABASE)
        text = with_value(text, "[queues]", "language", f'"{language}"')
        if simulated_network:
            text = with_value(text, "dialer", "calling_hours", '"00:00-24:00"')
        write_private(path, text)
    return FirstCluster(cluster, path, is_new)


def cluster_settings(template: str, cluster: Cluster, database: str) -> str:
    """Return the text of `template` (the default settings) fitted to a cluster; its comments stay.

    `database` is the URL that all controllers share, without a password. Raises ValueError for a template that lacks
    one of the settings.
    """
    first = cluster.pbxs[0]
    text = first_settings(
        template,
        ari_url=f"http://{CONTROL_HOST}:{first.ports.ari}",
        ami_host=CONTROL_HOST,
        ami_port=first.ports.ami,
        service_number=first.service_number,
        agents=[agent.user for agent, _ in cluster.agents],
    )
    text = with_value(text, "store", "url", f'"{database}"')
    text = _asterisks(text, cluster)
    for agent, site in cluster.agents:
        line = rf'(?m)^(endpoint = "{re.escape(agent.user)}".*)$'
        text = re.sub(line, rf'\1\nasterisk = "{site.name}"', text, count=1)
    return text


def _asterisks(text: str, cluster: Cluster) -> str:
    """Put one table for each Asterisk in the place of the only one."""
    found = re.search(r"^\[asterisk\](.*\n)((?:(?!^\[|^#\[).*\n)*)", text, re.MULTILINE)
    if found is None:
        raise ValueError("the default settings have no [asterisk]")
    head, body = found[1], re.sub(r"(?m)^#?(name|home) = .*\n", "", found[2]).rstrip("\n") + "\n\n"
    blocks: list[str] = []
    for member, site in zip(cluster.members, cluster.pbxs, strict=True):
        block = f'[asterisk]{head}name = "{site.name}"\nhome = "{member}"\n{body}'
        block = with_value(block, "asterisk", "url", f'"http://{CONTROL_HOST}:{site.ports.ari}"')
        block = with_value(block, "asterisk", "ami_port", str(site.ports.ami))
        if blocks:
            block = re.sub(r" *#.*", "", block)
        blocks.append(re.sub(r"^\[asterisk\]", "[[asterisk]]", block))
    return text[: found.start()] + "".join(blocks) + text[found.end() :]


def cluster_text(cluster: Cluster) -> str:
    """Return what somebody with softphones needs: every agent's account, one caller's, and what to dial.

    It holds passwords: for the terminal of whoever set the cluster up, not for a log that others read.
    """
    caller, first = cluster.pbxs[0].customers[0], cluster.pbxs[0]
    rows = [
        [one.user, site.host, str(site.ports.sip), one.user, one.password, site.name] for one, site in cluster.agents
    ]
    rows.append(["a caller", first.host, str(first.ports.carrier_sip), caller.user, caller.password, "the network"])
    homes = ", ".join(f"{site.name} by {member}" for member, site in zip(cluster.members, cluster.pbxs, strict=True))
    return "\n".join(
        [
            table(["phone", "server", "port", "user", "password", "registers with"], rows),
            "",
            f"Calls come in by {first.host}:{cluster.door_sip} (UDP) and are shared out: {homes}.",
            f"The caller dials {first.service_number}, hears music, presses 1 and 1 again, hangs up, is called back.",
        ]
    )
