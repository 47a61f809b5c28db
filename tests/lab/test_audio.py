"""The ears: what counts as silence, as a tone, as a given prompt, as music."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab import audio
from lab.audio import RATE_HZ, Samples

DICE_SEED = 20260101


def noise(seconds: float, level_dbfs: float) -> Samples:
    """White noise, the same at every run."""
    dice = np.random.default_rng(DICE_SEED)
    spread = 32768 * 10 ** (level_dbfs / 20)
    return np.clip(dice.normal(0, spread, round(seconds * RATE_HZ)), -32768, 32767).astype(np.int16)


def silence(seconds: float) -> Samples:
    """Nothing, as samples."""
    return np.zeros(round(seconds * RATE_HZ), dtype=np.int16)


def tune(notes_hz: list[float], note_s: float = 0.2) -> Samples:
    """Several notes after one another, each with two overtones."""
    count = round(note_s * RATE_HZ)
    parts = [
        audio.sine(hz, count, level_dbfs=-20)
        + audio.sine(2 * hz, count, level_dbfs=-26)
        + audio.sine(3 * hz, count, level_dbfs=-32)
        for hz in notes_hz
    ]
    return np.concatenate(parts).astype(np.int16)


def mixed(one: Samples, other: Samples) -> Samples:
    """Two sounds at once."""
    both: npt.NDArray[np.int32] = np.clip(one.astype(np.int32) + other, -32768, 32767)
    return both.astype(np.int16)


PROMPT = np.concatenate(
    [silence(0.1), tune([300, 500, 420, 610, 350, 700]), silence(0.12), tune([450, 380, 520]), silence(0.25)]
)


@pytest.mark.parametrize("level_dbfs", [-60.0, -30.0, -12.0, -3.0])
def test_a_sine_has_the_loudness_that_was_asked_for(level_dbfs: float) -> None:
    """From well below the silence limit up to full scale."""
    assert audio.loudness_dbfs(audio.sine(440, RATE_HZ, level_dbfs=level_dbfs)) == pytest.approx(level_dbfs, abs=0.2)


def test_nothing_at_all_has_the_lowest_loudness() -> None:
    """No samples and samples of zero are the same to an ear; no logarithm of 0."""
    assert audio.loudness_dbfs(silence(0)) == -120
    assert audio.loudness_dbfs(silence(1)) == -120


@given(cut=st.integers(1, 799), hz=st.floats(100, 3500))
def test_pieces_of_a_sine_join_without_a_click(cut: int, hz: float) -> None:
    """The pump writes a tone in pieces of whatever length is missing."""
    joined = np.concatenate([audio.sine(hz, cut), audio.sine(hz, 800 - cut, first=cut)])
    assert np.array_equal(joined, audio.sine(hz, 800))


def test_sound_below_minus_55_dbfs_is_silence_and_above_it_is_not() -> None:
    """The limit itself, 2 dB to either side."""
    assert not audio.sounding(audio.sine(440, RATE_HZ, level_dbfs=-57)).any()
    assert audio.sounding(audio.sine(440, RATE_HZ, level_dbfs=-53)).all()


@pytest.mark.parametrize(
    ("pieces", "longest_s"),
    [
        ([], 0.0),
        ([("sound", 1.0)], 0.0),
        ([("silence", 1.0)], 1.0),
        ([("silence", 0.4), ("sound", 1.0), ("silence", 0.8), ("sound", 0.2), ("silence", 0.6)], 0.8),
        ([("sound", 0.2), ("silence", 0.5)], 0.5),
    ],
)
def test_the_longest_silence_is_found_wherever_it_stands(pieces: list[tuple[str, float]], longest_s: float) -> None:
    """At the start, at the end, in between, or all of it."""
    parts = [silence(long) if kind == "silence" else noise(long, -30) for kind, long in pieces]
    assert audio.longest_silence_s(np.concatenate([silence(0), *parts])) == pytest.approx(longest_s)


@given(hz=st.floats(200, 3400))
def test_a_sine_of_any_telephone_frequency_is_recognised_as_that_tone(hz: float) -> None:
    """Also where the frequency is no multiple of the window's 10 Hz."""
    assert audio.tone_share(audio.sine(hz, RATE_HZ), hz) > 0.95


@pytest.mark.parametrize(
    "sound",
    [
        audio.sine(480, RATE_HZ),
        mixed(audio.sine(440, RATE_HZ), audio.sine(480, RATE_HZ)),
        noise(1, -20),
        silence(1),
        PROMPT,
    ],
    ids=["a neighbouring tone", "a dual tone", "noise", "silence", "a tune"],
)
def test_what_is_not_the_tone_is_not_taken_for_it(sound: Samples) -> None:
    """The share falls below the limit of 0.8."""
    assert audio.tone_share(sound, 440) < audio.TONE_SHARE


def test_a_tone_under_noise_is_still_that_tone() -> None:
    """A signal-to-noise ratio of 12 dB."""
    assert audio.tone_share(mixed(audio.sine(440, RATE_HZ, level_dbfs=-20), noise(1, -32)), 440) > audio.TONE_SHARE


@pytest.mark.parametrize("before_s", [0.0, 0.8, 5.3])
def test_a_prompt_is_found_where_it_begins_whatever_its_level(before_s: float) -> None:
    """10 dB down and under noise, placed to the millisecond."""
    quieter = (PROMPT * 0.3).astype(np.int16)
    heard = mixed(
        np.concatenate([silence(before_s), quieter, silence(2)]), noise(before_s + 2 + PROMPT.size / RATE_HZ, -50)
    )
    match = audio.find_prompt(heard, PROMPT)
    assert match.score > 0.9
    assert match.at_s == pytest.approx(before_s, abs=0.001)


def test_of_a_prompt_that_was_said_three_times_the_first_is_found() -> None:
    """A number with three zeros is read back so; who looks for each of them after the one before finds all three."""
    said = np.concatenate([silence(0.4), PROMPT, silence(0.2), PROMPT, silence(0.2), PROMPT, silence(1)])
    found_s, from_s = [], 0.0
    for _ in range(3):
        at_s = from_s + audio.find_prompt(said[round(from_s * RATE_HZ) :], PROMPT).at_s
        found_s.append(at_s)
        from_s = at_s + 0.5 * PROMPT.size / RATE_HZ
    step_s = PROMPT.size / RATE_HZ + 0.2
    assert found_s == pytest.approx([0.4, 0.4 + step_s, 0.4 + 2 * step_s], abs=0.001)


def test_a_prompt_goes_on_after_a_gap_in_its_middle() -> None:
    """A machine under load loses a tenth of a second of sound; the prompt was said all the same."""
    third = PROMPT.size // 3
    heard = np.concatenate([silence(1), PROMPT[:third], silence(0.12), PROMPT[third:], silence(1)])
    match = audio.find_prompt(heard, PROMPT)
    assert match.score > audio.PROMPT_SCORE
    assert match.at_s == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize(
    "heard",
    [
        tune([333, 444, 555, 391, 612, 480, 500, 361, 290, 700]),
        np.concatenate([PROMPT[: PROMPT.size // 2], silence(3)]),
        audio.sine(440, 4 * RATE_HZ),
        noise(4, -20),
        silence(4),
        silence(0),
        PROMPT[: PROMPT.size // 2],
    ],
    ids=["another tune", "its first half", "a tone", "noise", "silence", "nothing", "a recording that is too short"],
)
def test_what_is_not_the_prompt_does_not_score_as_it(heard: Samples) -> None:
    """Its own first half is the hardest: plain correlation gives it more than 0.7."""
    assert audio.find_prompt(heard, PROMPT).score < audio.PROMPT_SCORE


def test_a_prompt_of_silence_is_never_found() -> None:
    """Or it would be found everywhere."""
    assert audio.find_prompt(noise(2, -20), silence(1)).score == 0


def test_a_tune_looks_like_music() -> None:
    """Nine notes with overtones."""
    assert audio.looks_like_music(PROMPT)


@pytest.mark.parametrize(
    "sound",
    [
        audio.sine(440, 3 * RATE_HZ),
        mixed(audio.sine(440, 3 * RATE_HZ), audio.sine(480, 3 * RATE_HZ)),
        np.concatenate([audio.sine(400, 4000), silence(0.2)] * 4),
        noise(3, -20),
        silence(3),
        silence(0),
        np.concatenate([PROMPT, silence(6)]),
    ],
    ids=["a tone", "a dual tone", "a ringback", "noise", "silence", "nothing", "music that stopped"],
)
def test_what_is_no_music_does_not_look_like_it(sound: Samples) -> None:
    """Whatever else a held caller may get to hear."""
    assert not audio.looks_like_music(sound)


def test_a_wav_file_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    """Sample for sample."""
    audio.write_wav(tmp_path / "prompt.wav", PROMPT)
    assert np.array_equal(audio.read_wav(tmp_path / "prompt.wav"), PROMPT)


def test_a_wav_file_of_another_rate_is_refused_by_name(tmp_path: Path) -> None:
    """Asterisk would not play it as .wav either."""
    path = tmp_path / "wide.wav"
    audio.write_wav(path, PROMPT)
    held = bytearray(path.read_bytes())
    held[24:28] = (16000).to_bytes(4, "little")
    path.write_bytes(bytes(held))
    with pytest.raises(ValueError, match=r"wide\.wav: 16000 Hz"):
        audio.read_wav(path)
