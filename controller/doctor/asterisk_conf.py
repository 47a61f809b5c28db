r"""Reads Asterisk's configuration files, as far as a look at them needs it.

Sections, templates `[a](!)`, inheritance `[b](a)`, additions `[a](+)`, `;` comments, `;-- blocks --;`, `\\;`,
`key = value` and `key => value`, `key += value`, `#include` and `#tryinclude` with wildcards. After
https://docs.asterisk.org/Fundamentals/Asterisk-Configuration/Asterisk-Configuration-Files/ and `main/config.c`.
An `#exec` is never run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_INCLUDE_DEPTH_LIMIT = 10  # as MAX_INCLUDE_LEVEL in main/config.c
_HEADER = re.compile(r"\[([^\]]*)\]\s*(?:\(([^)]*)\))?")
_TRUE = frozenset({"yes", "true", "y", "t", "1", "on"})


class ConfError(Exception):
    """A file cannot be read as Asterisk would read it. Says which line, for a person."""


@dataclass(slots=True)
class Section:
    """One `[name]` with its `key = value` lines in order; keys in lower case, templates already applied."""

    name: str
    is_template: bool = False
    pairs: list[tuple[str, str]] = field(default_factory=list)

    def get(self, key: str, default: str = "") -> str:
        """Return the last value of `key`."""
        return next((value for name, value in reversed(self.pairs) if name == key), default)

    def is_true(self, key: str, *, default: bool = False) -> bool:
        """Tell whether `key` says yes, as `ast_true()` does."""
        value = self.get(key)
        return value.lower() in _TRUE if value else default


@dataclass(slots=True)
class Conf:
    """One configuration with all that it includes."""

    sections: list[Section] = field(default_factory=list)

    def section(self, name: str) -> Section:
        """Return everything under `[name]`, all sections of that name together; empty when there is none."""
        pairs = [pair for one in self.sections if one.name == name for pair in one.pairs]
        return Section(name, pairs=pairs)

    def has(self, name: str) -> bool:
        """Tell whether `[name]` is there, and not as a template."""
        return any(one.name == name and not one.is_template for one in self.sections)

    def others(self, *names: str) -> list[Section]:
        """Return every section but those named, and no templates."""
        return [one for one in self.sections if not one.is_template and one.name not in names]


def read_conf(folders: tuple[Path, ...], name: str) -> Conf | None:
    """Return the configuration `name` (`ari.conf`) with what it includes; None when the file is not there.

    `folders` are looked through in turn, also for includes, since what differs from site to site may lie in a
    folder of its own. Raises ConfError.
    """
    found = next(_matching(folders, name), None)
    if found is None:
        return None
    conf = Conf()
    _read(found, folders, conf, None, 1)
    return conf


def _matching(folders: tuple[Path, ...], name: str) -> Iterator[Path]:
    for folder in folders:
        if any(mark in name for mark in "*?["):
            yield from sorted(folder.glob(name.lstrip("/")))
        elif (folder / name).is_file():
            yield folder / name


def _read(path: Path, folders: tuple[Path, ...], conf: Conf, current: Section | None, depth: int) -> None:
    if depth > _INCLUDE_DEPTH_LIMIT:
        raise ConfError(f"{path}: included {depth} deep: a file includes itself")
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise ConfError(f"{path} cannot be read: {error.strerror}") from None
    for number, line in _lines(text):
        where = f"{path}, line {number}"
        if line.startswith("["):
            current = _open_section(line, conf, where)
        elif line.startswith("#"):
            _include(line, folders, conf, current, depth, where)
        else:
            _add(line, current, where)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield (number, line) without comments, blank lines left out."""
    block_depth = 0
    for number, raw in enumerate(text.splitlines(), start=1):
        kept = []
        place = 0
        while place < len(raw):
            if raw.startswith("--;", place) and block_depth:
                block_depth -= 1
                place += 3
            elif raw.startswith(";--", place) and not raw.startswith(";---", place):
                block_depth += 1
                place += 3
            elif block_depth:
                place += 1
            elif raw.startswith("\\;", place):
                kept.append(";")
                place += 2
            elif raw[place] == ";":
                break
            else:
                kept.append(raw[place])
                place += 1
        line = "".join(kept).strip()
        if line:
            yield number, line


def _open_section(line: str, conf: Conf, where: str) -> Section:
    header = _HEADER.match(line)
    if header is None:
        raise ConfError(f"{where}: a section must be written as [name]")
    name, options = header[1], [one.strip() for one in (header[2] or "").split(",") if one.strip()]
    section = Section(name, is_template="!" in options)
    for option in options:
        if option.startswith("+"):
            added_to = next((one for one in reversed(conf.sections) if one.name == name), None)
            if added_to is None:
                raise ConfError(f"{where}: [{name}](+) adds to a section that is not there")
            return added_to
        if option != "!":
            template = next((one for one in conf.sections if one.name == option), None)
            if template is None:
                raise ConfError(f"{where}: there is no template [{option}]")
            section.pairs += template.pairs
    conf.sections.append(section)
    return section


def _include(line: str, folders: tuple[Path, ...], conf: Conf, current: Section | None, depth: int, where: str) -> None:
    directive, _, argument = line[1:].partition(" ")
    kind = directive.strip().lower()
    if kind not in {"include", "tryinclude"}:
        return  # `#exec` runs a program: not for a look
    name = argument.strip().strip('"<>')
    found = list(_matching(folders, name))
    is_pattern = any(mark in name for mark in "*?[")
    if not found and kind == "include" and not is_pattern:
        raise ConfError(f"{where}: includes {name}, which is not there")
    for path in found if is_pattern else found[:1]:
        _read(path, folders, conf, current, depth + 1)


def _add(line: str, current: Section | None, where: str) -> None:
    key, sign, value = line.partition("=")
    if current is None:
        raise ConfError(f"{where}: stands before the first [section]")
    if not sign:
        return  # Asterisk warns about such a line and goes on
    name = key.strip().lower()
    value = value.removeprefix(">").strip()
    if name.endswith("+"):
        name = name[:-1].strip()
        value = f"{current.get(name)}{value}"
    current.pairs.append((name, value))
