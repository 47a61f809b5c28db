"""Frames of ARI's event WebSocket: requests out, events and answers in. No I/O.

The format is Asterisk's "ARI REST over WebSocket" (res/ari/ari_websocket_requests.c): a request is
`{"type": "RESTRequest", "request_id", "method", "uri", "query_strings": [{"name", "value"}], "content_type",
"message_body"}`, where `uri` has neither a leading slash nor `ari/`, and `message_body` is JSON as a string.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, get_args
from urllib.parse import quote

import msgspec
import structlog

from controller.asterisk.ari.events import ApplicationReplaced, Event, RESTResponse

Query: TypeAlias = Mapping[str, str | int | bool | None]
"""Query parameters; True and False become true and false, None is left out."""

Incoming: TypeAlias = Event | ApplicationReplaced | RESTResponse
"""What a frame from Asterisk can be."""

MAX_FRAME_BYTES = 65_535 - 8
"""Asterisk reads a frame into 65,535 bytes, its header included, and drops the socket beyond (http_websocket.h)."""

RECENT_FRAMES = 64
"""How far apart two copies of one event may be. They were seen side by side."""

_ANSWER_BEGINS = b'{"type":"RESTResponse"'

EVENT_TYPES = tuple(sorted(kind.__name__ for kind in get_args(Event)))
"""The events that are asked for; Asterisk is told to send no other."""

LISTS = {"channels", "bridges", "endpoints", "applications", "deviceStates", "sounds", "recordings/stored"}
"""Answers without a bound. Asterisk builds a frame on its 496 kB stack (ast_websocket_write, AST_STACKSIZE):
a list of 1,400 channels killed the whole PBX, so these never go over the WebSocket."""

_log = structlog.get_logger(__name__)
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class _Pair(msgspec.Struct, gc=False):
    name: str
    value: str


class _RestRequest(msgspec.Struct, tag="RESTRequest", omit_defaults=True, gc=False):
    request_id: str
    method: str
    uri: str
    query_strings: list[_Pair] = []
    content_type: str = ""
    message_body: str = ""


class _Envelope(msgspec.Struct, gc=False):
    type: str


_encoder = msgspec.json.Encoder()


def path(*parts: str) -> str:
    """Join the parts of a uri, each quoted, so that an id with a slash or a space in it stays one part.

    Raise ValueError for an empty part or one with control characters.
    """
    if not all(parts):
        raise ValueError(f"an ARI uri has an empty part: {parts!r}")
    for part in parts:
        refuse_control_characters(part, parts[0])
    return "/".join([quote(part, safe="") for part in parts])


def refuse_control_characters(text: str, where: str) -> None:
    """Raise ValueError when `text` holds a control character, a line separator or half a surrogate pair.

    Such text can end a SIP header or an AMI line early. The text itself is not repeated in the message.
    """
    if _CONTROL.search(text):
        raise ValueError(f"control characters in {where}: refused before anything is sent")


def query_pairs(query: Query | None) -> list[tuple[str, str]]:
    """Return the query as text pairs. Raise ValueError for control characters in a value."""
    pairs = []
    for name, value in (query or {}).items():
        if value is None:
            continue
        text = value if isinstance(value, str) else str(value).lower()
        refuse_control_characters(text, f"query parameter {name!r}")
        pairs.append((name, text))
    return pairs


def json_body(body: Any) -> bytes:
    """Return a request body as JSON. Raise ValueError for control characters in any text of it."""
    _refuse_in_body(body, "body")
    return _encoder.encode(body)


def _refuse_in_body(node: Any, where: str) -> None:
    if isinstance(node, str):
        refuse_control_characters(node, where)
    elif isinstance(node, Mapping):
        for name, value in node.items():
            refuse_control_characters(name, where)
            _refuse_in_body(value, f"{where}.{name}")
    elif isinstance(node, Sequence) and not isinstance(node, bytes):
        for value in node:
            _refuse_in_body(value, where)


def encode_request(request_id: str, method: str, uri: str, query: Query | None, body: Any) -> bytes:
    """Return the frame of a request.

    Raise ValueError for control characters, for a uri that Asterisk would not find, for a list, and for a frame
    that Asterisk would answer by dropping the socket.
    """
    if uri.startswith(("/", "ari/")) or "?" in uri:
        raise ValueError(f"an ARI uri has no leading slash, no ari/ and no query in it: {uri!r}")
    if method == "GET" and uri in LISTS:
        raise ValueError(f"GET {uri} can be long enough to crash Asterisk over the WebSocket: use request_http")
    request = _RestRequest(request_id, method, uri)
    if query:
        request.query_strings = [_Pair(name, value) for name, value in query_pairs(query)]
    if body is not None:
        request.content_type = "application/json"
        request.message_body = json_body(body).decode()
    frame = _encoder.encode(request)
    if len(frame) > MAX_FRAME_BYTES:
        raise ValueError(
            f"{method} {uri}: {len(frame)} bytes, but Asterisk takes {MAX_FRAME_BYTES} at most over the WebSocket"
        )
    return frame


class FrameReader:
    """Turns frames into events and answers; counts what it skips.

    An event that comes twice is read once: a channel whose endpoint is subscribed to, too, has every event sent
    for both (a key that is pressed once would count twice). Both frames are the same to the byte, time included.

    `skipped` counts well-formed events of types that are not used, by type; `repeated` counts second copies;
    `undecodable` counts the rest.
    """

    def __init__(self) -> None:
        self._recent: deque[bytes] = deque(maxlen=RECENT_FRAMES)
        self._recent_set: set[bytes] = set()
        self._decoder: msgspec.json.Decoder[Incoming] = msgspec.json.Decoder(Incoming)
        self._envelope = msgspec.json.Decoder(_Envelope)
        self._known = {*EVENT_TYPES, "ApplicationReplaced", "RESTResponse"}
        self.skipped: Counter[str] = Counter()
        self.repeated = 0
        self.undecodable = 0

    def read(self, frame: bytes) -> Incoming | None:
        """Return what the frame says, or None when it is to be skipped. Never raises."""
        if not frame.startswith(_ANSWER_BEGINS) and self._is_repeated(frame):
            return None
        try:
            return self._decoder.decode(frame)
        except (msgspec.MsgspecError, RecursionError) as error:
            self._skip(frame, error)
            return None

    def _is_repeated(self, frame: bytes) -> bool:
        if frame in self._recent_set:
            self.repeated += 1
            return True
        if len(self._recent) == RECENT_FRAMES:
            self._recent_set.discard(self._recent[0])
        self._recent.append(frame)
        self._recent_set.add(frame)
        return False

    def _skip(self, frame: bytes, error: Exception) -> None:
        try:
            kind = self._envelope.decode(frame).type
        except (msgspec.MsgspecError, RecursionError):
            kind = ""
        if kind and kind not in self._known:
            self.skipped[kind] += 1
            return
        self.undecodable += 1
        if self.undecodable == 1:
            _log.warning("ari_frame_undecodable", kind=kind or "unknown", error=str(error), size_bytes=len(frame))
