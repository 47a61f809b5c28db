"""The doctor: looks at an installation and says, for each thing it finds, what to do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from controller.doctor.ami_checks import check_ami
from controller.doctor.ari_checks import check_ari
from controller.doctor.conf_rules import check_conf
from controller.doctor.database_checks import check_database
from controller.doctor.findings import Finding, Level, fault, has_fault, ok, warning
from controller.doctor.host_checks import check_host
from controller.settings import Asterisk, SettingsError, load_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from controller.settings import Settings

__all__ = ["Finding", "Level", "examine", "has_fault"]


async def examine(
    settings_path: Path,
    env: Mapping[str, str],
    *,
    conf_folders: tuple[Path, ...],
    now_s: Callable[[], float],
    free_bytes: Callable[[Path], int],
) -> list[Finding]:
    """Return every finding about one installation, in the order a person would look.

    With settings that cannot be used, each mistake is a finding and the PBX is not asked. `conf_folders` are
    folders with Asterisk's configuration files, searched in turn; none means that they are not looked at.
    """
    try:
        settings = load_settings(settings_path, env)
    except SettingsError as error:
        findings = [fault("settings", line, "correct it; then: controller check") for line in error.lines()]
        return findings + (check_conf(conf_folders, Asterisk()) if conf_folders else [])
    return [
        ok("settings", f"{settings_path} is in order"),
        *check_host(settings, free_bytes),
        *await check_database(settings, now_s),
        *[finding for asterisk in settings.asterisks for finding in await _pbx(settings, asterisk, now_s)],
        *(check_conf(conf_folders, settings.asterisks[0]) if conf_folders else ()),
    ]


async def _pbx(settings: Settings, asterisk: Asterisk, now_s: Callable[[], float]) -> list[Finding]:
    """Return what one Asterisk shows; each finding under its name where there are several."""
    findings = [*await check_ari(settings, asterisk), *await check_ami(settings, asterisk, now_s)]
    if len(settings.asterisks) == 1:
        return findings
    served = {queue for agent in settings.agents_of(asterisk.name) for queue in agent.queues}
    unserved = [queue.name for queue in settings.queues if queue.name not in served]
    if unserved:
        findings.append(
            warning(
                "agents",
                f"nobody here serves {', '.join(unserved)}: whoever waits for that here is never answered",
                "give agents of this Asterisk the queue, or lead its calls to another",
            )
        )
    return [replace(finding, check=f"{asterisk.name}: {finding.check}") for finding in findings]
