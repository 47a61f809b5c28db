"""The time line of a call, with a clock made of numbers."""

import asyncio
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from lab import audio
from lab.audio import RATE_HZ, Samples
from lab.recording import NotHeard, Recording

Answer = TypeVar("Answer")


def tone(seconds: float, hz: float = 440) -> Samples:
    """Return a sine at -12 dBFS."""
    return audio.sine(hz, round(seconds * RATE_HZ))


def arrive(recording: Recording, sound: Samples, from_s: float) -> float:
    """Feed sound packet by packet in real time, beginning at `from_s`; return when the last packet has come."""
    now_s = from_s
    for start in range(0, sound.size, 160):
        piece = sound[start : start + 160]
        now_s = from_s + (start + piece.size) / RATE_HZ
        recording.feed(piece, now_s)
    return now_s


def test_two_sounds_with_no_packets_between_keep_their_distance() -> None:
    """Two seconds without RTP are two seconds of silence."""
    recording = Recording()
    recording.begin(100.0)
    arrive(recording, tone(1.0), 100.0)
    arrive(recording, tone(1.0), 103.0)
    assert recording.duration_s == pytest.approx(4.0)
    assert recording.longest_silence_s() == pytest.approx(2.0, abs=0.02)
    assert audio.tone_share(recording.slice(3.0, 4.0), 440) > 0.9


def test_a_silence_before_the_first_packet_is_on_the_line() -> None:
    """The line begins at the answer, not at the first sound."""
    recording = Recording()
    recording.begin(100.0)
    arrive(recording, tone(0.5), 101.0)
    assert recording.longest_silence_s(0, 1) == pytest.approx(1.0)


def test_early_media_begins_the_line_and_the_answer_does_not_move_it() -> None:
    """What was heard before the answer has its place too."""
    recording = Recording()
    arrive(recording, tone(0.5), 100.0)
    recording.begin(100.5)
    assert recording.started_s == pytest.approx(100.0)
    assert recording.duration_s == pytest.approx(0.5)


def test_a_late_packet_is_joined_without_a_hole() -> None:
    """A hiccup of 200 ms is no silence: the sender's samples are contiguous."""
    recording = Recording()
    recording.begin(100.0)
    arrive(recording, tone(1.0), 100.0)
    recording.tick(101.2)
    arrive(recording, audio.sine(440, RATE_HZ, first=RATE_HZ), 101.2)
    assert np.array_equal(recording.slice(), tone(2.0))


def test_the_line_grows_by_the_clock_while_nothing_comes() -> None:
    """But only what is surely silence: the last 250 ms are still open."""
    recording = Recording()
    recording.begin(100.0)
    recording.tick(100.2)
    assert recording.duration_s == 0
    recording.tick(105.0)
    assert recording.duration_s == pytest.approx(4.75)


def test_what_has_been_read_as_silence_never_changes_afterwards() -> None:
    """A verdict on the past must not depend on when it was asked for."""
    recording = Recording()
    recording.begin(100.0)
    recording.tick(102.0)
    before = recording.slice()
    arrive(recording, tone(1.0), 102.0)
    assert np.array_equal(recording.slice(0, before.size / RATE_HZ), before)
    assert recording.duration_s == pytest.approx(3.0)
    assert recording.longest_silence_s() == pytest.approx(2.0)


def test_sound_after_the_end_is_dropped_and_the_line_stands_still() -> None:
    """The thread that feeds may be one tick behind the end."""
    recording = Recording()
    recording.begin(100.0)
    arrive(recording, tone(1.0), 100.0)
    recording.finish(103.0)
    recording.feed(tone(1.0), 104.0)
    recording.tick(110.0)
    assert recording.duration_s == pytest.approx(3.0)
    assert recording.finished


def test_a_call_that_was_never_answered_has_an_empty_line() -> None:
    """There is no start to count from."""
    recording = Recording()
    recording.tick(105.0)
    recording.finish(110.0)
    assert recording.duration_s == 0
    assert recording.started_s is None


def test_a_line_longer_than_its_first_room_keeps_everything() -> None:
    """The store grows while it is written."""
    recording = Recording()
    recording.begin(0.0)
    arrive(recording, tone(25.0), 0.0)
    assert np.array_equal(recording.slice(), tone(25.0))


def test_a_recording_is_saved_as_it_was_heard(tmp_path: Path) -> None:
    """To be listened to when a test has failed."""
    recording = Recording()
    arrive(recording, tone(1.0), 0.0)
    recording.save(tmp_path / "heard.wav")
    assert np.array_equal(audio.read_wav(tmp_path / "heard.wav"), tone(1.0))


async def still_waiting(waiting: asyncio.Task[Answer]) -> bool:
    """Let the task look at what is there; tell whether it waits for more."""
    done, _ = await asyncio.wait([waiting], timeout=0.1)
    return not done


async def test_waiting_for_a_tone_ends_with_the_packet_that_completes_it() -> None:
    """No packet comes after it, so a poll by later sound would hang."""
    recording = Recording()
    recording.begin(100.0)
    waiting = asyncio.create_task(recording.until_tone(880))
    now_s = arrive(recording, tone(1.0), 100.0)
    assert await still_waiting(waiting)
    arrive(recording, tone(1.0, 880), now_s)
    assert await waiting == pytest.approx(1.0, abs=0.11)


async def test_waiting_from_a_later_moment_does_not_see_what_came_before() -> None:
    """The same tone was there at second 0."""
    recording = Recording()
    recording.begin(100.0)
    arrive(recording, np.concatenate([tone(1.0), tone(1.0, 880), tone(1.0)]), 100.0)
    assert await recording.until_tone(440, from_s=1.5) == pytest.approx(2.0, abs=0.11)


async def test_waiting_for_sound_and_for_silence_tells_when_each_began() -> None:
    """Silence, sound, silence."""
    recording = Recording()
    recording.begin(100.0)
    arrive(recording, tone(1.0), 101.0)
    recording.tick(104.0)
    assert await recording.until_sound() == pytest.approx(1.0, abs=0.02)
    assert await recording.until_silence(1.5, from_s=1.0) == pytest.approx(2.0, abs=0.02)


@pytest.mark.parametrize("seam_s", [0.1, 0.77, 1.3, 1.95])
async def test_a_prompt_that_comes_in_two_parts_is_found_whole(seam_s: float) -> None:
    """Wherever the seam between two looks falls."""
    prompt = np.concatenate([tone(0.3, 300), tone(0.4, 510), tone(0.3, 690), tone(0.5, 400)])
    sound = np.concatenate([tone(0.5, 1000), prompt, tone(0.5, 1000)])
    recording = Recording()
    recording.begin(100.0)
    cut = round(seam_s * RATE_HZ)
    now_s = arrive(recording, sound[:cut], 100.0)
    waiting = asyncio.create_task(recording.until_prompt(prompt))
    assert await still_waiting(waiting)
    arrive(recording, sound[cut:], now_s)
    match = await waiting
    assert match.score > 0.99
    assert match.at_s == pytest.approx(0.5, abs=0.001)


async def test_the_end_of_the_call_ends_the_wait_and_says_what_was_heard() -> None:
    """At once, not after the minute that was granted."""
    recording = Recording()
    recording.begin(100.0)
    arrive(recording, tone(2.0), 100.0)
    waiting = asyncio.create_task(recording.until_tone(880, timeout_s=60))
    assert await still_waiting(waiting)
    recording.finish(102.0)
    with pytest.raises(NotHeard, match=r"880 Hz was not heard before the call ended: in 2\.0 s .* sound 100%"):
        await waiting


async def test_a_wait_that_takes_too_long_says_what_was_heard_and_leaves_nobody_waiting() -> None:
    """And the recording still serves the next one."""
    recording = Recording()
    recording.begin(100.0)
    with pytest.raises(NotHeard, match=r"any sound was not heard in 0\.01 s: nothing at all"):
        await recording.until_sound(timeout_s=0.01)
    arrive(recording, tone(0.2), 100.0)
    assert await recording.until_sound(timeout_s=1) == pytest.approx(0.0)


async def test_a_missing_prompt_names_the_file_and_the_nearest_score(tmp_path: Path) -> None:
    """So that a failed test can be understood without a rerun."""
    audio.write_wav(tmp_path / "goodbye.wav", tone(0.5, 900))
    recording = Recording()
    recording.begin(100.0)
    arrive(recording, tone(1.0), 100.0)
    recording.finish(101.0)
    with pytest.raises(NotHeard, match=r"prompt goodbye\.wav was not heard before .*nearest score 0\.\d\d"):
        await recording.until_prompt(tmp_path / "goodbye.wav")
