"""Signed ids: booking links, and codes that prove a number. Whoever guesses learns nothing, and asks no database.

An id says nothing by itself: what it stands for, for how long, and whether it was used, is a row in the database. The
signature binds the id to one purpose (HMAC-SHA256, RFC 2104, cut to 72 bits: an SMS has 70 characters).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from enum import StrEnum

ID_BYTES = 9
_MAC_BYTES = 9
_TOKEN = re.compile(r"[A-Za-z0-9_-]{24}", re.ASCII)
"""An id and its signature; base64 for addresses (RFC 4648 5), of which each token has one spelling."""
_CODE_DIGITS = 6
_LEAST_SECRET_BYTES = 16


class Purpose(StrEnum):
    """What a token is for; one for another purpose is no token."""

    PROMISE = "promise"
    """See and change one promise."""
    BOOK = "book"
    """Leave a promise for one number and queue."""
    CHALLENGE = "challenge"
    """Prove a number with the code that was sent to it."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Makes and reads tokens. Raises ValueError when the secret is too short to be one."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) < _LEAST_SECRET_BYTES:
            raise ValueError(f"the secret has to have {_LEAST_SECRET_BYTES} bytes or more")

    def id_for(self, purpose: Purpose, name: str) -> str:
        """Return the id that a name (an SMS's key) always has: 18 hexadecimal digits that nobody can guess."""
        return self._mac("id", purpose, name)[:ID_BYTES].hex()

    def token(self, purpose: Purpose, an_id: str) -> str:
        """Return the token of an id: 24 characters for an address. Raises ValueError for what is no id."""
        raw = bytes.fromhex(an_id)
        if len(raw) != ID_BYTES:
            raise ValueError("not an id of this signer")
        return base64.urlsafe_b64encode(raw + self._mac("token", purpose, raw.hex())[:_MAC_BYTES]).decode()

    def read(self, purpose: Purpose, token: str) -> str | None:
        """Return the id of a token; None when it is not one of ours for this purpose. It takes the same time."""
        raw = base64.urlsafe_b64decode(token) if _TOKEN.fullmatch(token) else bytes(ID_BYTES + _MAC_BYTES)
        an_id, mac = raw[:ID_BYTES].hex(), raw[ID_BYTES:]
        is_ours = hmac.compare_digest(mac, self._mac("token", purpose, an_id)[:_MAC_BYTES])
        return an_id if is_ours else None

    def code(self, challenge_id: str) -> str:
        """Return the six digits that prove the number of a challenge; they are never stored."""
        number = int.from_bytes(self._mac("code", Purpose.CHALLENGE, challenge_id)[:8], "big")
        return f"{number % 10**_CODE_DIGITS:0{_CODE_DIGITS}d}"

    def is_code(self, challenge_id: str, given: str) -> bool:
        """Tell whether these are its digits, in constant time; full-width ones too, as phones in Japan type them."""
        digits = "".join(str(int(sign)) for sign in given if sign.isdecimal())
        return hmac.compare_digest(digits.encode(), self.code(challenge_id).encode())

    def _mac(self, use: str, purpose: Purpose, name: str) -> bytes:
        return hmac.digest(self.secret, f"orikaeshi {use} {purpose} {name}".encode(), hashlib.sha256)
