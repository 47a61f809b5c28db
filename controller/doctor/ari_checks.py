"""Looks at the PBX through ARI, with plain GETs that work even when the controller's own client would refuse."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

import aiohttp

from controller.doctor.findings import Finding, fault, ok, warning
from controller.journeys import prompts
from controller.settings import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller.settings import Asterisk, Settings

OLDEST_VERSION = (22, 10, 1)
"""The first release with the fixes to ARI of June 2026."""

MODULES = (
    "app_playback", "app_queue", "app_stasis", "bridge_holding", "bridge_simple", "chan_pjsip", "codec_ulaw",
    "format_wav", "func_callerid", "func_strings", "pbx_config", "res_ari", "res_ari_applications",
    "res_ari_asterisk", "res_ari_bridges", "res_ari_channels", "res_ari_endpoints", "res_ari_events",
    "res_ari_playbacks", "res_ari_sounds", "res_http_websocket", "res_manager_devicestate", "res_musiconhold",
    "res_pjsip", "res_pjsip_registrar", "res_pjsip_session", "res_rtp_asterisk", "res_stasis",
    "res_stasis_answer", "res_stasis_playback",
)  # fmt: skip
"""What the product cannot work without."""

RECORDING_MODULES = ("format_wav", "res_ari_recordings", "res_stasis_recording")
"""What it cannot record a talk without."""

_TIMEOUT_S = 5.0
_LONGEST_LIST = 5


class _RefusedError(Exception):
    """ARI did not answer a GET with JSON and 200. Says how, for a person."""


async def check_ari(settings: Settings, asterisk: Asterisk) -> list[Finding]:
    """Return what ARI of one Asterisk shows. When it cannot be asked at all, one finding says why."""
    login = aiohttp.encode_basic_auth(asterisk.ari_username, settings.ari_password_of(asterisk.name))
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    async with (
        aiohttp.ClientSession(timeout=timeout, headers={"Authorization": login}) as known,
        aiohttp.ClientSession(timeout=timeout) as stranger,
    ):
        ari = f"{asterisk.url}/ari"
        reached = await _reached(known, ari, asterisk)
        if isinstance(reached, Finding):
            return [reached]
        findings = [ok("ARI", f"answers at {ari}, password accepted"), await _closed_to_strangers(stranger, ari)]
        findings.append(_version(str(reached.get("system", {}).get("version", ""))))
        if len(settings.asterisks) > 1:
            findings.append(_system_name(str(reached.get("config", {}).get("name", "")), asterisk.name))
        for check, look in (
            ("modules", _modules(known, ari)),
            ("application", _application(known, ari, asterisk.app)),
            ("endpoints", _endpoints(known, ari, settings, asterisk)),
            ("prompts", _prompts(known, ari, settings)),
            ("recordings", _recordings(known, ari, settings)),
        ):
            try:
                findings += await look
            except (_RefusedError, TimeoutError, aiohttp.ClientError) as error:
                findings.append(fault(check, f"could not be looked at: {_told(error)}", "see Asterisk's log"))
    return findings


async def _get(session: aiohttp.ClientSession, url: str, **query: str) -> Any:
    async with session.get(url, params=query) as response:
        if response.status != 200:  # noqa: PLR2004 - the one code that means an answer
            raise _RefusedError(f"{response.status} {response.reason} for {url}")
        return await response.json(content_type=None)


async def _reached(session: aiohttp.ClientSession, ari: str, asterisk: Asterisk) -> Any:
    """Return `asterisk/info`, or a finding that says why there is none."""
    try:
        async with session.get(f"{ari}/asterisk/info") as response:
            if response.status == 401:  # noqa: PLR2004 - RFC 9110, 15.5.2
                return fault(
                    "ARI",
                    f"{ari} refuses the password of {asterisk.ari_username}",
                    "ORIKAESHI_ARI_PASSWORD must be the password in ari.conf, asterisk.ari_username its section",
                )
            body = await response.json(content_type=None) if response.status == 200 else None  # noqa: PLR2004 - as above
    except TimeoutError:
        return fault(
            "ARI", f"{ari} takes longer than {_TIMEOUT_S:g} s to answer", "is Asterisk overloaded or wedged? restart it"
        )
    except (aiohttp.ClientError, ValueError) as error:
        return fault(
            "ARI",
            f"nothing that speaks ARI answers at {ari}: {_told(error)}",
            "start Asterisk; check asterisk.url and http.conf",
        )
    if not isinstance(body, dict) or "system" not in body:
        return fault(
            "ARI",
            f"a web server answers at {ari}, but not ARI (status {response.status})",
            "load res_ari.so; check asterisk.url",
        )
    return body


async def _closed_to_strangers(session: aiohttp.ClientSession, ari: str) -> Finding:
    try:
        async with session.get(f"{ari}/asterisk/info") as response:
            if response.status in {401, 403}:
                return ok("ARI without password", "refused")
            return fault(
                "ARI without password", f"answered with {response.status}", "give every user in ari.conf a password"
            )
    except (TimeoutError, aiohttp.ClientError) as error:
        return warning("ARI without password", f"could not be tried: {_told(error)}", "run the doctor again")


def _version(text: str) -> Finding:
    found = re.search(r"(\d+)\.(\d+)\.(\d+)", text)
    wanted = ".".join(map(str, OLDEST_VERSION))
    if found is None:
        return warning("version", f'Asterisk calls itself "{text[:40]}"', f"make sure that it is {wanted} or newer")
    if tuple(map(int, found.groups())) < OLDEST_VERSION:
        return fault("version", f"Asterisk {text}", f"update to {wanted} or newer: older ones have known holes in ARI")
    return ok("version", f"Asterisk {text}")


def _system_name(found: str, wanted: str) -> Finding:
    """Look at what tells the calls of several Asterisks apart."""
    remedy = f"write systemname = {wanted} into [options] of its asterisk.conf, and restart it"
    if not found:
        return fault("system name", "has none: two Asterisks may give two calls the same id", remedy)
    if found != wanted:
        return warning("system name", f'"{found[:40]}": no other Asterisk of this site may have it', remedy)
    return ok("system name", found)


async def _modules(session: aiohttp.ClientSession, ari: str) -> list[Finding]:
    listed = await _get(session, f"{ari}/asterisk/modules")
    running = {one["name"].removesuffix(".so") for one in listed if one.get("status") == "Running"}
    missing = [name for name in MODULES if name not in running]
    if missing:
        return [
            fault(
                "modules",
                f"not running: {_some(missing)}",
                "load them in modules.conf; Asterisk's log says why one declined",
            )
        ]
    return [ok("modules", f"all {len(MODULES)} that are needed are running")]


async def _application(session: aiohttp.ClientSession, ari: str, app: str) -> list[Finding]:
    applications = {one["name"]: one for one in await _get(session, f"{ari}/applications")}
    findings = [
        fault(
            "application",
            f"{name} is subscribed to everything (subscribeAll): when it disconnects, ARI can wedge until a restart",
            "connect without subscribeAll=true",
        )
        for name, one in applications.items()
        if any(str(topic).startswith("__AST_") for key in _TOPICS for topic in one.get(key, ()))
    ]
    if app in applications:
        return [*findings, ok("application", f"{app}: a controller is connected")]
    return [*findings, ok("application", f"{app}: free, no controller is connected now")]


_TOPICS = ("channel_ids", "bridge_ids", "endpoint_ids", "device_names")


async def _endpoints(session: aiohttp.ClientSession, ari: str, settings: Settings, asterisk: Asterisk) -> list[Finding]:
    states = {one["resource"]: one.get("state", "unknown") for one in await _get(session, f"{ari}/endpoints/PJSIP")}
    return [
        *(_trunk(trunk.endpoint, states.get(trunk.endpoint)) for trunk in settings.ways_out),
        *_agents([agent.endpoint for agent in settings.agents_of(asterisk.name)], states),
    ]


def _trunk(name: str, state: str | None) -> Finding:
    if state is None:
        return fault(
            "trunk", f"no PJSIP endpoint {name}", "add it to pjsip.conf, or name the one that is there in the settings"
        )
    if state == "offline":
        return warning(
            "trunk",
            f"{name}: does not answer",
            "check address and account at the carrier; nobody can be called back now",
        )
    return ok("trunk", f"{name}: {state}")


def _agents(names: list[str], states: dict[str, str]) -> Iterator[Finding]:
    missing = [name for name in names if name not in states]
    away = [name for name in names if states.get(name) == "offline"]
    if missing:
        yield fault(
            "agents", f"no PJSIP endpoint {_some(missing)}", "add it to pjsip.conf, or correct endpoint in [[agents]]"
        )
    if away:
        yield warning(
            "agents", f"no phone registered for {_some(away)}", "register the phones; until then callers wait"
        )
    if not missing and not away:
        yield ok("agents", f"all {len(names)} phones are registered")


async def _prompts(session: aiohttp.ClientSession, ari: str, settings: Settings) -> list[Finding]:
    findings = []
    wanted = prompts.ALL | settings.named_prompts
    for language in sorted(settings.languages.union(LANGUAGES)):
        listed = await _get(session, f"{ari}/sounds", lang=language)
        there = {one["id"] for one in listed}
        missing = sorted(name for name in wanted if f"orikaeshi/{name}" not in there)
        if missing:
            findings.append(
                fault(
                    f"prompts {language}",
                    f"{len(missing)} of {len(wanted)} missing: {_some(missing)}",
                    "render them (asterisk-conf/prompts/render), restart Asterisk; else callers hear another language",
                )
            )
        else:
            findings.append(ok(f"prompts {language}", f"all {len(wanted)} are there"))
    return findings


async def _recordings(session: aiohttp.ClientSession, ari: str, settings: Settings) -> list[Finding]:
    """Look whether talks can be recorded, where a queue wants that."""
    wanting = [queue.name for queue in settings.queues if queue.recording != "off"]
    if not wanting:
        return []
    listed = await _get(session, f"{ari}/asterisk/modules")
    running = {one["name"].removesuffix(".so") for one in listed if one.get("status") == "Running"}
    missing = [name for name in RECORDING_MODULES if name not in running]
    if missing:
        remedy = f"load them in modules.conf; until then no talk of {_some(wanting)} is recorded"
        return [fault("recordings", f"not running: {_some(missing)}", remedy)]
    async with session.get(f"{ari}/recordings/stored") as response:
        if response.status == 200:  # noqa: PLR2004 - RFC 9110, 15.3.1
            return [ok("recordings", f"talks of {_some(wanting)} can be recorded")]
    remedy = (
        "make the folder recording/ in Asterisk's spool folder, its user's own; "
        f"until then no talk of {_some(wanting)} is recorded"
    )
    return [fault("recordings", f"Asterisk cannot read where it keeps them (status {response.status})", remedy)]


def _some(names: list[str]) -> str:
    more = len(names) - _LONGEST_LIST
    return ", ".join(names[:_LONGEST_LIST]) + (f" and {more} more" if more > 0 else "")


def _told(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {_TIMEOUT_S:g} s"
    if isinstance(error, aiohttp.ClientConnectorError):
        number = error.os_error.errno or 0
        return os.strerror(number) if number > 0 else error.os_error.strerror or "cannot connect"
    return " ".join(str(error).split())[:200] or type(error).__name__
