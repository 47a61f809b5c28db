"""Keys by which programs prove themselves: `ori_<id>_<secret>`. The id is no secret; of the secret a hash is kept.

A secret has 256 random bits, which no guessing finds: SHA-256 is enough, where a password needs a slow hash.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING

from controller.domain.access import SCOPES_OF_KEYS, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable

ID_BYTES = 6
SECRET_BYTES = 32
_KEY = re.compile(rf"ori_([0-9a-f]{{{2 * ID_BYTES}}})_([0-9a-f]{{{2 * SECRET_BYTES}}})", re.ASCII)


def written(an_id: str, secret: str) -> str:
    """Return a key as its program sends it; both parts are hexadecimal digits."""
    return f"ori_{an_id}_{secret}"


def read(text: str) -> tuple[str, str] | None:
    """Return the id and the secret of a key; None for what is none."""
    found = _KEY.fullmatch(text)
    return None if found is None else (found[1], found[2])


def secret_hash(secret: str) -> str:
    """Return what is kept of a secret: SHA-256, as hexadecimal digits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def matches(secret: str, kept: str) -> bool:
    """Tell whether a secret is the one that `kept` was made of, in a time that does not depend on it."""
    return hmac.compare_digest(secret_hash(secret), kept)


def scopes_of_key(words: Iterable[str]) -> frozenset[Scope]:
    """Return the scopes of a key by their words. Raises ValueError, for a person, for one that no key may have."""
    given = tuple(words)
    allowed = {scope.value: scope for scope in SCOPES_OF_KEYS}
    unknown = sorted({word for word in given if word not in allowed})
    if unknown:
        raise ValueError(f"no scope of a key: {', '.join(unknown)}; there are: {', '.join(sorted(allowed))}")
    if not given:
        raise ValueError(f"a key needs a scope; there are: {', '.join(sorted(allowed))}")
    return frozenset(allowed[word] for word in given)
