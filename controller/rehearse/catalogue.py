"""The words of the prompts: the catalogue in the repository, one row a prompt and one column a language."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_CATALOGUE = Path(__file__).parents[2] / "asterisk-conf" / "prompts" / "catalogue.tsv"
"""Where it lies in the source tree."""

_SPOKEN_IN = re.compile(r"^\[[a-z]{2,3}(_[A-Z]{2})?\] ")
"""A row may be spoken by another language's voice: `[en] For English, press 8.`."""


class CatalogueError(Exception):
    """The catalogue cannot be read; the text says why."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What each prompt says."""

    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By language, then by the prompt's id."""

    @property
    def is_there(self) -> bool:
        """Whether there is one at all; without it nothing can be told of what is missing."""
        return bool(self.texts)

    def text(self, prompt: str, language: str) -> str | None:
        """Return what a prompt says, or None when it is not there in this language."""
        return self.texts.get(language, {}).get(prompt)


def read_catalogue(path: Path) -> Catalogue:
    """Return the catalogue in a file of tab-separated columns: `id`, then languages. Raises CatalogueError."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
    except (OSError, ValueError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else "is no table of UTF-8 text"
        raise CatalogueError(f"{path}: {reason}") from None
    if header[:1] != ["id"]:
        raise CatalogueError(f'{path}: its first column must be "id", then one for each language')
    texts: dict[str, dict[str, str]] = {language: {} for language in header[1:]}
    for row in rows:
        for language, text in zip(header[1:], row[1:], strict=False):
            if text.strip():
                texts[language][row[0]] = _SPOKEN_IN.sub("", text.strip())
    return Catalogue(texts)
