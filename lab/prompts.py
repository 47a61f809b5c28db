"""Where the rendered prompts lie, for those who listen for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.rootfolder import root_folder

if TYPE_CHECKING:
    from pathlib import Path

SOUNDS = "usr/share/asterisk/sounds"


def prompt_file(prompt: str, language: str) -> Path:
    """Return the 8 kHz file of a prompt. Raises FileNotFoundError."""
    root = root_folder()
    folder = within(root, root / SOUNDS / language)
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
