"""The names by which people sign in."""

from __future__ import annotations

import re

_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}", re.ASCII)
RULE = "1 to 64 small letters, digits, '.', '-', '_' or '@', and a letter or digit first"


def login_name(typed: str) -> str | None:
    """Return the login name that somebody typed, capital letters as small ones; None: it can be nobody's."""
    name = typed.strip().lower()
    return name if _NAME.fullmatch(name) else None
