"""What a phone heard, on a time line that keeps the silences.

Asterisk sends no RTP while a call sits in Wait(): joining the packets that did arrive would hide the very
silence a test looks for. So every packet has its place by the clock, and 250 ms without one is silence.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lab import audio
from lab.audio import FRAME, RATE_HZ, WINDOW, Match, Samples

GAP_S = 0.25
_FIRST_ROOM = 10 * RATE_HZ


class NotHeard(Exception):  # noqa: N818 - an answer to "was it heard?", read as such in a traceback
    """What was waited for did not come; the text says what was heard instead."""


class Recording:
    """Everything one call received: 8 kHz mono int16, readable and awaitable while the call goes on.

    One thread feeds it (`begin`, `feed`, `tick`, `finish`, each with the monotonic time in seconds); any thread
    reads; the `until_...` methods are for the event loop. What has once been readable never changes.
    `listener` is the pool in which sound is analysed (None: the loop's own).
    """

    def __init__(self, listener: Executor | None = None) -> None:
        self._listener = listener
        self._lock = threading.Lock()
        self._store: Samples = np.zeros(_FIRST_ROOM, dtype=np.int16)
        self._length = 0
        self._started_s: float | None = None
        self._quiet = False
        self._finished = False
        self._waiting: list[tuple[int, asyncio.AbstractEventLoop, asyncio.Event]] = []

    # -- reading -----------------------------------------------------------------------------------------

    @property
    def started_s(self) -> float | None:
        """Monotonic time of the recording's first sample; None before the answer and any early media."""
        return self._started_s

    @property
    def finished(self) -> bool:
        """Whether the call is over, so that nothing more will come."""
        return self._finished

    @property
    def duration_s(self) -> float:
        """Length of the time line so far, silences included; at most 250 ms behind the clock."""
        return self._length / RATE_HZ

    def slice(self, from_s: float = 0.0, to_s: float | None = None) -> Samples:
        """Return a copy of the sound between two moments; shorter when it is not there yet."""
        with self._lock:
            last = self._length if to_s is None else min(self._length, round(to_s * RATE_HZ))
            return self._store[max(0, round(from_s * RATE_HZ)) : max(0, last)].copy()

    def longest_silence_s(self, from_s: float = 0.0, to_s: float | None = None) -> float:
        """Return the longest stretch below -55 dBFS, in seconds."""
        return audio.longest_silence_s(self.slice(from_s, to_s))

    def save(self, path: Path) -> None:
        """Write it as a WAV file, to be listened to; raises OSError when it cannot be written."""
        audio.write_wav(path, self.slice())

    # -- feeding -----------------------------------------------------------------------------------------

    def begin(self, now_s: float) -> None:
        """Start the time line (at the answer); without effect when early media has started it."""
        with self._lock:
            if self._started_s is None and not self._finished:
                self._started_s = now_s

    def feed(self, samples: Samples, now_s: float) -> None:
        """Put samples whose last one has just arrived in their place.

        Packets that come a little late are joined to those before; after a silence they start where the clock
        says. Sound after `finish` is dropped.
        """
        with self._lock:
            if self._finished or samples.size == 0:
                return
            if self._started_s is None:
                self._started_s = now_s - samples.size / RATE_HZ
            place = round((now_s - self._started_s) * RATE_HZ) - samples.size
            if self._quiet or place - self._length > GAP_S * RATE_HZ:
                self._extend(place)
            self._quiet = False
            start = self._length
            self._extend(start + samples.size)
            self._store[start : self._length] = samples
        self._wake()

    def tick(self, now_s: float) -> None:
        """Let the time line follow the clock when nothing has arrived for 250 ms."""
        with self._lock:
            if self._finished or self._started_s is None:
                return
            silent_until = round((now_s - self._started_s - GAP_S) * RATE_HZ)
            if silent_until <= self._length:
                return
            self._quiet = True
            self._extend(silent_until)
        self._wake()

    def finish(self, now_s: float) -> None:
        """Close the time line: the call is over."""
        with self._lock:
            if self._finished:
                return
            if self._started_s is not None:
                until = round((now_s - self._started_s) * RATE_HZ)
                if self._quiet or until - self._length > GAP_S * RATE_HZ:
                    self._extend(until)
            self._finished = True
        self._wake()

    def _extend(self, length: int) -> None:
        if length > self._store.size:
            room = np.zeros(max(length, 2 * self._store.size), dtype=np.int16)
            room[: self._length] = self._store[: self._length]
            self._store = room
        self._length = max(self._length, length)

    # -- waiting -----------------------------------------------------------------------------------------

    async def until_sound(self, timeout_s: float = 10.0, *, from_s: float = 0.0) -> float:
        """Wait for 100 ms of sound after `from_s`; return when it begins, in seconds on the time line.

        Raises NotHeard when the time is up or the call ends first.
        """

        def look(samples: Samples) -> Match | None:
            return _first_run(audio.sounding(samples), WINDOW // FRAME, FRAME)

        what = "any sound"
        found = await self._until(what, look, from_s=from_s, span=WINDOW, step=WINDOW, timeout_s=timeout_s)
        return found.at_s

    async def until_silence(self, for_s: float, timeout_s: float = 10.0, *, from_s: float = 0.0) -> float:
        """Wait for `for_s` seconds of unbroken silence after `from_s`; return when it begins.

        Raises NotHeard when the time is up or the call ends first.
        """
        frames = max(1, round(for_s * RATE_HZ / FRAME))

        def look(samples: Samples) -> Match | None:
            return _first_run(~audio.sounding(samples), frames, FRAME)

        what = f"{for_s:g} s of silence"
        found = await self._until(what, look, from_s=from_s, span=frames * FRAME, step=WINDOW, timeout_s=timeout_s)
        return found.at_s

    async def until_tone(self, hz: float, timeout_s: float = 10.0, *, from_s: float = 0.0) -> float:
        """Wait for half a second of the tone after `from_s`; return when it begins.

        Five 100 ms windows in a row with a share above 0.8. Raises NotHeard when the time is up or the call
        ends first.
        """

        def look(samples: Samples) -> Match | None:
            return _first_run(audio.tone_shares(samples, hz) > audio.TONE_SHARE, 5, WINDOW)

        what = f"a tone of {hz:g} Hz"
        found = await self._until(what, look, from_s=from_s, span=5 * WINDOW, step=WINDOW, timeout_s=timeout_s)
        return found.at_s

    async def until_prompt(self, prompt: Samples | Path, timeout_s: float = 15.0, *, from_s: float = 0.0) -> Match:
        """Wait until the whole prompt (samples, or its 8 kHz WAV file) was heard after `from_s`.

        Returns its score (above 0.7) and when it began. Raises NotHeard when the time is up or the call ends
        first, ValueError for a file that is not 8 kHz.
        """
        reference = audio.read_wav(prompt) if isinstance(prompt, Path) else prompt
        name = prompt.name if isinstance(prompt, Path) else f"of {reference.size / RATE_HZ:.1f} s"
        nearest = Match(0.0, 0.0)

        def look(samples: Samples) -> Match | None:
            nonlocal nearest
            match = audio.find_prompt(samples, reference)
            nearest = max(nearest, match)
            return match if match.score > audio.PROMPT_SCORE else None

        span = reference.size + audio.SLACK + WINDOW
        try:
            return await self._until(
                f"the prompt {name}", look, from_s=from_s, span=span, step=2 * WINDOW, timeout_s=timeout_s
            )
        except NotHeard as missing:
            raise NotHeard(f"{missing}; nearest score {nearest.score:.2f}") from None

    async def _until(
        self,
        what: str,
        look: Callable[[Samples], Match | None],
        *,
        from_s: float,
        span: int,
        step: int,
        timeout_s: float,
    ) -> Match:
        """Run `look` over the new sound whenever `step` more samples are there; its answer is the method's.

        Each look sees the last `span` samples of what was seen before as well, so that nothing is missed at
        the seam. The pieces begin on whole windows, so that a tone is judged on the same windows every time.
        """
        loop = asyncio.get_running_loop()
        origin = seen = max(0, round(from_s * RATE_HZ))
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    over = self._finished
                    start = origin + max(0, seen - span - origin) // WINDOW * WINDOW
                    heard = self.slice(start / RATE_HZ)
                    found = await loop.run_in_executor(self._listener, look, heard)
                    if found is not None:
                        return Match(found.score, found.at_s + start / RATE_HZ)
                    if over:
                        raise NotHeard(f"{what} was not heard before the call ended: {self._described(from_s)}")
                    seen = start + heard.size
                    await self._grown_to(seen + step)
        except TimeoutError:
            raise NotHeard(f"{what} was not heard in {timeout_s:g} s: {self._described(from_s)}") from None

    async def _grown_to(self, length: int) -> None:
        arrived = asyncio.Event()
        waiter = (length, asyncio.get_running_loop(), arrived)
        with self._lock:
            if self._length >= length or self._finished:
                return
            self._waiting.append(waiter)
        try:
            await arrived.wait()
        finally:
            with self._lock:
                if waiter in self._waiting:
                    self._waiting.remove(waiter)

    def _wake(self) -> None:
        with self._lock:
            ready = [each for each in self._waiting if self._finished or each[0] <= self._length]
            for each in ready:
                self._waiting.remove(each)
        for _, loop, arrived in ready:
            loop.call_soon_threadsafe(arrived.set)

    def _described(self, from_s: float) -> str:
        heard = self.slice(from_s)
        if heard.size == 0:
            return f"nothing at all was received after second {from_s:g}"
        frames = audio.sounding(heard)
        share = float(np.mean(frames)) if frames.size else 0.0
        loudness = audio.loudness_dbfs(heard)
        return f"in {heard.size / RATE_HZ:.1f} s there was sound {share:.0%} of the time, {loudness:.0f} dBFS"


def _first_run(wanted: npt.NDArray[np.bool_], length: int, hop: int) -> Match | None:
    """Return where the first `length` true values in a row begin, each standing for `hop` samples."""
    if wanted.size < length:
        return None
    counts = np.convolve(wanted.astype(np.int64), np.ones(length, dtype=np.int64), mode="valid")
    full = np.flatnonzero(counts == length)
    return Match(1.0, int(full[0]) * hop / RATE_HZ) if full.size else None
