"""What a page of the console may load, and from where (Content Security Policy, W3C)."""

from __future__ import annotations

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'"
)
WITH_SOUND = f"{POLICY}; media-src 'self'"
"""Of the one page on which something is heard."""
