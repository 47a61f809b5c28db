"""What one setting may be: each kind of value with its check, and with words for a person when it is none."""

import re
from datetime import date, time
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

import phonenumbers
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo

from controller.domain.opening_hours import Span
from controller.settings.mistakes import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

LANGUAGES = ("ja", "en")
"""The languages that prompts and messages are shipped in; an admin can add others."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)
_PROMPT = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}", re.ASCII)
_LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Z]{2})?", re.ASCII)
_NUMBER = re.compile(r"\+?[0-9]{3,20}", re.ASCII)
_DIALLED = re.compile(r"\+?[0-9]{1,20}", re.ASCII)
_PREFIX = re.compile(r"\+[0-9]{1,15}", re.ASCII)
_HOURS = re.compile(r"([0-9]{2}):([0-9]{2})-([0-9]{2}):([0-9]{2})", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_ACCOUNT = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_ALPHANUMERIC = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9][A-Za-z0-9 ._&-]{0,10}", re.ASCII)
"""A sender's name: 11 characters of the GSM alphabet at most (3GPP TS 23.040 section 9.1.2.5)."""
_MIDNIGHT = time(0)
_AROUND_THE_CLOCK = 'write "00:00-24:00" for around the clock'


class Section(BaseModel):
    """A table of the settings: nothing can be changed in it, and it has no keys that are not known."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def name(text: str) -> str:
    """Return a name. They go into dial strings and URIs: letters that mean something there cannot be let in."""
    if not _NAME.fullmatch(text):
        raise ValueError("must be 1 to 64 letters, digits, '-', '_' or '.', and begin with a letter or digit")
    return text


def _title(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("must be a name that can be read aloud, on one line")
    return text.strip()


def prompt(text: str) -> str:
    """Return the id of a prompt. Raises ValueError, for a person."""
    if not _PROMPT.fullmatch(text):
        raise ValueError(
            "must be the id of a prompt, as in asterisk-conf/prompts/catalogue.tsv: small letters, digits, '-' and '_'"
        )
    return text


def language(text: str) -> str:
    """Return the code of a language. Raises ValueError, for a person."""
    if not _LANGUAGE.fullmatch(text):
        raise ValueError(f'must be the code of a language, as "ja", "en" or "zh_TW", not "{text[:20]}"')
    return text


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
    """Return opening and closing time of `09:00-20:00`; `24:00` closes at midnight, and hours may pass midnight.

    Around the clock is midnight twice. Raises ValueError, for a person.
    """
    opens, closes, is_whole_day = _two_times(text)
    if opens == closes and not is_whole_day:
        raise ValueError(f"opens and closes at the same time; {_AROUND_THE_CLOCK}")
    return opens, closes


def parse_span(text: str) -> Span:
    """Return the hours `09:00-12:00` of one day; `24:00` is its end. Raises ValueError, for a person."""
    opens, closes, is_whole_day = _two_times(text)
    if opens == closes and not is_whole_day:
        raise ValueError(f"opens and closes at the same time; {_AROUND_THE_CLOCK}")
    if closes < opens and closes != _MIDNIGHT:
        late, early = f"{opens:%H:%M}-24:00", f"00:00-{closes:%H:%M}"
        raise ValueError(
            f'closes before it opens; for hours past midnight write "{late}" here and "{early}" on the next day'
        )
    return Span(opens, closes)


def _two_times(text: str) -> tuple[time, time, bool]:
    """Return both times, and whether they are 00:00 and 24:00."""
    found = _HOURS.fullmatch(text)
    if not found:
        raise ValueError(f'must be two times of day, as "09:00-20:00", not "{text[:40]}"')
    first_h, first_min, last_h, last_min = map(int, found.groups())
    is_to_midnight = (last_h, last_min) == (24, 0)
    try:
        opens, closes = time(first_h, first_min), time(0 if is_to_midnight else last_h, last_min)
    except ValueError:
        raise ValueError(f'must be times between 00:00 and 24:00, not "{text}"') from None
    return opens, closes, is_to_midnight and opens == _MIDNIGHT


def _span(text: str) -> str:
    parse_span(text)
    return text


def parse_date(text: str) -> date:
    """Return the day `2026-12-31`. Raises ValueError, for a person."""
    if not _DATE.fullmatch(text):
        raise ValueError(f'must be a date, as "2026-12-31", not "{text[:20]}"')
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text} is a day that does not exist") from None


def _date(text: str) -> str:
    parse_date(text)
    return text


def _time_zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError; "Asia" is a folder
        hint = nearest(text, available_timezones())
        raise ValueError(f'must be a time zone as "Asia/Tokyo", not "{text[:60]}"{hint}') from None
    return text


def _host(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9.:_-]{1,255}", text, re.ASCII):
        raise ValueError('must be a host name or address, as "127.0.0.1"')
    return text


def _network(text: str) -> str:
    try:
        ip_network(text)
    except ValueError:
        raise ValueError(f'must be a network or an address, as "192.0.2.0/24", not "{text[:60]}"') from None
    return text


def sms_sender(text: str) -> str:
    """Return who an SMS comes from: a number, or a name. Raises ValueError, for a person."""
    if not (_NUMBER.fullmatch(text) or _ALPHANUMERIC.fullmatch(text)):
        raise ValueError('must be a phone number, or a name of up to 11 Latin letters and digits, as "Example"')
    return text


def is_sms_name(sender: str) -> bool:
    """Tell whether a sender is a name, which nobody can reply to."""
    return _ALPHANUMERIC.fullmatch(sender) is not None


def folder_of(info: ValidationInfo) -> Path:
    """Return the folder of the settings file."""
    context: Mapping[str, Path] = info.context or {}
    return context["folder"]


def file_beside(text: object, info: ValidationInfo) -> object:
    """Return a path, which counts from the settings file's folder. Raises ValueError, for a person."""
    if text == "":
        raise ValueError("must name a file")
    return folder_of(info) / text if isinstance(text, str | Path) else text


def _account_word(text: str) -> str:
    if not _ACCOUNT.fullmatch(text):
        raise ValueError("must be as the provider shows it: letters, digits, '-' and '_'")
    return text


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, where what goes by unencrypted is nobody else's to hear."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _provider_url(text: str) -> str:
    return _web_address(text, example="https://sms.example.jp/v1/messages")


def _public_url(text: str) -> str:
    address = _web_address(text, example="https://callback.example.jp").rstrip("/")
    if urlsplit(address).path or "?" in address:
        raise ValueError('must end after the host or port, as "https://callback.example.jp": links have paths of ours')
    return address


def _web_address(text: str, *, example: str) -> str:
    """Return an address that requests can go to: https, or http to this machine."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", 0, urlsplit("")
    is_plain = text.isascii() and text.isprintable() and " " not in text and "#" not in text
    if parts.scheme not in {"http", "https"} or not host or port == 0 or not is_plain:
        raise ValueError(f'must be an address, as "{example}", not "{text[:80]}"')
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a name or password")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError(f'must begin with https://, as "{example}": what goes there must not be read on its way')
    return text


def _page_url(text: str) -> str:
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme != "https" or not parts.hostname or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError(
            f'must be an address that begins with https://, as "https://example.jp/hours", not "{text[:80]}"'
        )
    if parts.username or parts.password:
        raise ValueError("must not hold a name or password: it goes to callers as it is")
    return text


Name = Annotated[str, AfterValidator(name)]
Title = Annotated[str, AfterValidator(_title)]
Prompt = Annotated[str, AfterValidator(prompt)]
Language = Annotated[str, AfterValidator(language)]
PhoneNumber = Annotated[str, AfterValidator(_phone_number)]
DialledNumber = Annotated[str, AfterValidator(_dialled)]
Prefix = Annotated[str, AfterValidator(_prefix)]
Country = Annotated[str, AfterValidator(_country)]
Hours = Annotated[str, AfterValidator(_hours)]
DaySpan = Annotated[str, AfterValidator(_span)]
Day = Annotated[str, AfterValidator(_date)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
Host = Annotated[str, AfterValidator(_host)]
Network = Annotated[str, AfterValidator(_network)]
AccountWord = Annotated[str, AfterValidator(_account_word)]
ProviderUrl = Annotated[str, AfterValidator(_provider_url)]
PublicUrl = Annotated[str, AfterValidator(_public_url)]
SmsSender = Annotated[str, AfterValidator(sms_sender)]
PageUrl = Annotated[str, AfterValidator(_page_url)]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(ge=0, le=24 * 3600, allow_inf_nan=False)]
RingSeconds = Annotated[float, Field(gt=0, le=300, allow_inf_nan=False)]
LimitSeconds = Annotated[float, Field(ge=1, le=24 * 3600, allow_inf_nan=False)]
