"""A table for a terminal, in which Japanese text keeps its columns: a full-width character takes two cells."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def width(text: str) -> int:
    """Return how many cells `text` takes (Unicode Standard Annex 11: W and F take two, combining marks none)."""
    return sum(_cells(character) for character in text)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return the lines of a table with left-aligned columns, two blanks apart. Control characters show as `?`."""
    cells = [[_printable(cell) for cell in row] for row in (headings, *rows)]
    widths = [max(width(row[column]) for row in cells) for column in range(len(headings))]
    cells.insert(1, ["-" * wide for wide in widths])
    return "\n".join(
        "  ".join(cell + " " * (wide - width(cell)) for cell, wide in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )


def _cells(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def _printable(text: str) -> str:
    # What came from a caller may hold a terminal's control sequences.
    return "".join(character if character.isprintable() else "?" for character in text)
