"""The console's pages: from templates, every text escaped; scripts and styles are files of ours, named by content."""

from __future__ import annotations

import re
from functools import cache, partial
from importlib.resources import files
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from aiohttp import web

from controller.console.doors import Door, Way
from controller.console.pages import texts
from controller.domain.access import Kind, Scope
from controller.web.house import LANGUAGES
from controller.web.pages import language_of
from controller.web.templating import FOR_GOOD, path_of, templates_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from controller.console.house import ConsoleHouse
    from controller.domain.access import Principal

THEMES = ("light", "dark")
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
PROBLEMS = {401: "signed_out", 403: "forbidden", 404: "not_found", 429: "too_often", 500: "fault", 503: "fault"}
"""The words of a page without detail, by status; `refused` otherwise."""
PLACES = (
    ("wallboard", "/wallboard", Scope.FLOOR_READ),
    ("desk", "/desk", Scope.DESK),
    ("supervise", "/supervise", Scope.FLOOR_WRITE),
    ("figures", "/figures", Scope.FIGURES_READ),
    ("recordings", "/recordings", Scope.RECORDINGS_READ),
    ("audit", "/audit", Scope.AUDIT_READ),
)
"""Where one can go: a word, the address, and what one must be allowed."""
_A_YEAR_S = 365 * 24 * 3600
_IMPORT = re.compile(r'(\bfrom ")\./([\w-]+\.js)(";)')
_TEMPLATES = templates_of("controller.console")


def doors(_: ConsoleHouse) -> tuple[Door, ...]:
    """Return the door to the scripts and styles: whoever is to sign in needs them too."""
    return (Door("GET", "/static/{name}", _static, None, Way.PAGE, is_public=True),)


def render(
    house: ConsoleHouse,
    request: web.Request,
    principal: Principal,
    template: str,
    *,
    status: int = 200,
    words: Mapping[str, Mapping[str, str]] | None = None,
    data: Mapping[str, Any] | None = None,
    **fields: Any,
) -> web.Response:
    """Return the page that a template makes of `fields`, in the language and the colours that its reader wants.

    `words`: those of this page alone, as `texts.WORDS` has them for all; templates say `t("word")`, scripts likewise.
    `data`: what its script gets beside the words, as JSON. The template's name says which place of the menu it is.
    """
    language, theme = language_for(house, request, principal), _theme_of(house, request)
    known = {**texts.WORDS, **(words or {})}
    text = _TEMPLATES.get_template(template).render(
        t=partial(_word, known, language),
        language=language,
        languages=[(each, texts.WORDS["language_name"][each], _asked(request, "lang", each)) for each in LANGUAGES],
        theme=theme,
        themes=[(each, _asked(request, "theme", each)) for each in THEMES],
        places=[(word, path) for word, path, scope in PLACES if _may_go(principal, word, scope)],
        here=PurePath(template).stem,
        principal=principal,
        static=static_path,
        data={
            "words": {word: each[language] for word, each in known.items()},
            "language": language,
            "zone": house.zone.key,
            # What the queues are called is nobody's business who is not signed in.
            "titles": {
                name: queue.title(language) for name, queue in house.queues.items() if principal.kind is not Kind.NOBODY
            },
            "agent": principal.agent,
            **(data or {}),
        },
        **fields,
    )
    page = web.Response(text=text, content_type="text/html", charset="utf-8", status=status)
    for name in ("lang", "theme"):
        wanted = request.query.get(name, "")
        if wanted in (LANGUAGES if name == "lang" else THEMES):
            page.set_cookie(
                _cookie(house, name),
                wanted,
                max_age=_A_YEAR_S,
                path="/",
                secure=house.is_encrypted,
                httponly=True,
                samesite="Strict",
            )
    return page


def render_part(
    template: str, language: str, *, words: Mapping[str, Mapping[str, str]] | None = None, **fields: Any
) -> web.Response:
    """Return a part of a page, which a script puts in its place."""
    known = {**texts.WORDS, **(words or {})}
    text = _TEMPLATES.get_template(template).render(t=partial(_word, known, language), language=language, **fields)
    return web.Response(text=text, content_type="text/html", charset="utf-8")


def problem(house: ConsoleHouse, request: web.Request, principal: Principal, status: int) -> web.Response:
    """Return a page that says that something is in the way, and nothing else."""
    word = PROBLEMS.get(status, "refused")
    return render(house, request, principal, "problem.html", status=status, title=f"{word}_title", message=word)


def language_for(house: ConsoleHouse, request: web.Request, principal: Principal) -> str:
    """Return what to answer in: as asked for by `?lang=`, now or before; else the person's; else the browser's."""
    return language_of(request, request.cookies.get(_cookie(house, "lang")) or principal.language)


def static_path(name: str) -> str:
    """Return where a script or style is served. Raises KeyError when there is none of that name."""
    return _published()[name]


def _theme_of(house: ConsoleHouse, request: web.Request) -> str:
    """Return the colours that were asked for; "" for those of the reader's system."""
    wanted = request.query.get("theme") or request.cookies.get(_cookie(house, "theme"), "")
    return wanted if wanted in THEMES else ""


def _cookie(house: ConsoleHouse, name: str) -> str:
    return f"__Host-orikaeshi-{name}" if house.is_encrypted else f"orikaeshi-{name}"


def _asked(request: web.Request, name: str, value: str) -> str:
    """Return the query that asks for this page again, with one word changed."""
    return f"?{request.rel_url.update_query({name: value}).raw_query_string}"


def _may_go(principal: Principal, word: str, scope: Scope) -> bool:
    has_desk = word != "desk" or bool(principal.agent)
    return principal.kind is Kind.PERSON and principal.may(scope) and has_desk


def _word(known: Mapping[str, Mapping[str, str]], language: str, word: str, **fields: object) -> str:
    return known[word][language].format(**fields)


@cache
def sources() -> dict[str, bytes]:
    """Return every script and style as it was written, by name."""
    folder = files("controller.console").joinpath("static")
    return {each.name: each.read_bytes() for each in folder.iterdir() if PurePath(each.name).suffix in TYPES}


@cache
def _contents(name: str) -> bytes:
    """Return a file as it is served: its imports lead to where the others are. Raises KeyError, and RecursionError.

    An import map would do the same, and is a script in the page, which the policy does not let run.
    """
    if not name.endswith(".js"):
        return sources()[name]
    text = sources()[name].decode("utf-8")
    return _IMPORT.sub(lambda found: f"{found[1]}{path_of(found[2], _contents(found[2]))}{found[3]}", text).encode()


@cache
def _published() -> dict[str, str]:
    """Return where each file is served, by its name."""
    return {name: path_of(name, _contents(name)) for name in sources()}


@cache
def _served() -> dict[str, str]:
    """Return the file that is served at each address, by name."""
    return {path: name for name, path in _published().items()}


async def _static(request: web.Request, _: Principal) -> web.StreamResponse:
    name = _served().get(request.path)
    if name is None:
        raise web.HTTPNotFound
    return web.Response(
        body=_contents(name),
        content_type=TYPES[PurePath(name).suffix],
        charset="utf-8",
        headers={"Cache-Control": FOR_GOOD},
    )
