"""How a number stands on the do-not-call list: as a keyed hash, from which nobody can tell it.

HMAC-SHA256 (RFC 2104). A hash without a key would protect nobody: there are so few phone numbers that all of them can
be hashed and compared within minutes.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

LEAST_SECRET_BYTES = 32
_VERSION = "h1:"
"""How an entry begins that is a hash; a number in clear begins with +."""
_FINGERPRINT_DIGITS = 8


@dataclass(frozen=True, slots=True)
class NumberKey:
    """The key of a list. Raises ValueError when the secret is too short to be one."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) < LEAST_SECRET_BYTES:
            raise ValueError(f"the secret has to have {LEAST_SECRET_BYTES} bytes or more")

    @property
    def mark(self) -> str:
        """How every entry under this key begins: another key's entries can be told, and are never just not found."""
        return f"{_VERSION}{self._mac('key', '')[:_FINGERPRINT_DIGITS]}:"

    def entry(self, number: str) -> str:
        """Return what stands on the list for a number (E.164): 76 characters."""
        return self.mark + self._mac("number", number)

    def _mac(self, use: str, text: str) -> str:
        return hmac.digest(self.secret, f"orikaeshi {use} {text}".encode(), hashlib.sha256).hex()


def is_hashed(entry: str) -> bool:
    """Tell whether an entry of the list is a hash, and not a number in clear."""
    return entry.startswith(_VERSION)
