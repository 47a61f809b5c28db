"""What one site is: its ports, addresses, accounts and secrets, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class ProvisionError(Exception):
    """The site cannot be set up; the message says what happened, where, and what to do."""


CONTROL_HOST: Final = "127.0.0.1"
"""Where ARI and AMI listen, whatever phones are let in from: they are unencrypted, and rule the PBX."""


@dataclass(frozen=True)
class SipAccount:
    """A SIP user name and its password."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Secrets:
    """Every password of a site; `sip` maps a SIP user name to its password."""

    ari: str = field(repr=False)
    ami: str = field(repr=False)
    trunk: str = field(repr=False)
    sip: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class PortPlan:
    """The ports of a site; each is free for UDP and TCP when chosen. RTP ranges are inclusive."""

    sip: int
    ari: int
    ami: int
    carrier_sip: int
    pbx_rtp_first: int
    pbx_rtp_last: int
    carrier_rtp_first: int
    carrier_rtp_last: int


@dataclass(frozen=True)
class Site:
    """One Asterisk: where it lives, what it listens on, who may log in. Passwords stay out of its repr."""

    home: Path
    bind: str
    ports: PortPlan
    service_number: str
    language: str
    ari_password: str = field(repr=False)
    ami_password: str = field(repr=False)
    trunk_password: str = field(repr=False)
    agents: tuple[SipAccount, ...]
    customers: tuple[SipAccount, ...]

    ari_user: str = "orikaeshi"
    ami_user: str = "orikaeshi"
    trunk: str = "carrier"
    """The PJSIP endpoint of the trunk: dial `PJSIP/NUMBER@carrier`."""
    name: str = "pbx"
    """Its folder in `home`, and the user name by which it proves on the trunk who it is."""
    door_sip: int | None = None
    """Where callers come in who are shared out among several; None: they come straight here."""
    door_password: str = field(default="", repr=False)
    """Of the account by which the program at that door asks whether we live. It is told to nobody."""

    @property
    def host(self) -> str:
        """An address at which this machine reaches the PBX."""
        return "127.0.0.1" if self.bind == "0.0.0.0" else self.bind  # noqa: S104  compared, not bound

    @property
    def ari_url(self) -> str:
        """Where ARI answers, without a trailing slash: `http://HOST:PORT/ari`."""
        return f"http://{CONTROL_HOST}:{self.ports.ari}/ari"

    @property
    def pbx_site(self) -> Path:
        """The folder that becomes `site/` beside `asterisk-conf/`."""
        return self.home / self.name / "site"

    @property
    def carrier_site(self) -> Path:
        """The folder that becomes `site/` beside `lab/carrier-conf/`."""
        return self.home / "carrier" / "site"


def sip_key(account: str) -> str:
    """Return under which name a SIP account's password stands in secrets.env."""
    return f"ORIKAESHI_SIP_{account.upper().replace('-', '_')}_PASSWORD"
