"""What the first start of a new installation leaves: a site, and the settings file of its controller."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.provision import provision
from controller.provision.files import write_private
from controller.provision.site import CONTROL_HOST
from controller.settings.first_file import DEFAULT_TEMPLATE, first_settings, with_value
from controller.text_table import table

if TYPE_CHECKING:
    from pathlib import Path

    from controller.provision import Site


@dataclass(frozen=True, slots=True)
class FirstStart:
    """An installation that can be started."""

    site: Site
    settings: Path
    is_new: bool
    """Whether the settings were written now; they are an admin's from then on, and never written over."""


def first_start(
    home: Path,
    *,
    bind: str = "127.0.0.1",
    agents: int = 2,
    customers: int = 20,
    language: str = "ja",
    simulated_network: bool = False,
    template: Path = DEFAULT_TEMPLATE,
) -> FirstStart:
    """Make what a new site needs in `home`, or read it again: secrets, ports, Asterisk's site files, settings.

    Args:
        home: folder of the site; made when it is missing.
        bind: the IPv4 address that Asterisk listens on.
        agents: number of agents' phones.
        customers: number of lines in the simulated telephone network.
        language: `ja` or `en`, what callers hear; in the settings at the first start only.
        simulated_network: whether the trunk leads to the simulated network. Its phones may ring at night, so
            new settings dial around the clock; those of a real trunk keep to daytime.
        template: the default settings.

    Raises:
        ProvisionError: see `controller.provision`.
        OSError: the template cannot be read, or the settings cannot be written.
    """
    site = provision(home, bind=bind, agents=agents, customers=customers, language=language)
    path = home / "controller.toml"
    is_new = not path.exists()
    if is_new:
        text = first_settings(
            template.read_text(encoding="utf-8"),
            ari_url=f"http://{CONTROL_HOST}:{site.ports.ari}",
            ami_host=CONTROL_HOST,
            ami_port=site.ports.ami,
            service_number=site.service_number,
            agents=[agent.user for agent in site.agents],
        )
        text = with_value(text, "[queues]", "language", f'"{language}"')
        if simulated_network:
            text = with_value(text, "dialer", "calling_hours", '"00:00-24:00"')
        write_private(path, text)
    return FirstStart(site, path, is_new)


def accounts_text(site: Site) -> str:
    """Return what somebody with a softphone needs: every agent's account, one caller's, and what to dial.

    It holds passwords: for the terminal of whoever set the site up, not for a log that others read.
    """
    server = _server(site.bind)
    rows = [[one.user, server, str(site.ports.sip), one.user, one.password, "UDP"] for one in site.agents]
    rows += [
        ["a caller", server, str(site.ports.carrier_sip), one.user, one.password, "UDP"] for one in site.customers[:1]
    ]
    lines = [
        table(["phone", "server", "port", "user", "password", "transport"], rows),
        "",
        f"The caller dials {site.service_number}, hears music, presses 1 and 1 again, hangs up, and is called back.",
        "An agent is there as soon as their phone is registered, and only has to answer.",
    ]
    if len(site.customers) > 1:
        last = site.customers[-1].user
        lines.append(f"More callers, up to {last}, have their passwords in {site.home / 'secrets.env'}.")
    if server.startswith("127."):
        lines.append("These phones must be on this machine: Asterisk listens on loopback unless it is told otherwise.")
    return "\n".join(lines)


def _server(bind: str) -> str:
    """Return the address that a phone is told; for `0.0.0.0` the one that this machine sends from."""
    if bind != "0.0.0.0":  # noqa: S104 - compared, not bound
        return bind
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing; an address for documentation (RFC 5737)
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])
