"""What the doctor found: one frozen value for each look."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    """Works, but somebody should know."""
    FAULT = "fault"
    """Calls will be lost, or somebody else can make them."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One check, what was found, and what to do about it (empty when nothing is to be done)."""

    check: str
    level: Level
    found: str
    remedy: str = ""


def ok(check: str, found: str) -> Finding:
    """Return a finding that is in order."""
    return Finding(check, Level.OK, found)


def warning(check: str, found: str, remedy: str) -> Finding:
    """Return something that somebody should know."""
    return Finding(check, Level.WARNING, found, remedy)


def fault(check: str, found: str, remedy: str) -> Finding:
    """Return something that must be put right."""
    return Finding(check, Level.FAULT, found, remedy)


def has_fault(findings: Iterable[Finding]) -> bool:
    """Tell whether anything must be put right."""
    return any(finding.level is Level.FAULT for finding in findings)
