"""Steps as text for a terminal: a tree with lines, wrapped at a width in which Japanese takes two cells a character."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from controller.text_table import width

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from controller.rehearse.tree import Said, Step

WIDTH = 110
_NARROWEST = 30
_PIECE = re.compile(r"[\x21-\x7e]+ ?| |[^\x20-\x7e]")
"""What is not torn apart: a word of ASCII; a Japanese text may be broken anywhere."""
_NOT_FIRST = "、。」』）,."


def told(step: Step) -> str:
    """Return a step and all that follows it as the lines of a tree."""
    return "\n".join(_lines(step, "", "", _how_width([step])))


def told_path(steps: Sequence[Step]) -> str:
    """Return steps one below the other."""
    wide = _how_width(steps)
    return "\n".join(line for step in steps for line in _lines(step, "", "", wide))


def _lines(step: Step, lead: str, under: str, how_width: int) -> Iterator[str]:
    """Yield the lines of a step and of what follows it: `lead` goes before the first, `under` before the others."""
    how = f"{step.how}{' ' * (how_width - width(step.how))}  " if how_width else ""
    first, *others = wrapped(step.what, WIDTH - width(lead + how))
    yield f"{lead}{how}{first}"
    indent = ("│ " if step.after else "  ").ljust(width(how))
    cells = WIDTH - width(under + indent)
    rest = [*others, *(line for said in step.said for line in _said(said, cells))]
    rest += [line for fact in step.facts for line in wrapped(f"- {fact}", cells)]
    for line in rest:
        yield f"{under}{indent}{line}"
    inner = _how_width(step.after)
    for after in step.after:
        is_last = after is step.after[-1]
        edge, below = ("└─ ", "   ") if is_last else ("├─ ", "│  ")
        yield from _lines(after, under + edge, under + below, inner)


def _said(said: Said, cells: int) -> list[str]:
    if said.text is None:
        return [f"[{said.prompt}{', MISSING' if said.is_missing else ''}]"]
    quotes = "「」" if width(said.text) > len(said.text) else "“”"
    return wrapped(f"{quotes[0]}{said.text}{quotes[1]}", cells)


def _how_width(steps: Sequence[Step]) -> int:
    return max((width(step.how) for step in steps), default=0)


def wrapped(text: str, cells: int) -> list[str]:
    """Return `text` in lines of at most `cells` cells; the signs that close a sentence stay with it."""
    lines = [""]
    for piece in _PIECE.findall("".join(one if one.isprintable() else "?" for one in text)):
        is_full = width(lines[-1]) + width(piece.rstrip()) > max(cells, _NARROWEST)
        if is_full and piece not in _NOT_FIRST:
            lines.append("")
        lines[-1] += piece
    return [line.rstrip() for line in lines]
