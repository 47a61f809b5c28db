"""The speech engines and the voice: those on this machine, or those in the root folder that Asterisk runs in.

Where there are none the tests fail: they are never skipped.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab.rootfolder import root_folder
from tests.adapters.prompt_workshop import FEW, PROMPTS, Rendering, Workshop, open_workshop, run

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def engines_root() -> Path:
    """Find the folder to enter for flite, Open JTalk and sox; / when this machine has them itself."""
    tools = ("flite", "open_jtalk", "sox", "python3")
    for root in (Path("/"), root_folder()):
        if all((root / "usr/bin" / tool).exists() for tool in tools):
            return root
    pytest.fail(f"no speech engines here or in {root_folder()}: install docker/asterisk/packages-build.txt")


@pytest.fixture(scope="session")
def voice() -> Path:
    """Fetch the Japanese voice with the script that the image build uses."""
    fetched = run(sys.executable, PROMPTS / "fetch-voice")
    assert fetched.returncode == 0, fetched.stderr
    return PROMPTS / "voice" / "mei_normal.htsvoice"


@pytest.fixture
def workshop(engines_root: Path, voice: Path) -> Iterator[Workshop]:
    """Give a copy to spoil, with a catalogue of two prompts."""
    for copy in open_workshop(engines_root, voice):
        copy.say(FEW)
        yield copy


@pytest.fixture(scope="session")
def rendering(engines_root: Path, voice: Path) -> Iterator[Rendering]:
    """Render the whole catalogue once."""
    for copy in open_workshop(engines_root, voice):
        done = copy.render()
        assert done.returncode == 0, done.stderr
        yield Rendering(copy.out, done.stderr)


@pytest.fixture(scope="session")
def sounds(rendering: Rendering) -> Path:
    """Return the folder of the rendered catalogue."""
    return rendering.sounds
