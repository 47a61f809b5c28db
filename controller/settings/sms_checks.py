"""What the settings of SMS and of the web pages mean for each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import phonenumbers

from controller.domain.menu import TextBookingLink
from controller.settings.raw import Finding, routes, table, tables, texts
from controller.settings.values import is_sms_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from controller.settings.toml_lines import Path

_PROVIDERS = ("twilio", "vonage", "json_http", "smpp")
_BY_WEB = ("twilio", "vonage", "json_http")
"""Tell of receipts and replies by requests to our address."""


def sms_mistakes(raw: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield (place, message) for each mistake in how [sms], [web] and the rest of the file go together."""
    sms, web = table(raw, "sms"), table(raw, "web")
    is_served = web.get("enabled") is True
    yield from _account(sms)
    yield from _limits(raw, sms)
    yield from _senders(raw, sms, is_served=is_served)
    if is_served and "public_url" not in web:
        yield ("web",), 'needs public_url, the address that links lead to, as "https://callback.example.jp"'
    if not is_served:
        yield from _unserved(raw, sms, web)
    if web.get("open_page") is True:
        yield from _open_page(raw, sms)


def _account(sms: Mapping[str, Any]) -> Iterator[Finding]:
    gateway = sms.get("gateway", "log")
    if gateway in _PROVIDERS and gateway not in sms:
        yield ("sms", "gateway"), f"needs [sms.{gateway}]: the account there"
    for name in _PROVIDERS:
        if name in sms and gateway != name and gateway in ("log", *_PROVIDERS):
            yield ("sms", name), f'is not used: the gateway is "{gateway}"; write gateway = "{name}", or take this away'


def _limits(raw: Mapping[str, Any], sms: Mapping[str, Any]) -> Iterator[Finding]:
    if "max_cost" in sms and not tables(sms, "tariffs"):
        yield ("sms", "max_cost"), "needs [[sms.tariffs]]: an SMS that costs nothing never reaches it"
    seen: set[str] = set()
    for index, tariff in tables(sms, "tariffs"):
        prefix = tariff.get("prefix")
        if isinstance(prefix, str) and prefix in seen:
            yield ("sms", "tariffs", index, "prefix"), f'"{prefix}" stands there twice: one block for each prefix'
        elif isinstance(prefix, str):
            seen.add(prefix)
    dialled = _dialled_countries(raw)
    for index, country in texts(sms, "countries"):
        if country in phonenumbers.SUPPORTED_REGIONS and country not in dialled:
            message = f'no number of "{country}" is dialled: it is not in dialer.countries'
            yield ("sms", "countries", index), message


def _dialled_countries(raw: Mapping[str, Any]) -> set[str]:
    dialer = table(raw, "dialer")
    return {country for _, country in texts(dialer, "countries")} if "countries" in dialer else {"JP"}


def _senders(raw: Mapping[str, Any], sms: Mapping[str, Any], *, is_served: bool) -> Iterator[Finding]:
    """Yield names among numbers: a name takes no replies, and the texts say what can be replied to all or to none."""
    gateway = sms.get("gateway")
    provider = table(sms, "json_http") if gateway == "json_http" else {}
    own = [(index, queue.get("sms_sender")) for index, queue in tables(raw, "queues")]
    senders: list[tuple[Path, Any]] = [(("sms", "sender"), sms.get("sender"))]
    senders += [(("queues", index, "sms_sender"), sender) for index, sender in own]
    named = [(path, one) for path, one in senders if isinstance(one, str) and is_sms_name(one)]
    numbers = [one for _, one in senders if isinstance(one, str) and not is_sms_name(one)]
    takes_replies = gateway == "smpp" or (is_served and gateway in {"twilio", "vonage"}) or "replies" in provider
    for path, sender in named:
        if "replies" in provider or (takes_replies and numbers):
            why = "a name cannot be replied to, and other texts say what can be replied"
            yield path, f'"{sender}": {why}; give a number, or names to all'


def _unserved(raw: Mapping[str, Any], sms: Mapping[str, Any], web: Mapping[str, Any]) -> Iterator[Finding]:
    needs = "needs enabled = true in [web]"
    if web.get("open_page") is True:
        yield ("web", "open_page"), "needs enabled = true"
    provider = table(sms, "json_http")
    for name in ("receipts", "replies", "verification"):
        if name in provider:
            yield ("sms", "json_http", name), f"{needs}: receipts and replies come in by it"
    for path, way in routes(raw).ways:
        if isinstance(way.leads_to, TextBookingLink):
            yield path, f"{needs}: the link leads to its booking page"


def _open_page(raw: Mapping[str, Any], sms: Mapping[str, Any]) -> Iterator[Finding]:
    """Anybody can have codes sent to any number there, at our cost and to the profit of whoever sold the number."""
    if table(sms, "breaker").get("enabled") is False:
        yield ("sms", "breaker", "enabled"), "must be true with web.open_page: strangers can have codes sent to numbers"
    if "max_cost" in sms:
        return
    prefixes = tuple(table(sms, "max_per_prefix"))
    countries = {country for _, country in texts(sms, "countries")} or _dialled_countries(raw)
    for country in sorted(countries & phonenumbers.SUPPORTED_REGIONS):
        code = f"+{phonenumbers.country_code_for_region(country)}"
        if not code.startswith(prefixes or ("-",)):
            yield (
                ("web", "open_page"),
                f'needs a limit on SMS to {country}: sms.max_cost, or sms.max_per_prefix with "{code}"',
            )
