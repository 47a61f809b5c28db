"""The first start of a cluster: several Asterisks behind one door, and a database that the controllers share.

The door is Kamailio, whose part of the configuration (`HOME/kamailio/site/`) is made here too. Each Asterisk has its
own folder in `HOME`, by its name, with its own ports, passwords and agents; the trunk to the telephone network is the
same for all.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Final

from controller.provision.files import drawn_secrets, write_private
from controller.provision.ports import RTP_SPAN, FreePorts
from controller.provision.render import carrier_files, pbx_files
from controller.provision.site import PortPlan, ProvisionError, SipAccount, Site, sip_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

FIRST_CUSTOMER: Final = 9_012_340_001
EVERY_ADDRESS: Final = "0.0.0.0"  # noqa: S104 - refused, not bound
_HEAD: Final = "# Written at every start from cluster.json; do not edit.\n"
_SHARED: Final = (
    "ORIKAESHI_TRUNK_PASSWORD",
    "ORIKAESHI_DOOR_PASSWORD",
    "ORIKAESHI_WEB_SECRET",
    "ORIKAESHI_NUMBER_KEY",
    "ORIKAESHI_DB_PASSWORD",
)


@dataclass(frozen=True)
class Cluster:
    """Several Asterisks as one installation. Passwords stay out of its repr."""

    home: Path
    bind: str
    door_sip: int
    """The port that the telephone company sends calls to."""
    pbxs: tuple[Site, ...]
    members: tuple[str, ...]
    """The controllers, one for each Asterisk and in their order: each has the one of its place as its home."""
    db_password: str = field(repr=False)

    @property
    def door_site(self) -> Path:
        """The folder that becomes `site/` beside `docker/kamailio/kamailio.cfg`."""
        return self.home / "kamailio" / "site"

    @property
    def agents(self) -> tuple[tuple[SipAccount, Site], ...]:
        """Every agent's phone, and the Asterisk that it registers with."""
        return tuple((agent, site) for site in self.pbxs for agent in site.agents)


def provision_cluster(
    home: Path,
    *,
    bind: str = "127.0.0.1",
    pbxs: int = 2,
    agents: int = 2,
    customers: int = 20,
    service_number: str = "0312345678",
    language: str = "ja",
    port_offset: int = 0,
    new_secret: Callable[[], str] = lambda: secrets.token_urlsafe(24),
) -> Cluster:
    """Make, or read again, all that is particular to one cluster, and render its configuration.

    As `controller.provision.provision`; what is kept is `HOME/cluster.json` and `HOME/secrets.env`, and the list of
    carriers that may send calls in, `HOME/kamailio/site/carriers.list`, which is made once and the admin's after that.

    Args:
        home: folder of the cluster; made with mode 0700 when it is missing.
        bind: the IPv4 address of the door and of every Asterisk; one in particular, as it stands in SIP messages.
        pbxs: number of Asterisks, `pbx-1` and up, with as many controllers, `controller-1` and up.
        agents: number of agents' phones at each of them, numbered through.
        customers, service_number, language, port_offset, new_secret: as there.

    Raises:
        ProvisionError: as there; or the folder is that of a single Asterisk.
    """
    if bind == EVERY_ADDRESS:
        raise ProvisionError("a cluster needs one address of this machine (see: ip -4 address), not 0.0.0.0")
    if (home / "site.json").exists():
        raise ProvisionError(f"{home} is the folder of a single Asterisk (it has a site.json); choose another one")
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        names = [f"pbx-{number}" for number in range(1, pbxs + 1)]
        door_sip, ports = _ports(home / "cluster.json", bind, names, port_offset)
        phones = [f"agent-{number}" for number in range(1, pbxs * agents + 1)]
        lines = [f"0{FIRST_CUSTOMER + number}" for number in range(customers)]
        keys = {*_SHARED, *map(sip_key, (*phones, *lines))}
        keys |= {_own(kind, name) for name in names for kind in ("ARI", "AMI")}
        drawn = drawn_secrets(home / "secrets.env", keys, new_secret)
        sites = tuple(
            Site(
                home=home,
                bind=bind,
                ports=ports[name],
                service_number=service_number,
                language=language,
                ari_password=drawn[_own("ARI", name)],
                ami_password=drawn[_own("AMI", name)],
                trunk_password=drawn["ORIKAESHI_TRUNK_PASSWORD"],
                agents=tuple(
                    SipAccount(one, drawn[sip_key(one)]) for one in phones[place * agents : (place + 1) * agents]
                ),
                customers=tuple(SipAccount(line, drawn[sip_key(line)]) for line in lines),
                name=name,
                door_sip=door_sip,
                door_password=drawn["ORIKAESHI_DOOR_PASSWORD"],
            )
            for place, name in enumerate(names)
        )
        members = tuple(f"controller-{number}" for number in range(1, pbxs + 1))
        cluster = Cluster(home, bind, door_sip, sites, members, drawn["ORIKAESHI_DB_PASSWORD"])
        _write(cluster)
    except OSError as error:
        raise ProvisionError(
            f"cannot write {error.filename or home}: {error.strerror}. "
            "The cluster's folder must belong to the user who starts Orikaeshi, on a disc with room."
        ) from error
    return cluster


def door_files(cluster: Cluster) -> Mapping[str, str]:
    """File name to content, for the folder `site/` of Kamailio; without the list of carriers."""
    host = cluster.pbxs[0].host
    targets = "".join(f"1 sip:{host}:{site.ports.sip} 0 0 name={site.name}\n" for site in cluster.pbxs)
    return {
        "site.cfg": f"{_HEAD}listen=udp:{cluster.bind}:{cluster.door_sip}\n",
        "dispatcher.list": f"{_HEAD}# set, address, flags, priority, attributes\n{targets}",
    }


def _carriers(cluster: Cluster) -> str:
    first = cluster.pbxs[0]
    return (
        "# Who may send calls in: group 1, address, bits of the network, port (0: any), a name. Made once, and yours\n"
        "# from then on. The simulated telephone network, until your carrier's signalling addresses stand here:\n"
        f"1 {first.host} 32 {first.ports.carrier_sip} simulated\n"
    )


def _write(cluster: Cluster) -> None:
    first, *more = cluster.pbxs
    folders: dict[Path, Mapping[str, str]] = {site.pbx_site: pbx_files(site) for site in cluster.pbxs}
    folders[first.carrier_site] = carrier_files(first, *more)
    folders[cluster.door_site] = door_files(cluster)
    folders[cluster.home / "postgres"] = {"password": cluster.db_password}
    for folder, files in folders.items():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, text in files.items():
            # Whoever only looks, as another user, must not take a file away from those who run on it.
            if not _says(folder / name, text):
                write_private(folder / name, text)
    if not (cluster.door_site / "carriers.list").exists():
        write_private(cluster.door_site / "carriers.list", _carriers(cluster))


def _says(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8", errors="replace") == text


def _own(kind: str, name: str) -> str:
    """Return under which name the password of one Asterisk stands, as the controller reads it."""
    return f"ORIKAESHI_{kind}_PASSWORD_{name.upper().replace('-', '_')}"


def _ports(path: Path, bind: str, names: list[str], offset: int) -> tuple[int, dict[str, PortPlan]]:
    """Return the door's port and each Asterisk's, as chosen at the first start; those that lack one get it now."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        door, plans = int(stored["door_sip"]), {name: PortPlan(**one) for name, one in stored["pbx"].items()}
    except FileNotFoundError:
        stored, door, plans = None, 0, {}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProvisionError(
            f"{path} is damaged ({error}). Mend it, or delete it: then free ports are chosen anew, "
            "and the telephone company and phones that were set up with the old ones must be told."
        ) from error
    missing = [name for name in names if name not in plans]
    if missing or not door:
        free = FreePorts(bind, offset)
        free.keep([door])
        for plan in plans.values():
            free.keep([plan.sip, plan.ari, plan.ami, plan.carrier_sip])
            free.keep(range(plan.pbx_rtp_first, plan.pbx_rtp_last + 1))
            free.keep(range(plan.carrier_rtp_first, plan.carrier_rtp_last + 1))
        door = door or free.take(5060)
        shared = next(iter(plans.values()), None)
        for name in missing:
            plans[name] = shared = _plan(free, shared)
    kept = {name: plans[name] for name in names}
    wanted = {"bind": bind, "door_sip": door, "pbx": {name: asdict(plan) for name, plan in plans.items()}}
    if stored != wanted:
        write_private(path, json.dumps(wanted, indent=2) + "\n")
    return door, kept


def _plan(free: FreePorts, shared: PortPlan | None) -> PortPlan:
    """Choose the ports of one more Asterisk; those of the simulated network are the same for all."""
    carrier_sip = shared.carrier_sip if shared else free.take(5070)
    carrier_rtp = shared.carrier_rtp_first if shared else free.take(18_000, span=RTP_SPAN)
    return PortPlan(
        sip=free.take(5060),
        ari=free.take(8088),
        ami=free.take(5038),
        carrier_sip=carrier_sip,
        pbx_rtp_first=(rtp := free.take(18_000, span=RTP_SPAN)),
        pbx_rtp_last=rtp + RTP_SPAN - 1,
        carrier_rtp_first=carrier_rtp,
        carrier_rtp_last=carrier_rtp + RTP_SPAN - 1,
    )
