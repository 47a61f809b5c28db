"""The rendered prompts, for those who listen for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SOUNDS = "usr/share/asterisk/sounds"


@dataclass(frozen=True, slots=True)
class PromptFiles:
    """The prompts inside `root`: the root folder, or a copy of the image's sounds in the same place."""

    root: Path

    def file(self, prompt: str, language: str) -> Path:
        """Return the 8 kHz file of a prompt. Raises FileNotFoundError."""
        folder = within(self.root, self.root / SOUNDS / language)
        path = folder / "orikaeshi" / f"{prompt}.wav"
        if not path.is_file():
            raise FileNotFoundError(f"the prompt {prompt!r} was not rendered in {language!r}: {path} is missing")
        return path


def within(root: Path, path: Path) -> Path:
    """Follow the links of `path` as a process inside `root` would: an absolute one starts at `root` again."""
    while path.is_symlink():
        target = path.readlink()
        path = root / target.relative_to("/") if target.is_absolute() else path.parent / target
    return path
