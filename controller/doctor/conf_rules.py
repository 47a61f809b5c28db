"""Dangerous settings in Asterisk's configuration files, and what to write instead."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from controller.doctor.asterisk_conf import Conf, ConfError, read_conf
from controller.doctor.findings import Finding, Level, fault, ok, warning
from controller.doctor.passwords import weakness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from controller.doctor.asterisk_conf import Section
    from controller.settings import Asterisk

SHORTEST_WRITE_TIMEOUT_MS = 10_000
"""Asterisk cuts off a controller that did not read for this long; its default of 100 ms loses calls."""

CONTEXTS = (
    "from-trunk", "from-agents", "orikaeshi-agent", "orikaeshi-customer", "orikaeshi-external", "orikaeshi-fallback",
)  # fmt: skip
"""The dialplan contexts that the controller relies on (extensions.conf)."""

_NEVER_OURS = ("command", "originate", "config", "all")
_POWERFUL = (*_NEVER_OURS, "system")


def check_conf(folders: tuple[Path, ...], asterisk: Asterisk) -> list[Finding]:
    """Return what the files in `folders` (Asterisk's configuration, then the site's own) say; every rule once."""
    rules: tuple[tuple[str, Callable[[Conf, Asterisk], Iterator[Finding]]], ...] = (
        ("asterisk.conf", _asterisk_conf),
        ("http.conf", _http_conf),
        ("ari.conf", _ari_conf),
        ("manager.conf", _manager_conf),
        ("extensions.conf", _extensions_conf),
        ("logger.conf", _logger_conf),
    )
    findings: list[Finding] = []
    for name, rule in rules:
        try:
            conf = read_conf(folders, name)
        except ConfError as error:
            findings.append(fault(name, str(error), "mend the file; Asterisk refuses or misreads it too"))
            continue
        if conf is None:
            findings.append(
                fault(name, f"not in {folders[0]}", "give the folder with Asterisk's files: --asterisk-conf DIR")
            )
            continue
        # A rule tells what is wrong; a file with nothing wrong gets one line.
        found = list(rule(conf, asterisk))
        findings += found or [ok(name, "nothing dangerous in it")]
    return findings


def _asterisk_conf(conf: Conf, _: Asterisk) -> Iterator[Finding]:
    options = conf.section("options")
    if options.is_true("live_dangerously"):
        yield fault(
            "asterisk.conf",
            "live_dangerously is on: ARI and AMI can read and write files and run programs",
            "write live_dangerously = no in [options] and restart Asterisk",
        )
    if options.is_true("execincludes"):
        yield warning(
            "asterisk.conf", "execincludes is on: #exec runs programs", "write execincludes = no in [options]"
        )


def _http_conf(conf: Conf, _: Asterisk) -> Iterator[Finding]:
    general = conf.section("general")
    if not general.is_true("enabled"):
        yield fault("http.conf", "the web server that carries ARI is off", "write enabled = yes in [general]")
    bind = general.get("bindaddr")
    if not bind:
        yield fault(
            "http.conf", "no bindaddr: the web server does not start", "write bindaddr = 127.0.0.1 in [general]"
        )
    elif not _is_loopback(bind):
        yield fault(
            "http.conf",
            f"ARI listens on {bind} without TLS: passwords and calls can be read and steered from the network",
            "write bindaddr = 127.0.0.1; for a controller on another machine use a private network or a TLS proxy",
        )
    for key in ("enable_static", "enable_status"):
        if general.is_true(key):
            yield warning("http.conf", f"{key} is on: it shows more than ARI needs", f"write {key} = no in [general]")


def _ari_conf(conf: Conf, asterisk: Asterisk) -> Iterator[Finding]:
    general = conf.section("general")
    if not general.is_true("enabled", default=True):
        yield fault("ari.conf", "ARI is off", "write enabled = yes in [general]")
    yield from _write_timeout(general)
    if "*" in [origin.strip() for origin in general.get("allowed_origins").split(",")]:
        yield fault(
            "ari.conf",
            "allowed_origins = *: any web page that an administrator opens can call ARI",
            "delete allowed_origins; no browser has business with ARI",
        )
    for section in conf.others("general"):
        if section.get("type") == "outbound_websocket":
            yield from _outbound_websocket(section, asterisk)
        elif section.get("type", "user") == "user":
            yield from _ari_user(section, asterisk)
    if not conf.has(asterisk.ari_username):
        yield fault(
            "ari.conf",
            f"no user [{asterisk.ari_username}]",
            "add it, or set asterisk.ari_username to one that is there",
        )


def _write_timeout(general: Section) -> Iterator[Finding]:
    text = general.get("websocket_write_timeout", "100")
    timeout_ms = int(text) if text.isdecimal() else 0
    if timeout_ms < SHORTEST_WRITE_TIMEOUT_MS:
        yield fault(
            "ari.conf",
            f"websocket_write_timeout is {text} ms: a controller that stalls briefly is cut off and calls are rejected",
            f"write websocket_write_timeout = {SHORTEST_WRITE_TIMEOUT_MS} in [general]",
        )


def _outbound_websocket(section: Section, asterisk: Asterisk) -> Iterator[Finding]:
    if asterisk.app in [app.strip() for app in section.get("apps").split(",")]:
        yield fault(
            "ari.conf",
            f"[{section.name}]: Asterisk itself connects the application {asterisk.app} elsewhere: it is another's",
            "take the name out of apps, or give the controller another one (asterisk.app and the dialplan)",
        )
    if section.is_true("subscribe_all"):
        yield fault(
            "ari.conf",
            f"[{section.name}]: subscribe_all can wedge ARI when its connection closes, until Asterisk is restarted",
            "write subscribe_all = no",
        )


def _ari_user(section: Section, asterisk: Asterisk) -> Iterator[Finding]:
    name = section.name
    if section.get("password_format", "plain") == "plain":
        found = weakness(section.get("password"), name)
        if found:
            yield fault("ari.conf", f"[{name}]: {found}", "draw a long one: openssl rand -base64 24")
    if name == asterisk.ari_username and section.is_true("read_only"):
        yield fault("ari.conf", f"[{name}] is read_only: the controller cannot touch a call", "write read_only = no")
    if name != asterisk.ari_username and not section.is_true("read_only"):
        yield warning(
            "ari.conf", f"[{name}] can steer every call too", "delete it if nobody uses it, or write read_only = yes"
        )


def _manager_conf(conf: Conf, asterisk: Asterisk) -> Iterator[Finding]:
    general = conf.section("general")
    if not general.is_true("enabled"):
        yield fault(
            "manager.conf", "AMI is off: nobody tells which phones are there", "write enabled = yes in [general]"
        )
    bind = general.get("bindaddr", "0.0.0.0")  # noqa: S104 - Asterisk's default, compared and not bound
    if not _is_loopback(bind):
        yield fault(
            "manager.conf",
            f"AMI listens on {bind} without TLS: its password crosses the network in the clear",
            "write bindaddr = 127.0.0.1; for a controller on another machine use a private network",
        )
    if general.is_true("webenabled"):
        yield warning(
            "manager.conf", "AMI answers on the web server too (webenabled)", "write webenabled = no in [general]"
        )
    for section in conf.others("general"):
        yield from _manager_user(section, asterisk)
    if not conf.has(asterisk.ami_username):
        yield fault(
            "manager.conf",
            f"no account [{asterisk.ami_username}]",
            "add it, or set asterisk.ami_username to one that is there",
        )


def _manager_user(section: Section, asterisk: Asterisk) -> Iterator[Finding]:
    name = section.name
    found = weakness(section.get("secret"), name)
    if found:
        yield fault("manager.conf", f"[{name}]: {found}", "draw a long one: openssl rand -base64 24")
    classes = [one.strip().lower() for one in section.get("write").split(",")]
    if name == asterisk.ami_username:
        too_much = [one for one in _NEVER_OURS if one in classes]
        level = Level.FAULT
    else:
        too_much = [one for one in _POWERFUL if one in classes]
        level = Level.WARNING
    if too_much:
        yield Finding(
            "manager.conf",
            level,
            f"[{name}] may write {', '.join(too_much)}: with the password one can place calls or run programs",
            "the controller needs write = system,reporting,agent and no more",
        )


def _extensions_conf(conf: Conf, _: Asterisk) -> Iterator[Finding]:
    missing = [name for name in CONTEXTS if not conf.has(name)]
    if missing:
        yield fault(
            "extensions.conf",
            f"no context {', '.join(missing)}",
            "include Orikaeshi's extensions.conf: without it calls do not reach the controller",
        )


def _logger_conf(conf: Conf, _: Asterisk) -> Iterator[Finding]:
    if not conf.section("general").is_true("queue_log", default=True):
        yield warning(
            "logger.conf",
            "queue_log is off: reports that are made of it stay empty",
            "write queue_log = yes in [general]",
        )


def _is_loopback(bind: str) -> bool:
    host = bind[1:].partition("]")[0] if bind.startswith("[") else bind
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.partition(":")[0] in {"localhost", "127.0.0.1"}
