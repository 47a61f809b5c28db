"""One theatre for all scenes: a loop with virtual time, and a real database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.journeys.scene import Scene, Theatre

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="package")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    """Open the database once; each scene empties it."""
    opened = Theatre(tmp_path_factory.mktemp("theatre"))
    yield opened
    opened.close()


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
