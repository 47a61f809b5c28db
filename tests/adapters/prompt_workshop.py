"""A copy of asterisk-conf/prompts to render and to spoil, where the speech engines are, and ears for what comes out."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import tempfile
import wave
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

PROMPTS = Path(__file__).parents[2] / "asterisk-conf" / "prompts"
CATALOGUE = [line.split("\t") for line in (PROMPTS / "catalogue.tsv").read_text(encoding="utf-8").splitlines()]
FEW = "id\ten\tja\nwelcome\tThank you.\tありがとうございます。\ndigit-8\teight\tハチ\n"


def run(
    *command: str | Path, root: Path = Path("/"), env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command, in another root folder when one is given, with `env` on top of the environment."""
    enter = [] if root == Path("/") else ["chroot", str(root)]
    words = [*enter, *(str(word) for word in command)]
    return subprocess.run(  # noqa: S603 - the words come from this file
        words, capture_output=True, encoding="utf-8", check=False, env={**os.environ, **(env or {})}
    )


@dataclasses.dataclass(frozen=True)
class Workshop:
    """A copy of asterisk-conf/prompts in `folder`, inside the root folder that holds the engines."""

    folder: Path
    root: Path

    @property
    def out(self) -> Path:
        """Where `render` writes."""
        return self.folder / "out"

    def render(self, *options: str) -> subprocess.CompletedProcess[str]:
        """Run `render` on the copy; no option renders into `out`."""
        inside = Path("/") / self.folder.relative_to(self.root)
        return run(inside / "render", *(options or [str(inside / "out")]), root=self.root)

    def say(self, catalogue: str) -> None:
        """Put another catalogue in the place of the real one."""
        (self.folder / "catalogue.tsv").write_text(catalogue, encoding="utf-8")

    def record(self, name: str, samples: np.ndarray, rate_hz: int) -> None:
        """Put a recording of an admin (frames x channels, int16) into the copy."""
        file = self.folder / "recordings" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(file), "wb") as sound:
            sound.setnchannels(samples.shape[1])
            sound.setsampwidth(2)
            sound.setframerate(rate_hz)
            sound.writeframes(samples.astype("<i2").tobytes())


@dataclasses.dataclass(frozen=True)
class Rendering:
    """The whole catalogue, rendered: `sounds` holds en/orikaeshi and ja/orikaeshi, `said` what came on stderr."""

    sounds: Path
    said: str


def heard(file: Path) -> np.ndarray:
    """Return the samples of a plain 44-byte-header WAV file, 1.0 being full scale."""
    return np.frombuffer(file.read_bytes()[44:], dtype="<i2") / 32768


def open_workshop(engines_root: Path, voice: Path) -> Iterator[Workshop]:
    """Copy the prompts to where the engines are, without any recording of this machine's admin."""
    assert voice.is_file()
    with tempfile.TemporaryDirectory(prefix="prompts-", dir=engines_root / "tmp") as name:
        folder = Path(name) / "prompts"
        shutil.copytree(PROMPTS, folder, ignore=shutil.ignore_patterns("recordings", "__pycache__"))
        yield Workshop(folder, engines_root)
