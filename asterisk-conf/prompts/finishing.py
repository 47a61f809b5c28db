# ruff: noqa: INP001 - a neighbour of the script `render`, which is copied into an image as a plain folder
"""From a raw voice or an admin's recording to files that Asterisk plays: trimmed, levelled, checked."""

from __future__ import annotations  # array.array[int] is no expression before Python 3.12

import array
import math
import operator
import pathlib
import subprocess
import tempfile
import wave

# The level of Asterisk's own core sounds, so that the two can follow one another.
TARGET_LEVEL_DBFS = -19.0
MAX_PEAK_DBFS = -1.0
# What a finished file may have: resampling moves the peak a little, a peaky voice stays below the target.
LEVEL_RANGE_DBFS = (-25.0, -16.0)
PEAK_LIMIT_DBFS = -0.3
LENGTH_RANGE_S = (0.15, 12.0)
FRAME_S = 0.02
# A frame this far below the loudest one is a gap between words, not speech.
GAP_BELOW_LOUDEST_DB = 30.0
# Asterisk plays .wav at 8 kHz only; 16 kHz must be named .wav16 (format_wav.c).
FORMATS = {".wav": 8000, ".wav16": 16000}
WAV_HEADER_BYTES = 44
# No dither and no fresh random numbers, so that two renders are the same to the bit.
SOX = ("sox", "-D", "-R")


class MistakeError(Exception):
    """Something a person must put right; the text says what, where and what to do."""


def run(*command: str | pathlib.Path, text: str | None = None) -> None:
    """Run one tool. Raises MistakeError with the tool's own words when it fails."""
    done = subprocess.run(  # noqa: S603 - the commands are those written in this file, and no shell reads them
        [str(word) for word in command], input=text, capture_output=True, encoding="utf-8", check=False
    )
    if done.returncode != 0:
        raise MistakeError(f"{command[0]} failed ({done.returncode}): {' '.join(done.stderr.split())}")


def finish(raw: pathlib.Path, target: pathlib.Path, padding_s: tuple[float, float], *, pause: bool) -> None:
    """Write `raw` (whatever sox reads) as `target` plus each suffix of FORMATS, and check what came out.

    `padding_s` is the silence before and after. A `pause` is silence: it is neither trimmed nor levelled.
    Raises MistakeError.
    """
    with tempfile.TemporaryDirectory() as name:
        speech, narrow = pathlib.Path(name) / "speech.wav", pathlib.Path(name) / "narrow.wav"
        # Trimmed at 16 kHz, where an "s" at either end is loud enough to be kept.
        silent_end = ("silence", "1", "0.01", "0.05%", "reverse") if not pause else ()
        clean = ("remix", "-", "rate", "16000", "highpass", "100", "norm", "-3")
        run(*SOX, raw, "-b", "16", speech, *clean, *silent_end, *silent_end)
        run(*SOX, speech, narrow, "rate", "8000")
        for suffix, (rate_hz, source) in zip(FORMATS, ((8000, narrow), (16000, speech)), strict=True):
            # Levelled at its own rate: at 8 kHz half of that "s" is gone, and its gain would not do.
            samples = samples_of(source)
            level_dbfs, peak_dbfs = loudness(samples, rate_hz)
            gain_db = 0.0 if pause else min(TARGET_LEVEL_DBFS - level_dbfs, MAX_PEAK_DBFS - peak_dbfs)
            file = target.with_suffix(suffix)
            write(file, samples, rate_hz, gain_db, padding_s)
            check(file, rate_hz, pause=pause)


def write(
    file: pathlib.Path, samples: array.array[int], rate_hz: int, gain_db: float, padding_s: tuple[float, float]
) -> None:
    """Write a WAV file of `samples`, louder by `gain_db`, which must not clip, with silence on both sides."""
    factor = 10 ** (gain_db / 20)
    levelled = array.array("h", map(round, map(factor.__mul__, samples)))
    before, after = (bytes(2 * round(rate_hz * seconds)) for seconds in padding_s)
    with wave.open(str(file), "wb") as sound:
        sound.setparams((1, 2, rate_hz, 0, "NONE", ""))
        sound.writeframes(before + levelled.tobytes() + after)


def samples_of(file: pathlib.Path) -> array.array[int]:
    """Return the samples of a 16-bit mono WAV file."""
    with wave.open(str(file), "rb") as sound:
        return array.array("h", sound.readframes(sound.getnframes()))


def dbfs(amplitude: float) -> float:
    """Return decibels below a full-scale 16-bit sample."""
    return 20 * math.log10(max(amplitude, 0.5) / 32768)


def loudness(samples: array.array[int], rate_hz: int) -> tuple[float, float]:
    """Return the level of the active speech, without the gaps between words, and the peak; both in dBFS."""
    size = int(rate_hz * FRAME_S)
    frames = [samples[start : start + size] for start in range(0, max(len(samples) - size, 1), size)]
    power = [sum(map(operator.mul, frame, frame)) / size for frame in frames]
    floor = max(power) / 10 ** (GAP_BELOW_LOUDEST_DB / 10)
    active = [value for value in power if value >= floor]
    peak = max(map(abs, samples), default=0)
    return dbfs(math.sqrt(sum(active) / len(active))), dbfs(peak)


def check(file: pathlib.Path, rate_hz: int, *, pause: bool) -> None:
    """Look at a finished file as Asterisk and a caller will. Raises MistakeError."""
    with wave.open(str(file), "rb") as sound:
        found = (sound.getframerate(), sound.getnchannels(), sound.getsampwidth())
        length_s = sound.getnframes() / rate_hz
        plain = file.stat().st_size == WAV_HEADER_BYTES + 2 * sound.getnframes()
    if found != (rate_hz, 1, 2) or not plain:
        raise MistakeError(f"the file is something else than {rate_hz} Hz 16-bit mono with a plain header: {found}")
    level_dbfs, peak_dbfs = loudness(samples_of(file), rate_hz)
    if not pause and not LEVEL_RANGE_DBFS[0] <= level_dbfs <= LEVEL_RANGE_DBFS[1]:
        raise MistakeError(f"speech at {level_dbfs:.1f} dBFS, not {LEVEL_RANGE_DBFS}: is it silent, or all peaks?")
    if peak_dbfs > PEAK_LIMIT_DBFS:
        raise MistakeError(f"it peaks at {peak_dbfs:.1f} dBFS, over {PEAK_LIMIT_DBFS}: it would be distorted")
    if not LENGTH_RANGE_S[0] <= length_s <= LENGTH_RANGE_S[1]:
        raise MistakeError(f"{length_s:.2f} s long; {LENGTH_RANGE_S[0]} to {LENGTH_RANGE_S[1]} s are wanted")
