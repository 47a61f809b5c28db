"""Cursors: where the next page of a list begins. Signed, so that nobody has to trust what comes back."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import msgspec

from controller.console.api.problems import Kind, Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")
_MAC_BYTES = 12
_LONGEST = 600


@dataclass(frozen=True, slots=True)
class Cursors:
    """Makes and reads cursors. One is good for the list, the filters and the reader that it was made for."""

    secret: bytes = field(repr=False)

    def make(self, place: object, of: Sequence[object]) -> str:
        """Return the cursor of a place in a list; `of` is what the list is one of: its name, filters, reader."""
        raw = msgspec.json.encode(place)
        return base64.urlsafe_b64encode(self._mac(raw, of) + raw).decode().rstrip("=")

    def read(self, cursor: str, of: Sequence[object], kind: type[T]) -> T:
        """Return the place of a cursor, a `kind`. Raises Refusal when it is none of ours, or of another list."""
        try:
            raw = base64.b64decode(cursor[:_LONGEST] + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise Refusal(Kind.BAD_CURSOR) from None
        mac, place = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(place, of)):
            raise Refusal(Kind.BAD_CURSOR)
        return msgspec.json.decode(place, type=kind)

    def _mac(self, raw: bytes, of: Sequence[object]) -> bytes:
        return hmac.digest(self.secret, msgspec.json.encode(of) + b"\0" + raw, hashlib.sha256)[:_MAC_BYTES]
