"""Tells whether a password is one that a stranger would try."""

from __future__ import annotations

SHORTEST_PASSWORD = 16
"""Characters. ARI and AMI know no lock-out: a short password is only a matter of time."""

_KNOWN = frozenset(  # words that come with products and tutorials
    [
        "admin",
        "administrator",
        "amp111",
        "asterisk",
        "asterisk123",
        "changeme",
        "default",
        "elastix",
        "freepbx",
        "letmein",
        "manager",
        "mysecret",
        "orikaeshi",
        "pass",
        "passw0rd",
        "password",
        "password123",
        "peekaboo",
        "phpagi",
        "qwerty",
        "root",
        "secret",
        "test",
        "user",
        "welcome",
    ]
)


def weakness(password: str, username: str) -> str | None:
    """Return what is wrong with `password`, in words that do not repeat it; None when nothing is."""
    if not password:
        return "there is no password"
    lowered = password.lower()
    if lowered in _KNOWN or lowered == username.lower() or lowered.strip("0123456789!") in _KNOWN | {""}:
        return "the password is a default that anybody would try"
    if len(password) < SHORTEST_PASSWORD:
        return f"the password has {len(password)} characters, fewer than {SHORTEST_PASSWORD}"
    if len(set(password)) < SHORTEST_PASSWORD // 3:
        return "the password repeats a few characters"
    return None
