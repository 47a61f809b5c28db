"""Scenes of queues that record: what was said of it, and what was written down."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import structlog
from structlog.testing import capture_logs

from controller.domain.recording import RecordingMode
from controller.journeys import prompts
from controller.ports.recordings import WantedRecordings
from controller.ports.survey import Role
from tests.journeys.scene import CARDS
from tests.journeys.scripted_channel import Person
from tests.journeys.stories import AGENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller.domain.recording import Recording
    from tests.journeys.scene import Scene

ANNOUNCED = replace(CARDS, recording=RecordingMode.ANNOUNCED)
ASKED = replace(CARDS, recording=RecordingMode.ASKED)
PATIENT = Person(talks_s=None, patience_s=600)
TALKS = replace(AGENT, talks_s=20)
NUMBER = "+819012345678"
BEING_TOLD = {prompts.RECORDING_NOTICE, prompts.RECORDING_ASK}


@contextmanager
def logged() -> Iterator[list[Any]]:
    """Collect what is logged, which the stage keeps quiet otherwise."""
    quiet = structlog.get_config()["wrapper_class"]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.NOTSET))
    try:
        with capture_logs() as logs:
            yield logs
    finally:
        structlog.configure(wrapper_class=quiet)


def rows(scene: Scene) -> list[Recording]:
    """Return what is written down of every recording whose sound is there, the last to begin first."""
    book = scene.theatre.store.recordings
    return scene.theatre.outside(book.page(WantedRecordings(), after=None, limit=100))


def says(key: str, *, talks_s: float | None = None) -> Person:
    """Return somebody who answers the question with a key."""
    return Person(presses={prompts.RECORDING_ASK: [key]}, talks_s=talks_s, patience_s=600)


def told(scene: Scene) -> list[str]:
    """Return what was said of recording, to callers and customers, in order."""
    parties = (*scene.pbx.of(Role.CALLER), *scene.pbx.of(Role.CUSTOMER))
    return [prompt for channel in parties for prompt in channel.heard if prompt in BEING_TOLD]
