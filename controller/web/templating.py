"""What all pages of ours are made with, those of bookings and of the console: templates; files named by content."""

from __future__ import annotations

import hashlib
from pathlib import PurePath

from jinja2 import Environment, PackageLoader, StrictUndefined

FOR_GOOD = "public, max-age=31536000, immutable"
"""`Cache-Control` of a file that is named by its contents."""


def templates_of(package: str) -> Environment:
    """Return the templates of a package: every text escaped, and a word that is missing is an error."""
    return Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def path_of(name: str, contents: bytes) -> str:
    """Return where a file is served: named by its contents, so that a browser may keep it for good."""
    file = PurePath(name)
    return f"/static/{file.stem}-{hashlib.sha256(contents).hexdigest()[:16]}{file.suffix}"
