"""The doctor: looks at an installation and says, for each thing it finds, what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.doctor.ami_checks import check_ami
from controller.doctor.ari_checks import check_ari
from controller.doctor.conf_rules import check_conf
from controller.doctor.findings import Finding, Level, fault, has_fault, ok
from controller.doctor.host_checks import check_host
from controller.settings import Asterisk, SettingsError, load_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

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
        *await check_ari(settings),
        *await check_ami(settings, now_s),
        *(check_conf(conf_folders, settings.asterisk) if conf_folders else ()),
    ]
