"""Which line of a TOML file does a key stand on? `tomllib` does not tell, and a mistake without a line is half a help.

The text is known to be valid TOML when it comes here, so this only walks it: tables, arrays of tables, dotted and
quoted keys, inline tables, arrays and strings of several lines (https://toml.io/en/v1.0.0).
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

Path = tuple[str | int, ...]
"""A place in the settings: `("queues", 0, "name")`."""

_TOKEN = re.compile(
    r'''(?P<blank>[ \t\r]+|\#[^\n]*)
      | (?P<newline>\n)
      | (?P<string>"""(?:\\.|[^\\])*?"""(?:"{0,2})|\'\'\'.*?\'\'\'(?:'{0,2})|"(?:\\.|[^"\\\n])*"|'[^'\n]*')
      | (?P<mark>[\[\]{}=,.])
      | (?P<bare>[^\s\[\]{}=,.\#"']+)''',
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    line: int


@dataclass(slots=True)
class _Walk:
    tokens: list[_Token]
    lines: dict[Path, int] = field(default_factory=dict)
    at: int = 0
    lengths: dict[Path, int] = field(default_factory=dict)
    """How many tables each array of tables has so far."""

    def peek(self) -> str:
        return self.tokens[self.at].text if self.at < len(self.tokens) else ""

    def take(self) -> _Token:
        self.at += 1
        return self.tokens[self.at - 1]

    def skip_newlines(self) -> None:
        while self.peek() == "\n":
            self.at += 1

    def note(self, path: Path, line: int) -> None:
        """Remember where `path` is first named; so is every table that its dotted key opens."""
        for length in range(1, len(path) + 1):
            self.lines.setdefault(path[:length], line)


def lines_of(text: str) -> dict[Path, int]:
    """Return the line (from 1) on which each key, table and array element of `text`, valid TOML, begins."""
    walk = _Walk(_tokens(text))
    table: Path = ()
    while walk.at < len(walk.tokens):
        if walk.peek() == "\n":
            walk.at += 1
        elif walk.peek() == "[":
            table = _header(walk)
        else:
            _pair(walk, table)
    return walk.lines


def line_of(path: Path, lines: Mapping[Path, int]) -> int | None:
    """Return the line of `path`, or of the nearest table around it, where what is missing would stand."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return None


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    line = 1
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or ""
        if kind != "blank":
            tokens.append(_Token(kind, match.group(), line))
        line += match.group().count("\n")
    return tokens


def _header(walk: _Walk) -> Path:
    line = walk.take().line
    is_array = walk.peek() == "["
    if is_array:
        walk.take()
    written = _key(walk)
    walk.at += 2 if is_array else 1
    path: Path = ()
    for depth, part in enumerate(written):
        path = (*path, part)
        if is_array and depth == len(written) - 1:
            walk.lines.setdefault(path, line)
            walk.lengths[path] = walk.lengths.get(path, 0) + 1
        if path in walk.lengths:  # [queues.retry_gap_s] belongs to the last [[queues]]
            path = (*path, walk.lengths[path] - 1)
    walk.note(path, line)
    return path


def _key(walk: _Walk) -> list[str]:
    parts = [_unquoted(walk.take())]
    while walk.peek() == ".":
        walk.take()
        parts.append(_unquoted(walk.take()))
    return parts


def _unquoted(token: _Token) -> str:
    if token.kind != "string":
        return token.text
    return next(iter(tomllib.loads(f"{token.text} = 0")))


def _pair(walk: _Walk, table: Path) -> None:
    line = walk.tokens[walk.at].line
    path = (*table, *_key(walk))
    walk.note(path, line)
    walk.take()  # =
    _value(walk, path)


def _value(walk: _Walk, path: Path) -> None:
    if walk.peek() == "[":
        _array(walk, path)
    elif walk.peek() == "{":
        _inline_table(walk, path)
    else:
        while walk.at < len(walk.tokens) and walk.peek() not in {"\n", ",", "]", "}"}:
            walk.take()  # a float or a date is several tokens


def _array(walk: _Walk, path: Path) -> None:
    walk.take()
    index = 0
    walk.skip_newlines()
    while walk.peek() != "]":
        walk.note((*path, index), walk.tokens[walk.at].line)
        _value(walk, (*path, index))
        walk.skip_newlines()
        if walk.peek() == ",":
            walk.take()
            walk.skip_newlines()
        index += 1
    walk.take()


def _inline_table(walk: _Walk, path: Path) -> None:
    walk.take()
    walk.skip_newlines()
    while walk.peek() != "}":
        _pair(walk, path)
        walk.skip_newlines()
        if walk.peek() == ",":
            walk.take()
            walk.skip_newlines()
    walk.take()
