"""What a piece of sound is: its loudness, whether it is a given tone, a given prompt or music.

Pure functions. Sound is a one-dimensional numpy array of int16 at 8,000 samples a second, mono (what G.711
carries, RFC 3551 section 4.5.14). Loudness is the root mean square against 32,768 in dB, so that a sine at full
scale is -3 dBFS.
"""

import math
import wave
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]

RATE_HZ = 8000
SILENCE_DBFS = -55.0
TONE_SHARE = 0.8
PROMPT_SCORE = 0.7

FRAME = RATE_HZ // 50  # 20 ms, one RTP packet
WINDOW = RATE_HZ // 10  # 100 ms: tells tones 10 Hz apart
_FULL_SCALE = 32768.0
_FLOOR_DBFS = -120.0
_PIECE = RATE_HZ // 2
SLACK = RATE_HZ * 6 // 10
"""By how much of a second, all gaps together, a piece of a prompt may come late."""
_MOST_PLACES = 20
_SILENT_SQUARE = 10 ** (SILENCE_DBFS / 10) * _FULL_SCALE**2


class Match(NamedTuple):
    """Where a reference fits best: `score` from 0 to 1 (above 0.7 it is there), `at_s` where it begins."""

    score: float
    at_s: float


def sine(hz: float, count: int, *, first: int = 0, level_dbfs: float = -12.0) -> Samples:
    """Return samples `first` to `first + count` of an endless sine, so that pieces join without a click."""
    peak = _FULL_SCALE * 10 ** (level_dbfs / 20) * math.sqrt(2)
    steps = np.arange(first, first + count, dtype=np.float64)
    wanted: npt.NDArray[np.float64] = np.clip(
        peak * np.sin(2 * np.pi * hz / RATE_HZ * steps), -_FULL_SCALE, _FULL_SCALE - 1
    )
    return wanted.astype(np.int16)


def loudness_dbfs(samples: Samples) -> float:
    """Return the loudness of all of it; -120 for nothing at all."""
    if samples.size == 0:
        return _FLOOR_DBFS
    mean_square = float(np.mean(np.square(samples.astype(np.float64)))) / _FULL_SCALE**2
    return max(_FLOOR_DBFS, 10 * math.log10(mean_square + 1e-12))


def sounding(samples: Samples) -> npt.NDArray[np.bool_]:
    """Return for every whole 20 ms frame whether it is sound (true) or silence (below -55 dBFS)."""
    frames = _pieces(samples, FRAME)
    return np.asarray(np.mean(np.square(frames), axis=1) > _SILENT_SQUARE)


def longest_silence_s(samples: Samples) -> float:
    """Return the longest run of silent 20 ms frames, in seconds."""
    edges = np.flatnonzero(np.diff(np.concatenate(([True], sounding(samples), [True])).astype(np.int8)))
    runs = edges[1::2] - edges[::2]
    return float(runs.max(initial=0)) * FRAME / RATE_HZ


def tone_shares(samples: Samples, hz: float) -> npt.NDArray[np.float64]:
    """Return for every whole 100 ms window which share (0 to 1) of its energy lies at `hz`; 0 in silence.

    The single-frequency Fourier sum that Goertzel's recursion computes, for all windows at once.
    """
    windows = _pieces(samples, WINDOW)
    probe = np.exp(-2j * np.pi * hz / RATE_HZ * np.arange(WINDOW))
    at_hz = 2 * np.square(np.abs(windows @ probe)) / WINDOW**2
    energy = np.mean(np.square(windows), axis=1)
    return np.where(energy > _SILENT_SQUARE, np.minimum(1.0, at_hz / np.maximum(energy, 1e-9)), 0.0)


def tone_share(samples: Samples, hz: float) -> float:
    """Return the median share of `hz` over 100 ms windows; above 0.8 the sound is that tone."""
    shares = tone_shares(samples, hz)
    return float(np.median(shares)) if shares.size else 0.0


def find_prompt(recording: Samples, reference: Samples) -> Match:
    """Return how well `reference` is found whole in `recording`, and where the reference's first sample lies.

    Normalised cross-correlation by FFT, piece by piece: a machine under load makes the odd gap of some 100 ms, and
    everything behind it comes later by that much. The pieces are looked for around their places, and the score is
    the median of the worse half, because the first half alone, then silence, must not count. Silence around the
    reference is not looked for (a pause is sent as no packets), and `at_s` is still where the whole reference starts,
    so it can be slightly negative. A reference of nothing but silence is never found.
    """
    lead, needle = _without_edges(reference)
    if recording.size < needle.size or needle.size == 0:
        return Match(0.0, 0.0)
    count = max(2, round(needle.size / _PIECE))
    edges = [needle.size * number // count for number in range(count + 1)]
    likeness = [_likeness_everywhere(recording, needle[start:end]) for start, end in pairwise(edges)]
    # The surest piece says where the others have to be; of a prompt that was said twice, the first time counts.
    surest = int(np.argmax([places.max() for places in likeness]))
    matches = [_match(likeness, edges, surest, place - edges[surest]) for place in _best_places(likeness[surest])]
    found = next((match for match in matches if match.score > PROMPT_SCORE), max(matches))
    return Match(found.score, found.at_s - lead / RATE_HZ)


def looks_like_music(samples: Samples) -> bool:
    """Tell whether it is sound that moves about in pitch: music or speech, not silence, a tone, ringback or noise.

    Sound in at least half of the 20 ms frames; over 100 ms windows at least five different strongest
    frequencies (a ringback or busy signal has one or two); and in the median window the eight strongest of 400
    frequencies hold more than a third of the energy (in white noise they hold a tenth).
    """
    heard = sounding(samples)
    if heard.size == 0 or float(np.mean(heard)) < 0.5:  # noqa: PLR2004 - the half of the docstring
        return False
    windows = _pieces(samples, WINDOW)
    power = np.square(np.abs(np.fft.rfft(windows * np.hanning(WINDOW), axis=1)))[:, 2:]
    power = power[power.sum(axis=1) > power.sum(axis=1).max() * 1e-4]
    strongest = np.argmax(power, axis=1) // 2
    share = np.sort(power, axis=1)[:, -8:].sum(axis=1) / power.sum(axis=1)
    return np.unique(strongest).size >= 5 and float(np.median(share)) > 1 / 3  # noqa: PLR2004 - docstring


def read_wav(path: Path) -> Samples:
    """Read a prompt file.

    Raises ValueError, naming the file and what it holds, when it is not 8 kHz mono 16 bit (what Asterisk plays
    from a `.wav`).
    """
    with wave.open(str(path), "rb") as file:
        held = (file.getframerate(), file.getnchannels(), file.getsampwidth())
        if held != (RATE_HZ, 1, 2):
            message = f"{path}: {held[0]} Hz, {held[1]} channel(s), {8 * held[2]} bit; needed is 8000 Hz, 1, 16 bit"
            raise ValueError(message)
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.int16)


def write_wav(path: Path, samples: Samples) -> None:
    """Write samples as an 8 kHz mono 16-bit WAV file; raises OSError when it cannot be written."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.astype("<i2").tobytes())


def _pieces(samples: Samples, length: int) -> npt.NDArray[np.float64]:
    whole = samples.size // length
    return samples[: whole * length].reshape(whole, length).astype(np.float64)


def _likeness_everywhere(recording: Samples, piece: Samples) -> npt.NDArray[np.float64]:
    """Return for every place in `recording` the cosine, 0 to 1, between `piece` and what is heard there."""
    places = recording.size - piece.size + 1
    size = 1 << int(recording.size + piece.size - 1).bit_length()
    hay, pin = recording.astype(np.float64), piece.astype(np.float64)
    products = np.fft.irfft(np.fft.rfft(hay, size) * np.conj(np.fft.rfft(pin, size)), size)[:places]
    running = np.concatenate(([0.0], np.cumsum(np.square(hay))))
    energy = np.maximum(running[piece.size :] - running[:places], piece.size * _SILENT_SQUARE)
    wanted = max(float(np.sum(np.square(pin))), piece.size * _SILENT_SQUARE)
    return np.asarray(np.clip(products / np.sqrt(energy * wanted), 0.0, 1.0), dtype=np.float64)


def _best_places(places: npt.NDArray[np.float64]) -> list[int]:
    """Return, in order, where it is about as good as at its best; places within 100 ms of one another are one."""
    found: list[int] = []
    for place in np.flatnonzero(places >= 0.9 * places.max()):
        if not found or place - found[-1] > WINDOW:
            near = places[place : place + WINDOW]
            found.append(int(place) + int(np.argmax(near)))
    return found[:_MOST_PLACES]


def _match(likeness: list[npt.NDArray[np.float64]], edges: list[int], surest: int, origin: int) -> Match:
    """Return how well all pieces are found around their places, for a prompt whose sound begins at `origin`."""
    scores, begin = [], origin
    for number, places in enumerate(likeness):
        late, early = (SLACK, FRAME) if number > surest else (FRAME, SLACK)
        start = max(0, origin + edges[number] - early)
        near = places[start : max(0, origin + edges[number] + late)]
        scores.append(float(near.max(initial=0.0)))
        if number == 0 and scores[0] > PROMPT_SCORE:
            begin = start + int(np.argmax(near))
    half = (len(scores) + 1) // 2
    score = min(float(np.median(scores[:half])), float(np.median(scores[-half:])))
    return Match(score, begin / RATE_HZ)


def _without_edges(reference: Samples) -> tuple[int, Samples]:
    """Return how many samples of silence stand in front, and the reference without silence at either end."""
    loud = np.flatnonzero(sounding(reference))
    if loud.size == 0:
        return 0, reference[:0]
    first = int(loud[0]) * FRAME
    return first, reference[first : (int(loud[-1]) + 1) * FRAME]
