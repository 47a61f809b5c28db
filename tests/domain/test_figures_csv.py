"""CSV that a spreadsheet opens as what it is."""

from __future__ import annotations

import csv
import re
import unicodedata
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.csv_text import BYTE_ORDER_MARK, csv_text, escaped

SIGNS = "=+-@=+-@﹦﹢﹣﹫−"
hostile = st.text(st.sampled_from([*SIGNS, *",;\t\r\n\0|\"'  \u00a0\u3000\ufeff\u200bA1!(日"]), max_size=12) | st.text(
    max_size=12
)


def begins_formula(piece: str) -> bool:
    """Tell whether a spreadsheet that drops what cannot be seen would take a piece for a formula."""
    seen = [sign for sign in piece if unicodedata.category(sign)[0] not in {"Z", "C"}]
    return bool(seen) and (unicodedata.normalize("NFKC", seen[0])[0] in "=+-@" or seen[0] == "−")


@pytest.mark.parametrize("sign", list(SIGNS))
@pytest.mark.parametrize("before", ["", " ", "\u00a0", "\u3000", "\ufeff", "\u200b", "\0"])
def test_a_cell_that_begins_like_a_formula_gets_an_apostrophe(sign: str, before: str) -> None:
    """Whatever its width, and whatever that cannot be seen stands before it."""
    assert escaped(f"{before}{sign}1+1") == f"'{before}{sign}1+1"


@pytest.mark.parametrize("begin", ["\t", "\r", "\n", "\0"])
def test_a_cell_that_begins_with_a_control_character_gets_one_too(begin: str) -> None:
    """As OWASP has it, whatever follows."""
    assert escaped(f"{begin}harmless") == f"'{begin}harmless"


@pytest.mark.parametrize("text", ["", "sales", "営業部", "3-5", "a=b", "ends with =", "mail@example.jp", "東京・大阪"])
def test_other_text_stays_as_it_is(text: str) -> None:
    """A sign in the middle makes no formula."""
    assert escaped(text) == text


@given(hostile, hostile)
def test_no_piece_of_the_file_begins_a_formula_wherever_a_spreadsheet_cuts_it(one: str, other: str) -> None:
    """At commas, semicolons, tabs, bars, quotes or line ends."""
    file = csv_text(["name", "other"], [[one, other]], for_excel=False)
    assert not any(begins_formula(piece) for piece in re.split(r"[,;\t\r\n|\"]+", file))


@given(st.lists(st.tuples(hostile, hostile), max_size=4))
def test_a_reader_gets_the_same_table_back(table: list[tuple[str, str]]) -> None:
    """With apostrophes, and nothing else changed: no cell becomes two, no row is lost."""
    text = csv_text(["a", "b"], table)
    assert text.startswith(BYTE_ORDER_MARK)
    read = list(csv.reader(StringIO(text.removeprefix(BYTE_ORDER_MARK), newline="")))
    assert read == [["a", "b"], *([escaped(cell) for cell in row] for row in table)]
    for row, cells in zip(table, read[1:], strict=True):
        for before, after in zip(row, cells, strict=True):
            assert before.replace("'", "") == after.replace("'", "")


def test_numbers_are_ours_and_are_written_as_they_are() -> None:
    """Also below nothing: a loss of 12.5 s is no formula. What is not known is empty, not 0."""
    assert csv_text(["a", "b", "c"], [[-12.5, 0, None]], for_excel=False) == "a,b,c\r\n-12.5,0,\r\n"


def test_a_heading_is_text_like_any_other() -> None:
    """Names of queues may stand there one day."""
    assert csv_text(["=A1"], [], for_excel=False) == "'=A1\r\n"


def test_a_row_of_another_width_is_refused() -> None:
    """Its cells would stand under the wrong headings."""
    with pytest.raises(ValueError, match="a row of 1 cells under 2 headings"):
        csv_text(["a", "b"], [["x"]])
