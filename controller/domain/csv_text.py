"""Rows as CSV (RFC 4180) that a spreadsheet opens as what it is: text that came from outside never becomes a formula.

OWASP, "CSV Injection", and OWASP ASVS 5.0, 1.2.10: a cell that begins with one of `= + - @`, a tab, a carriage return,
a line feed or a null, the full-width forms of the signs included, gets an apostrophe in front. A separator or a quote
inside a cell is treated as a beginning too: a spreadsheet that splits at semicolons sees cells where we wrote one.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from io import StringIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Cell = str | int | float | None
"""Text is hostile until it was escaped; a number is ours, and may well begin with a minus. None: an empty cell."""

BYTE_ORDER_MARK = "\ufeff"
"""Without it Excel in Japan takes UTF-8 for Shift_JIS."""
_SIGNS = frozenset("=+-@")
_OTHER_SIGNS = frozenset("\u2212\u2010\u2011\u2012\u2013\u2014")  # Signs that an input method writes for a minus.
_PARTS = re.compile(r"([,;\t\r\n|\"']+)")


def csv_text(headings: Sequence[str], rows: Iterable[Sequence[Cell]], *, for_excel: bool = True) -> str:
    """Return a table as CSV with CRLF line ends; `for_excel` puts a byte order mark in front.

    Numbers are written as they are, None as an empty cell. Raises ValueError for a row of another width than the
    headings.
    """
    out = StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([escaped(heading) for heading in headings])
    for row in rows:
        if len(row) != len(headings):
            raise ValueError(f"a row of {len(row)} cells under {len(headings)} headings")
        writer.writerow([_written(cell) for cell in row])
    return (BYTE_ORDER_MARK if for_excel else "") + out.getvalue()


def escaped(text: str) -> str:
    """Return text that no spreadsheet takes for a formula, with an apostrophe before whatever would begin one."""
    # With the group, what stands between the separators is at 0, 2, 4, ...
    parts = _PARTS.split(text)
    parts[::2] = [f"'{part}" if _begins_formula(part) else part for part in parts[::2]]
    whole = "".join(parts)
    return f"'{whole}" if whole[:1] in {"\t", "\r", "\n"} else whole


def _written(cell: Cell) -> str:
    if cell is None:
        return ""
    return escaped(cell) if isinstance(cell, str) else str(cell)


def _begins_formula(part: str) -> bool:
    """Tell whether the first sign that can be seen is one that begins a formula, in whatever width it is written."""
    if part[:1] == "\0":
        return True
    for character in part:
        if not _is_invisible(character):
            return character in _OTHER_SIGNS or unicodedata.normalize("NFKC", character)[:1] in _SIGNS
    return False


def _is_invisible(character: str) -> bool:
    # Blanks of all kinds (Z), controls and marks without a width (C): spreadsheets drop some of them.
    return unicodedata.category(character)[0] in {"Z", "C"}
