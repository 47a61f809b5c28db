"""`controller provision` where there is more than one Asterisk."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING

from controller import site_commands
from controller.commands import Report
from controller.first_cluster import cluster_text, first_cluster
from controller.text_table import table

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping


async def provision_site_or_cluster(arguments: Namespace, env: Mapping[str, str]) -> Report:
    """Make what a new site needs, or a new cluster: secrets, ports, site files, and the first settings file.

    Raises ProvisionError, OSError.
    """
    if arguments.asterisks == 1:
        return await site_commands.provision_site(arguments, env)
    started = await asyncio.to_thread(
        first_cluster,
        arguments.home,
        bind=arguments.bind,
        pbxs=arguments.asterisks,
        agents=arguments.agents,
        customers=arguments.customers,
        language=arguments.language,
        simulated_network=arguments.simulated_network,
        template=arguments.template,
    )
    cluster, settings_path = started.cluster, started.settings
    rows = [
        ["settings", f"{settings_path}{'' if started.is_new else ' (kept as it was)'}"],
        ["secrets", f"{cluster.home}/secrets.env"],
        [
            "calls come in",
            f"SIP {cluster.bind}:{cluster.door_sip} (Kamailio); carriers: {cluster.door_site}/carriers.list",
        ],
        *(
            [site.name, f"{site.pbx_site}, SIP {site.bind}:{site.ports.sip}, home of {member}"]
            for site, member in zip(cluster.pbxs, cluster.members, strict=True)
        ),
    ]
    text = table(["what", "where"], rows)
    if arguments.show_accounts:
        text += f"\n\n{cluster_text(cluster)}"
    data = {
        "home": str(cluster.home),
        "settings": str(settings_path),
        "settings_are_new": started.is_new,
        "door_sip": cluster.door_sip,
        "asterisks": {
            site.name: {"home": member, "ports": asdict(site.ports), "agents": [agent.user for agent in site.agents]}
            for site, member in zip(cluster.pbxs, cluster.members, strict=True)
        },
    }
    return Report(text, data)
