"""The first start of a site: free ports, fresh secrets, and the configuration files that carry them.

What an admin may read and edit stands in `asterisk-conf/`. What differs from site to site (ports, addresses,
accounts, passwords) is rendered here into `HOME/pbx/site/` and, for the telephone network of the demo and the
tests, `HOME/carrier/site/`. Both are included by the static files, by way of `#include site/NAME.conf`.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from controller.provision.files import drawn_secrets, write_private
from controller.provision.ports import choose_ports
from controller.provision.render import carrier_files, pbx_files
from controller.provision.site import PortPlan, ProvisionError, Secrets, SipAccount, Site, sip_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["PortPlan", "ProvisionError", "SipAccount", "Site", "choose_ports", "provision"]

FIRST_CUSTOMER: Final = 9_012_340_001


def provision(
    home: Path,
    *,
    bind: str = "127.0.0.1",
    agents: int = 2,
    customers: int = 20,
    service_number: str = "0312345678",
    language: str = "ja",
    port_offset: int = 0,
    new_secret: Callable[[], str] = lambda: secrets.token_urlsafe(24),
) -> Site:
    """Make, or read again, everything that is particular to one site, and render its configuration.

    At the first start free ports are looked for (the usual ones when they are free: SIP 5060, ARI 8088, AMI
    5038) and passwords are drawn; `HOME/site.json` and `HOME/secrets.env` keep them for every later start.
    The configuration files are written anew each time, so an edit belongs into `asterisk-conf/` or into the
    two files just named.

    Args:
        home: folder of the site; made with mode 0700 when it is missing.
        bind: the IPv4 address that Asterisk listens on; 0.0.0.0 means every one. Kept from the first start
            unless another is given later.
        agents: number of agents' phones, `agent-1` and up.
        customers: number of lines in the demo's telephone network, `09012340001` and up.
        service_number: the company's number, digits only.
        language: `ja` or `en`; the prompts that the dialplan itself speaks.
        port_offset: is added to the usual ports, so that many sites on one machine seldom meet.
        new_secret: draws one password (24 or more URL-safe characters).

    Raises:
        ProvisionError: no free port, a folder that cannot be written, or a file that was damaged by an
            edit; the message says which and what to do.
    """
    if not service_number.isdecimal() or not service_number.isascii():
        raise ProvisionError(f"service number {service_number!r}: digits only, for example 0312345678")
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        ports = _ports(home / "site.json", bind, port_offset)
        names = [f"agent-{n}" for n in range(1, agents + 1)]
        lines = [f"0{FIRST_CUSTOMER + n}" for n in range(customers)]
        vault = _secrets(home / "secrets.env", names, lines, new_secret)
        site = Site(
            home=home,
            bind=bind,
            ports=ports,
            service_number=service_number,
            language=language,
            ari_password=vault.ari,
            ami_password=vault.ami,
            trunk_password=vault.trunk,
            agents=tuple(SipAccount(name, vault.sip[name]) for name in names),
            customers=tuple(SipAccount(line, vault.sip[line]) for line in lines),
        )
        for folder, files in ((site.pbx_site, pbx_files(site)), (site.carrier_site, carrier_files(site))):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name, text in files.items():
                write_private(folder / name, text)
    except OSError as error:
        raise ProvisionError(
            f"cannot write {error.filename or home}: {error.strerror}. "
            "The site's folder must belong to the user who starts Orikaeshi, on a disc with room."
        ) from error
    return site


def _ports(path: Path, bind: str, offset: int) -> PortPlan:
    """Return the ports chosen at the first start, or choose them now and keep them in `path`."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        plan = PortPlan(**stored["ports"])
    except FileNotFoundError:
        plan = choose_ports(bind, offset)
        stored = None
    except (ValueError, KeyError, TypeError) as error:
        raise ProvisionError(
            f"{path} is damaged ({error}). Mend it, or delete it: then free ports are chosen anew, "
            "and phones that were set up with the old ones must be told."
        ) from error
    wanted = {"bind": bind, "ports": asdict(plan)}
    if stored != wanted:
        write_private(path, json.dumps(wanted, indent=2) + "\n")
    return plan


def _secrets(path: Path, agents: list[str], lines: list[str], new_secret: Callable[[], str]) -> Secrets:
    """Read the secrets of one Asterisk, and draw those that are missing."""
    own = (
        "ORIKAESHI_ARI_PASSWORD",
        "ORIKAESHI_AMI_PASSWORD",
        "ORIKAESHI_TRUNK_PASSWORD",
        "ORIKAESHI_WEB_SECRET",
        "ORIKAESHI_NUMBER_KEY",
    )
    accounts = (*agents, *lines)
    found = drawn_secrets(path, {*own, *map(sip_key, accounts)}, new_secret)
    return Secrets(
        ari=found["ORIKAESHI_ARI_PASSWORD"],
        ami=found["ORIKAESHI_AMI_PASSWORD"],
        trunk=found["ORIKAESHI_TRUNK_PASSWORD"],
        sip={name: found[sip_key(name)] for name in accounts},
    )
