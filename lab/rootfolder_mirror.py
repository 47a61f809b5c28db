"""Which Debian mirror this machine already uses, read from its own apt sources."""

from __future__ import annotations

import platform
import re
from pathlib import Path
from typing import Final

_ONE_LINE: Final = re.compile(r"deb\s+(?:\[[^\]]*\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s")


def own_mirror(apt: Path = Path("/etc/apt"), *, system: dict[str, str] | None = None) -> list[str]:
    """At most one address: the mirror from which this Debian gets its own suite. Empty on anything but Debian.

    Args:
        apt: the folder with `sources.list` and `sources.list.d/` (sources.list(5), both formats).
        system: the fields of os-release(5); of this machine when None.
    """
    if system is None:
        try:
            system = platform.freedesktop_os_release()
        except OSError:
            system = {}
    codename = system.get("VERSION_CODENAME", "")
    if system.get("ID") != "debian" or not codename:
        return []
    files = [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]
    for file in files:
        if not file.is_file() or file.suffix not in {".list", ".sources"}:
            continue
        text = file.read_text(encoding="utf-8", errors="replace")
        pairs = _paragraphs(text) if file.suffix == ".sources" else _lines(text)
        for uri, suite in pairs:
            if suite == codename:
                return [uri]
    return []


def _lines(text: str) -> list[tuple[str, str]]:
    """(address, suite) of every `deb` line."""
    found = (_ONE_LINE.match(line.strip()) for line in text.splitlines())
    return [(match["uri"], match["suite"]) for match in found if match]


def _paragraphs(text: str) -> list[tuple[str, str]]:
    """(address, suite) of every deb822 paragraph that is not switched off."""
    pairs = []
    for paragraph in re.split(r"\n\s*\n", text):
        lines = [line for line in paragraph.splitlines() if ":" in line and not line.startswith("#")]
        fields = {key.strip().lower(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
        if "deb" in fields.get("types", "").split() and fields.get("enabled", "yes").lower() != "no":
            pairs += [(u, s) for u in fields.get("uris", "").split() for s in fields.get("suites", "").split()]
    return pairs
