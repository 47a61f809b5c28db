"""The sections of the settings that stand once: the PBX, the database, the dialer, the line, agents, the log."""

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationInfo

from controller.domain.line import DEFAULT_MAX_PASSES
from controller.domain.promise import DEFAULT_PBX
from controller.settings.calling import Calling
from controller.settings.database import SQLITE, database_address, is_server
from controller.settings.trunks import DEFAULT_CALLS_PER_S, CallsPerSecond
from controller.settings.values import (
    Country,
    Host,
    Hours,
    Name,
    Network,
    PhoneNumber,
    Port,
    Prefix,
    Section,
    TimeZone,
    file_beside,
    folder_of,
)


def _ari_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError('must be an address as "http://127.0.0.1:8088"') from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or port == 0:
        raise ValueError(f'must be an address as "http://127.0.0.1:8088", not "{text[:80]}"')
    if parts.username or parts.password:
        raise ValueError("must not hold a password: it belongs in the environment, ORIKAESHI_ARI_PASSWORD")
    return text.rstrip("/")


def _store_url(text: str, info: ValidationInfo) -> str:
    return database_address(text, folder_of(info))


def _log_file(text: object, info: ValidationInfo) -> object:
    return None if text in {"", None} else file_beside(text, info)


class Asterisk(Section):
    """Where a PBX is. Its passwords are in `Settings.secrets`."""

    name: Name = DEFAULT_PBX
    """What the database, the log and people call it."""
    home: Name | None = None
    """The member that works for it whenever that member lives; None: whoever comes first."""
    url: Annotated[str, AfterValidator(_ari_url)] = "http://127.0.0.1:8088"
    app: Name = "orikaeshi"
    ari_username: Name = "orikaeshi"
    ami_host: Host = "127.0.0.1"
    ami_port: Port = 5038
    ami_username: Name = "orikaeshi"


class Store(Section):
    """The database: a file, or a server whose password is in `Settings.secrets`."""

    url: Annotated[str, AfterValidator(_store_url), Field(validate_default=True)] = f"{SQLITE}orikaeshi.db"
    """May be shown. A file's is absolute once loaded: what the settings say counts from their own folder."""

    @property
    def path(self) -> Path | None:
        """The database file; None for a server."""
        return None if is_server(self.url) else Path(self.url.removeprefix(SQLITE))


class Dialer(Calling):
    """Which numbers are dialled, how, and when."""

    trunk: Name | None = None
    """Name of the PJSIP endpoint that leads to the telephone network; None where [[trunks]] are listed."""
    caller_id: PhoneNumber
    number_format: Literal["national", "e164"] = "national"
    calls_per_s: CallsPerSecond = DEFAULT_CALLS_PER_S
    home_country: Country = "JP"
    countries: Annotated[tuple[Country, ...], Field(min_length=1)] = ("JP",)
    denied_prefixes: tuple[Prefix, ...] = ()
    calling_hours: Hours = "09:00-20:00"
    time_zone: TimeZone = "Asia/Tokyo"
    max_concurrent_calls: Annotated[int, Field(ge=1, le=1000)] = 10
    lease_s: Annotated[float, Field(ge=1, le=60, allow_inf_nan=False)] = 3
    """How long a controller that does not answer keeps another from taking its place."""
    dry_run: bool = False
    """Do everything but the call: no phone of an agent or a customer rings for a callback."""


class Line(Section):
    """In which order those who wait are served."""

    max_passes: Annotated[int, Field(ge=0, le=1000)] = DEFAULT_MAX_PASSES
    """How often one who waits may be passed by somebody who came later, as an urgent caller does; 0: never."""
    allow_listening: bool = False
    """A supervisor may hear a talk as it goes on; nobody tells the parties. Whether that is lawful the admin knows."""


class AgentsByPhone(Section):
    """How agents come on duty."""

    sign_in: Literal["registered", "pin"] = "registered"


class Agi(Section):
    """The service for dialplans that exist already (FastAGI)."""

    enabled: bool = False
    host: Host = "127.0.0.1"
    port: Port = 4573
    allowed: Annotated[tuple[Network, ...], Field(min_length=1)] = ("127.0.0.0/8", "::1/128")
    """Whose calls are taken: AGI knows no password."""


class Health(Section):
    """A page for whoever watches over the process: does it live, has it work. It says nothing of callers."""

    enabled: bool = False
    host: Host = "127.0.0.1"
    port: Port = 8081
    metrics: bool = False
    """Figures for Prometheus, on the same port."""
    metrics_agents: bool = False
    """With the names of agents."""


class Callers(Section):
    """What is kept about callers beyond a call."""

    remember_language: bool = True


class Log(Section):
    """Where the controller's own log goes."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    path: Annotated[Path | None, BeforeValidator(_log_file), Field(validate_default=True)] = None
    """None means stderr."""


class AgentPhone(Section):
    """One agent and the phone that rings for them."""

    name: Name
    endpoint: Name
    """Name of the PJSIP endpoint."""
    asterisk: Name | None = None
    """The Asterisk at which the phone is registered; None: the first."""
    queues: Annotated[tuple[str, ...], Field(min_length=1)]


class Secrets(Section):
    """From the environment alone."""

    ari_password: SecretStr
    """For each Asterisk that has none of its own in `ari_passwords`; the next two are the same for AMI."""
    ari_passwords: dict[str, SecretStr]
    """By the name of the Asterisk."""
    ami_password: SecretStr
    ami_passwords: dict[str, SecretStr]
    db: SecretStr
    """Of the database server; empty for a file, and where the server needs none."""
    sms: SecretStr
    """The provider's auth token, API secret or password; empty where none is needed. So are the next two."""
    sms_webhook: SecretStr
    """What the provider signs with, where that is another."""
    web: SecretStr
    """What links and codes are signed with."""
    hooks: dict[str, SecretStr] = Field(default_factory=dict)
    """What the events of each hook are signed with, by its name."""
    number_key: SecretStr = SecretStr("")
    """What the do-not-call list is hashed with; empty: it is kept in clear."""
