"""Signatures as Standard Webhooks has them, so that receivers can use any of its libraries.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass, field

PREFIX = "whsec_"
SHORTEST_BYTES, LONGEST_BYTES = 24, 64
"""Of a secret, as the specification has it."""
_MOST_SECRETS = 2
"""The new one and the one before, while a receiver changes over."""


@dataclass(frozen=True, slots=True)
class HookSecrets:
    """What events are signed with: one secret, or two while one takes the place of the other."""

    keys: tuple[bytes, ...] = field(repr=False)

    def headers(self, event_id: str, sent_at_s: int, body: bytes) -> dict[str, str]:
        """Return the headers of an event that is sent at a time (whole seconds since 1970): a signature by each."""
        signed = b".".join((event_id.encode(), str(sent_at_s).encode(), body))
        signatures = (base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode() for key in self.keys)
        return {
            "webhook-id": event_id,
            "webhook-timestamp": str(sent_at_s),
            "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
        }


def read_secrets(text: str) -> HookSecrets:
    """Return the secrets in a text, apart by commas. Raises ValueError for a person, which does not repeat them."""
    words = text.replace(",", " ").split()
    if not 1 <= len(words) <= _MOST_SECRETS:
        raise ValueError("must be one secret, or two apart by a comma: the new one, and the one before")
    return HookSecrets(tuple(map(_key_of, words)))


def _key_of(word: str) -> bytes:
    if not word.startswith(PREFIX):
        raise ValueError(f'must begin with "{PREFIX}": `echo {PREFIX}$(openssl rand -base64 32)` makes one')
    try:
        key = base64.b64decode(word.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f'must be Base64 after "{PREFIX}"') from None
    if not SHORTEST_BYTES <= len(key) <= LONGEST_BYTES:
        raise ValueError(f"must be {SHORTEST_BYTES} to {LONGEST_BYTES} random bytes in Base64")
    return key
