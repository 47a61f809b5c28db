"""The one thread that carries sound between the SIP stack and the recordings.

The stack keeps received sound for two seconds and tells nobody that it has come, so somebody has to fetch it on
time, whatever the event loop is doing: a thread, every 40 ms, for all calls of the process.
"""

import threading
from collections.abc import Callable

import numpy as np
from baresip import AudioNotActive, AudioRestarted
from baresip.audio import CallAudio

from lab import audio
from lab.audio import RATE_HZ
from lab.recording import Recording

_TICK_S = 0.04
# Rides out a busy machine; hush() is quick all the same, because it throws away what is queued.
_LEAD_SAMPLES = RATE_HZ // 2
_BYTES_A_SAMPLE = 2


class Line:
    """One call's sound: what it hears goes into `heard`, `tone_hz` is what it says (None: nothing).

    `tone_hz` may be set from any thread; everything else belongs to the pump's.
    """

    def __init__(self, call_audio: CallAudio, heard: Recording) -> None:
        self.heard = heard
        self.tone_hz: float | None = None
        self._audio = call_audio
        self._said = 0
        self._saying: float | None = None

    def serve(self, now_s: float) -> None:
        """Fetch what has arrived and say what is to be said until the next tick."""
        try:
            info = self._audio.info()
            received = self._audio.read(info.rx_buffered) if info.rx_buffered else b""
            if info.tx_ready:
                self._speak(info.tx_buffered // _BYTES_A_SAMPLE)
        except (AudioNotActive, AudioRestarted):
            # Not yet answered, over, or renegotiated: the next tick meets the new streams.
            received = b""
        if received:
            self.heard.feed(np.frombuffer(received, dtype=np.int16), now_s)
        else:
            self.heard.tick(now_s)

    def _speak(self, queued: int) -> None:
        wanted = self.tone_hz
        if wanted != self._saying:
            self._audio.flush_tx()
            self._saying, queued = wanted, 0
        missing = _LEAD_SAMPLES - queued
        if wanted is not None and missing > 0:
            piece = audio.sine(wanted, missing, first=self._said)
            self._said += self._audio.write(piece.tobytes()) // _BYTES_A_SAMPLE


class AudioPump:
    """Serves every line that was plugged in, until it is stopped. Start and stop it once."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lines: tuple[Line, ...] = ()  # replaced as a whole, so the thread needs no lock to read it
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="phone-audio", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread and wait for it (at most one tick)."""
        self._stopping.set()
        self._thread.join()

    def plug(self, line: Line) -> None:
        """Serve this line from the next tick on."""
        self._lines = (*self._lines, line)

    def unplug(self, line: Line) -> None:
        """Serve this line no more; unknown lines are ignored."""
        self._lines = tuple(each for each in self._lines if each is not line)

    def _run(self) -> None:
        due_s = self._clock()
        while not self._stopping.wait(max(0.0, due_s - self._clock())):
            for line in self._lines:
                line.serve(self._clock())
            due_s = max(due_s + _TICK_S, self._clock())
