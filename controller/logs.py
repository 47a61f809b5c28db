"""The controller's log: one JSON object a line, UTC, with the call, promise and attempt it is about.

Whoever logs a phone number masks it. The mask here is the last line of defence, for a number that got into a
text on another way (an exception, a channel name, a SIP address).
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from typing import TYPE_CHECKING, Any, TextIO

import structlog

from controller.domain.phone_number import mask

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from pathlib import Path

    from structlog.typing import EventDict

_PHONE_NUMBER = re.compile(
    r"""(?:\+|＋|%2B)\d{8,15}(?![\d*])             # international
      | (?<![\w.])(?<![0-9a-fA-F]{4}-)             # not within a word, a fraction, the last part of a UUID
        (?: [0０]\d{8,14}                          # national, or 00 and 010 in front of international
          | (?=(?:\d-?){9})0\d{1,4}-\d{1,4}-\d{4}  # the same, as people write it (a date has 8 digits)
          | 81\d{9,10}                             # Japan, as some trunks write it (an epoch time has 10 or 13)
        )(?![\w*])""",
    re.VERBOSE,
)
_FRAMES_LIMIT = 12


def hide_numbers(text: str) -> str:
    """Return `text` with the last four digits hidden of whatever looks like a phone number.

    Numbers with `+` and 8 to 15 digits, with a leading 0 and 9 to 15 digits, or 81 and 9 or 10 digits. Channel
    ids (`1763790000.12`), epoch times, UUIDs, ports, addresses and dates are left as they are.
    """
    return _PHONE_NUMBER.sub(lambda found: mask(found.group()), text)


def configure_logs(level: str, *, path: Path | None = None, stream: TextIO | None = None) -> Callable[[], None]:
    """Send structlog's and the standard library's records, from `level` up, to `path`, or to `stream` (stderr).

    Return what closes the file at the end. Raises OSError when the file cannot be opened. From then on a log that
    cannot be written (full disk) never disturbs a call: lines are dropped, and counted in the next one that goes
    through.
    """
    opened = _opened(path) if path else None
    sink = _Sink(opened or stream or sys.stderr)
    threshold = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.ExceptionRenderer(
                structlog.tracebacks.ExceptionDictTransformer(show_locals=False, max_frames=_FRAMES_LIMIT)
            ),
            _hide_numbers_in,
            _to_json,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=lambda *_: sink,
        cache_logger_on_first_use=False,
    )
    logging.root.handlers[:] = [_Forward()]
    # Libraries speak up from warning on; their debug chatter would drown the controller's own.
    logging.root.setLevel(max(threshold, logging.WARNING))
    return opened.close if opened else lambda: None


def _opened(path: Path) -> TextIO:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    return os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace", buffering=1)


class _Sink:
    """Writes one line for each record, and survives a full disk."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lost = 0

    def write_line(self, line: str) -> None:
        if self._lost:
            line = json.dumps({"event": "log_lines_lost", "count": self._lost}) + "\n" + line
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except (OSError, ValueError):  # ValueError: the stream was closed
            self._lost += 1
        else:
            self._lost = 0

    msg = debug = info = warning = warn = error = exception = critical = fatal = log = write_line


class _Forward(logging.Handler):
    """Hands a record of the standard library (aiohttp, panoramisk, alembic) to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().log(
            record.levelno, record.getMessage(), logger=record.name, exc_info=record.exc_info or None
        )


def _hide_numbers_in(_: object, __: str, event: EventDict) -> EventDict:
    return {key: _hidden(value) for key, value in event.items()}


def _hidden(value: Any) -> Any:
    if isinstance(value, str):
        return hide_numbers(value)
    if isinstance(value, dict):
        return {hide_numbers(str(key)): _hidden(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_hidden(inner) for inner in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return hide_numbers(repr(value))


def _to_json(_: object, __: str, event: MutableMapping[str, Any]) -> str:
    first = {key: event.pop(key) for key in ("at", "level", "event") if key in event}
    return json.dumps({**first, **event}, ensure_ascii=False, default=repr)
