"""Whether a request comes from a page of ours: a browser sends our cookie, and names us, also for somebody else's page.

The cookie is SameSite=Strict, which alone would do in a browser of today; what is here does not depend on it.
Sources: OWASP's cheat sheet on cross-site request forgery; the Fetch standard (Origin); W3C's Fetch Metadata.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import web

OWN_HEADER = "X-Orikaeshi"
"""No form can send it, and no script of another site without asking us first, which we never allow (CORS)."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""They change nothing (RFC 9110 section 9.2.1)."""
_BY_HAND = frozenset({"same-origin", "none"})
"""Our own page; or somebody who typed the address."""


def is_forged_call(request: web.Request, origin: str) -> bool:
    """Tell whether a request to the API, with a cookie of ours, was not made by a script of ours at `origin`.

    What changes something has to say so in three ways; what only reads must not come from another site.
    """
    fetched_from = _one(request, "Sec-Fetch-Site")
    if request.method in SAFE_METHODS:
        return fetched_from is not None and fetched_from not in _BY_HAND
    if fetched_from not in {None, "same-origin"}:
        return True
    return _one(request, "Origin") != origin or _one(request, OWN_HEADER) != "1"


def is_forged_form(request: web.Request, origin: str) -> bool:
    """Tell whether a form was not sent from a page of ours at `origin`, signed in or not.

    Every browser says at least one of the two; whoever says neither is none that we know.
    """
    fetched_from, sent_from = _one(request, "Sec-Fetch-Site"), _one(request, "Origin")
    if fetched_from is None and sent_from is None:
        return True
    return fetched_from not in {None, "same-origin"} or sent_from not in {None, origin}


def _one(request: web.Request, name: str) -> str | None:
    """Return a header; what is there twice is no word that anybody can be taken at."""
    given = request.headers.getall(name, [])
    return given[0].lower() if len(given) == 1 else ("" if given else None)
