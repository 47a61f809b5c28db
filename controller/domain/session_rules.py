"""Sessions of people who signed in: how they are kept, and when they end."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

TOKEN_BYTES = 32
"""256 random bits; written as 43 letters of Base64 for addresses (RFC 4648 section 5)."""
SEEN_EVERY_S = 60.0
"""How exactly it is known when a session, or a key, was used last: not every request is a write."""
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


def token_hash(token: str) -> str | None:
    """Return what is kept of a session's token: SHA-256, as hexadecimal digits; None for what is no token."""
    return hashlib.sha256(token.encode()).hexdigest() if _TOKEN.fullmatch(token) else None


def is_over(now: datetime, *, seen_at: datetime, expires_at: datetime, idle_s: float) -> bool:
    """Tell whether a session has ended by itself: it was not used for `idle_s`, or is as old as one may become."""
    return now >= expires_at or now - seen_at >= timedelta(seconds=idle_s)


def is_to_be_noted(now: datetime, seen_at: datetime | None) -> bool:
    """Tell whether it is time again to write down that something is used."""
    return seen_at is None or now - seen_at >= timedelta(seconds=SEEN_EVERY_S)
