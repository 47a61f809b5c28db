"""One theatre for all scenes: a loop with virtual time, and a real database."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import structlog

from tests.journeys.scene import Scene
from tests.journeys.theatre import Theatre

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


IN_MEMORY = Path("/dev/shm")  # noqa: S108 - only a folder of our own in it is used
"""Where there is one: the sweeps commit some ten thousand times, and no test here pulls the plug."""


@pytest.fixture(scope="package")
def theatre() -> Iterator[Theatre]:
    """Open the database once; each scene empties it. What the house logs is not written meanwhile."""
    told = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with tempfile.TemporaryDirectory(dir=IN_MEMORY if IN_MEMORY.is_dir() else None) as folder:
        opened = Theatre(Path(folder))
        yield opened
        opened.close()
    structlog.configure(**told)


@pytest.fixture
def open_scene(theatre: Theatre) -> Iterator[Callable[..., Scene]]:
    """Return a way to open a scene, with the arguments of `Scene`; it is closed after the test."""
    opened: list[Scene] = []

    def begin(*args: object, **options: object) -> Scene:
        opened.append(Scene(theatre, *args, **options))  # type: ignore[arg-type]  # handed on as they came
        return opened[-1]

    yield begin
    for scene in opened:
        scene.close()
