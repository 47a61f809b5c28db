"""Mistakes in the settings, told so that a person can put them right: all at once, each with its line and key."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pydantic_core import ErrorDetails

    from controller.settings.toml_lines import Path


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing to put right. `line` counts from 1; None where there is none (a file, the environment)."""

    line: int | None
    key: str
    """As `queues.support.ring_timeout_s`; empty for the file as a whole."""
    message: str
    is_environment: bool = False


class SettingsError(Exception):
    """The settings cannot be used. `str()` gives one line for each mistake, in the order of the file."""

    def __init__(self, file_name: str, mistakes: Iterable[Mistake]) -> None:
        self.file_name = file_name
        self.mistakes = sorted(set(mistakes), key=lambda one: (one.is_environment, one.line or 0, one.key, one.message))
        super().__init__("\n".join(self.lines()))

    def lines(self) -> list[str]:
        """Return one line for each mistake: `controller.toml:12: queues.support.max_attempts: must be ...`."""
        return [self._line(mistake) for mistake in self.mistakes]

    def _line(self, mistake: Mistake) -> str:
        place = "environment" if mistake.is_environment else self.file_name
        line = "" if mistake.line is None else f":{mistake.line}"
        key = f" {mistake.key}:" if mistake.key else ""
        return f"{place}{line}:{key} {mistake.message}"


def nearest(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean "agents"?` when something in `known` is near to `word`, or nothing."""
    by_lower = {one.lower(): one for one in sorted(known)}
    found = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return f'; did you mean "{by_lower[found[0]]}"?' if found else ""


def shown_key(path: Path, raw: Mapping[str, Any]) -> str:
    """Return `path` as a person reads it: a queue or agent by its name where it has one, else by number from 1."""
    words: list[str] = []
    place: Any = raw
    for part in path:
        place = _inside(place, part)
        if isinstance(part, str):
            words.append(f".{part}" if words else part)
            continue
        name = place.get("name") if isinstance(place, dict) else None
        words.append(f".{name}" if isinstance(name, str) and name.isprintable() and name else f"[{part + 1}]")
    return "".join(words)


def _inside(place: Any, part: str | int) -> Any:
    try:
        return place[part]
    except (KeyError, IndexError, TypeError):
        return None


_MOVED = {"reminder_interval_s": "it is now interval_s in [queues.announcements]"}
"""Settings of earlier versions, and where they went."""


def told(error: ErrorDetails, known_keys: Iterable[str]) -> str:
    """Return what one of pydantic's findings means for the person who wrote the file."""
    kind, given, limits = error["type"], error["input"], error.get("ctx", {})
    if kind == "extra_forbidden":
        moved = _MOVED.get(str(error["loc"][-1]))
        if moved:
            return f"is no longer a setting: {moved}"
        return f"is not a setting{nearest(str(error['loc'][-1]), known_keys)}"
    if kind in {"int_type", "float_type", "int_from_float", "finite_number"}:
        return _told_number(kind, given)
    if kind in {"dict_type", "model_type", "model_attributes_type"}:
        return f"must be a table of settings, not {_shown(given)}"
    message = _MESSAGES.get(kind)
    return message(given, limits) if message else error["msg"]


def _told_text(given: Any, _: Mapping[str, Any]) -> str:
    if _is_number(given):
        return f'must be text in quotes: write "{given}"'
    return f"must be text in quotes, not {_shown(given)}"


def _told_list(given: Any, _: Mapping[str, Any]) -> str:
    return f"must be a list, as [{_shown(given)}]" if isinstance(given, str) else "must be a list in [ ]"


_MESSAGES: Mapping[str, Callable[[Any, Mapping[str, Any]], str]] = {
    "bool_type": lambda given, _: f"must be true or false, not {_shown(given)}",
    "missing": lambda _, __: "is missing",
    "string_type": _told_text,
    "tuple_type": _told_list,
    "greater_than": lambda given, limits: f"must be more than {limits['gt']:g}, not {given}",
    "greater_than_equal": lambda given, limits: f"must be {limits['ge']:g} or more, not {given}",
    "less_than_equal": lambda given, limits: f"must be {limits['le']:g} or less, not {given}",
    "too_short": lambda _, __: "must have at least one",
    "literal_error": lambda given, limits: (
        f"must be {limits['expected'].replace(chr(39), chr(34))}, not {_shown(given)}"
    ),
    "value_error": lambda _, limits: str(limits["error"]),
}


def _told_number(kind: str, given: Any) -> str:
    wanted = "a whole number" if kind.startswith("int") else "a number"
    if isinstance(given, str):
        text = given.strip()
        as_number = text.isascii() and text.replace(".", "", 1).isdigit()
        return (
            f'must be {wanted}: write {text}, not "{given}"' if as_number else f"must be {wanted}, not {_shown(given)}"
        )
    return f"must be {wanted}, not {_shown(given)}"


def _is_number(given: Any) -> bool:
    return isinstance(given, int | float) and not isinstance(given, bool)


def _shown(given: Any) -> str:
    if isinstance(given, bool):
        return str(given).lower()
    if isinstance(given, str):
        return f'"{given[:60]}"'
    if isinstance(given, dict):
        return "a table"
    return "a list" if isinstance(given, list | tuple) else str(given)
