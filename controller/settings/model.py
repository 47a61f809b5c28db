"""The settings, as frozen values. Units are in the names; what may stand where is checked when the file is read."""

import re
from datetime import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

import phonenumbers
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationInfo

from controller.domain.gate import CallingHours, Gate
from controller.domain.outcome import Outcome
from controller.domain.phone_number import NumberPlan
from controller.domain.retry_policy import RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Mapping
from controller.settings.mistakes import nearest

LANGUAGES = ("ja", "en")
"""The languages that prompts and messages exist in."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)
_NUMBER = re.compile(r"\+?[0-9]{3,20}", re.ASCII)
_DIALLED = re.compile(r"\+?[0-9]{1,20}", re.ASCII)
_PREFIX = re.compile(r"\+[0-9]{1,15}", re.ASCII)
_HOURS = re.compile(r"([0-9]{2}):([0-9]{2})-([0-9]{2}):([0-9]{2})", re.ASCII)
_SQLITE = "sqlite+aiosqlite:///"
_LONGEST_GAP_S = 7 * 24 * 3600.0


def _name(text: str) -> str:
    # Names go into dial strings and URIs: letters that mean something there cannot be let in.
    if not _NAME.fullmatch(text):
        raise ValueError("must be 1 to 64 letters, digits, '-', '_' or '.', and begin with a letter or digit")
    return text


def _title(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("must be a name that can be read aloud, on one line")
    return text.strip()


def _phone_number(text: str) -> str:
    if not _NUMBER.fullmatch(text):
        raise ValueError('must be a phone number: 3 to 20 digits, with + in front if international, as "0312345678"')
    return text


def _dialled(text: str) -> str:
    if not _DIALLED.fullmatch(text):
        raise ValueError('must be a number as the trunk sends it: digits, with or without + in front, as "0312345678"')
    return text


def _prefix(text: str) -> str:
    if not _PREFIX.fullmatch(text):
        raise ValueError('must be the beginning of an international number, as "+81990"')
    return text


def _country(text: str) -> str:
    if text not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(f'must be the two capital letters of a country (ISO 3166), as "JP", not "{text[:20]}"')
    return text


def _hours(text: str) -> str:
    parse_hours(text)
    return text


def parse_hours(text: str) -> tuple[time, time]:
    """Return opening and closing time of `09:00-20:00`; `24:00` closes at midnight. Raises ValueError, for a person."""
    found = _HOURS.fullmatch(text)
    if not found:
        raise ValueError(f'must be two times of day, as "09:00-20:00", not "{text[:40]}"')
    first_h, first_min, last_h, last_min = map(int, found.groups())
    if (last_h, last_min) == (24, 0):
        last_h = 0
        if (first_h, first_min) == (0, 0):
            return time(0), time(0)
    try:
        opens, closes = time(first_h, first_min), time(last_h, last_min)
    except ValueError:
        raise ValueError(f'must be times between 00:00 and 24:00, not "{text}"') from None
    if opens == closes:
        raise ValueError('opens and closes at the same time; write "00:00-24:00" for around the clock')
    return opens, closes


def _time_zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError; "Asia" is a folder
        hint = nearest(text, available_timezones())
        raise ValueError(f'must be a time zone as "Asia/Tokyo", not "{text[:60]}"{hint}') from None
    return text


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


def _host(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9.:_-]{1,255}", text, re.ASCII):
        raise ValueError('must be a host name or address, as "127.0.0.1"')
    return text


def _store_url(text: str, info: ValidationInfo) -> str:
    if not text.startswith(_SQLITE) or "?" in text:
        raise ValueError(f'must be a SQLite file, as "{_SQLITE}orikaeshi.db", not "{text.partition(":")[0][:40]}:..."')
    file_name = text.removeprefix(_SQLITE)
    if not file_name or ":memory:" in file_name:
        raise ValueError("must name a file: a promise in memory is lost at the first restart")
    return f"{_SQLITE}{_folder(info) / file_name}"


def _file(text: object, info: ValidationInfo) -> object:
    if text == "":
        raise ValueError("must name a file")
    return _folder(info) / text if isinstance(text, str | Path) else text


def _log_file(text: object, info: ValidationInfo) -> object:
    return None if text in {"", None} else _file(text, info)


def _folder(info: ValidationInfo) -> Path:
    context: Mapping[str, Path] = info.context or {}
    return context["folder"]


Name = Annotated[str, AfterValidator(_name)]
Title = Annotated[str, AfterValidator(_title)]
Seconds = Annotated[float, Field(ge=0, le=24 * 3600, allow_inf_nan=False)]
RingSeconds = Annotated[float, Field(gt=0, le=300, allow_inf_nan=False)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Asterisk(_Section):
    """Where the PBX is. Its passwords are in `Settings.secrets`."""

    url: Annotated[str, AfterValidator(_ari_url)] = "http://127.0.0.1:8088"
    app: Name = "orikaeshi"
    ari_username: Name = "orikaeshi"
    ami_host: Annotated[str, AfterValidator(_host)] = "127.0.0.1"
    ami_port: Annotated[int, Field(ge=1, le=65535)] = 5038
    ami_username: Name = "orikaeshi"


class Store(_Section):
    """The database."""

    url: Annotated[str, AfterValidator(_store_url), Field(validate_default=True)] = f"{_SQLITE}orikaeshi.db"
    """Absolute once loaded: what the file says counts from the file's own folder."""

    @property
    def path(self) -> Path:
        """The database file."""
        return Path(self.url.removeprefix(_SQLITE))


class Sms(_Section):
    """How text messages leave."""

    gateway: Literal["log"] = "log"
    outbox_path: Annotated[Path, BeforeValidator(_file), Field(validate_default=True)] = Path("sms-outbox.jsonl")
    retry_limit: Annotated[int, Field(ge=1, le=100)] = 5


class Dialer(_Section):
    """Which numbers are dialled, how, and when."""

    trunk: Name
    """Name of the PJSIP endpoint that leads to the telephone network."""
    caller_id: Annotated[str, AfterValidator(_phone_number)]
    number_format: Literal["national", "e164"] = "national"
    home_country: Annotated[str, AfterValidator(_country)] = "JP"
    countries: Annotated[tuple[Annotated[str, AfterValidator(_country)], ...], Field(min_length=1)] = ("JP",)
    denied_prefixes: tuple[Annotated[str, AfterValidator(_prefix)], ...] = ()
    calling_hours: Annotated[str, AfterValidator(_hours)] = "09:00-20:00"
    time_zone: Annotated[str, AfterValidator(_time_zone)] = "Asia/Tokyo"
    max_concurrent_calls: Annotated[int, Field(ge=1, le=1000)] = 10


class Log(_Section):
    """Where the controller's own log goes."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    path: Annotated[Path | None, BeforeValidator(_log_file), Field(validate_default=True)] = None
    """None means stderr."""


class Queue(_Section):
    """One service that callers wait for."""

    name: Name
    title_ja: Title
    title_en: Title
    dialled_numbers: Annotated[tuple[Annotated[str, AfterValidator(_dialled)], ...], Field(min_length=1)]
    language: Literal["ja", "en"] = "ja"
    reminder_interval_s: Annotated[float, Field(ge=1, le=3600, allow_inf_nan=False)] = 30
    agent_ring_timeout_s: RingSeconds = 20
    customer_ring_timeout_s: RingSeconds = 30
    wrap_up_s: Seconds = 10
    missed_pause_s: Seconds = 30
    max_attempts: Annotated[int, Field(ge=1, le=20)] = 3
    promise_lifetime_h: Annotated[float, Field(gt=0, le=30 * 24, allow_inf_nan=False)] = 24
    retry_gap_s: dict[str, Annotated[float, Field(ge=0, le=_LONGEST_GAP_S, allow_inf_nan=False)]] = Field(
        default_factory=dict
    )
    """Own waits before the next attempt, by outcome (`controller.domain.outcome.Outcome`)."""

    @property
    def titles(self) -> dict[str, str]:
        """The name that callers know, by language."""
        return {"ja": self.title_ja, "en": self.title_en}

    @property
    def retry_policy(self) -> RetryPolicy:
        """Attempts and gaps, as the domain counts them (all in seconds)."""
        gaps = {Outcome(name): gap_s for name, gap_s in self.retry_gap_s.items()}
        return RetryPolicy(max_attempts=self.max_attempts, gap_s=gaps, lifetime_s=self.promise_lifetime_h * 3600)


class AgentPhone(_Section):
    """One agent and the phone that rings for them."""

    name: Name
    endpoint: Name
    """Name of the PJSIP endpoint."""
    queues: Annotated[tuple[str, ...], Field(min_length=1)]


class Secrets(_Section):
    """From the environment alone."""

    ari_password: SecretStr
    ami_password: SecretStr


class Settings(_Section):
    """Everything the controller is told. Paths are absolute."""

    asterisk: Asterisk
    store: Store
    sms: Sms
    dialer: Dialer
    log: Log
    queues: Annotated[tuple[Queue, ...], Field(min_length=1)]
    agents: Annotated[tuple[AgentPhone, ...], Field(min_length=1)]
    secrets: Secrets

    @property
    def gate(self) -> Gate:
        """Which numbers may be dialled, and when."""
        opens, closes = parse_hours(self.dialer.calling_hours)
        plan = NumberPlan(
            home=self.dialer.home_country,
            countries=frozenset(self.dialer.countries),
            denied_prefixes=self.dialer.denied_prefixes,
        )
        return Gate(plan=plan, hours=CallingHours(opens=opens, closes=closes, zone=ZoneInfo(self.dialer.time_zone)))

    @property
    def retry_policies(self) -> dict[str, RetryPolicy]:
        """The retry policy of each queue, by its name."""
        return {queue.name: queue.retry_policy for queue in self.queues}
