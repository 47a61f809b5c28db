"""Which agents' talks are being recorded, in memory: filled by journeys, and by whoever finds one after a restart."""

from __future__ import annotations

from controller.domain.recording import RecordingState
from controller.journeys.recorded import Recorded


def test_a_recording_that_is_told_of_again_stays_as_it_is_known() -> None:
    """A pause is not undone by somebody who read the row before it."""
    recorded = Recorded()
    recorded.begun("alice", "one", paused=True)
    recorded.begun("alice", "one")
    assert recorded.of("alice") == ("one", RecordingState.PAUSED)
    recorded.set_paused("one", paused=False)
    assert recorded.of("alice") == ("one", RecordingState.RUNNING)


def test_the_late_end_of_a_talk_does_not_end_the_next_one() -> None:
    """An agent has one talk at a time, and its recording is ended behind it."""
    recorded = Recorded()
    recorded.begun("alice", "one")
    recorded.begun("alice", "two")
    recorded.ended("one")
    recorded.set_paused("one", paused=True)
    assert recorded.of("alice") == ("two", RecordingState.RUNNING)
    recorded.ended("two")
    assert recorded.of("alice") is None


def test_who_looks_is_told_of_every_change_and_of_nothing_else() -> None:
    """Begun, paused, ended."""
    recorded, seen = Recorded(), []
    recorded.on_changed = lambda: seen.append(recorded.of("alice"))
    recorded.begun("alice", "one")
    recorded.begun("alice", "one")
    recorded.set_paused("one", paused=True)
    recorded.set_paused("two", paused=True)
    recorded.ended("one")
    recorded.ended("one")
    assert seen == [("one", RecordingState.RUNNING), ("one", RecordingState.PAUSED), None]
