"""Pages from templates: every text escaped, one style sheet of our own, no script."""

from __future__ import annotations

from functools import partial
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from aiohttp import web

from controller.web import texts
from controller.web.house import LANGUAGES
from controller.web.templating import path_of, templates_of

if TYPE_CHECKING:
    from controller.web.house import WebHouse

STYLE = files("controller.web").joinpath("static", "style.css").read_bytes()
STYLE_PATH = path_of("style.css", STYLE)

PROBLEMS = {404: "not_found", 410: "not_found", 429: "too_often", 500: "fault", 503: "fault"}
"""The words of a page without detail, by status; `refused` otherwise."""


class Pages:
    """Writes the pages of one site."""

    def __init__(self, site: WebHouse) -> None:
        self._site = site
        self._templates = templates_of("controller.web")

    def page(self, name: str, language: str, *, status: int = 200, **fields: Any) -> web.Response:
        """Return the page that a template, `booking.html`, makes of `fields`."""
        text = self._templates.get_template(name).render(
            t=partial(_word, language),
            language=language,
            languages={each: texts.say("language_name", each) for each in LANGUAGES},
            style=STYLE_PATH,
            shown_number=self._site.shown_number,
            tel="".join(sign for sign in self._site.shown_number if sign.isdecimal() or sign == "+"),
            **fields,
        )
        return web.Response(text=text, content_type="text/html", charset="utf-8", status=status)

    def problem(self, status: int, language: str) -> web.Response:
        """Return a page that says that something is in the way, and nothing else."""
        word = PROBLEMS.get(status, "refused")
        return self.page("problem.html", language, status=status, title=f"{word}_title", message=word)

    def too_often(self, wait_s: int, language: str) -> web.Response:
        """Return the page for whoever asks too often, with the seconds after which to ask again."""
        page = self.problem(429, language)
        page.headers["Retry-After"] = str(wait_s)
        return page


def language_of(request: web.Request, of_link: str | None = None) -> str:
    """Return the language to answer in: as asked for by `?lang=`, else that of the link, else the browser's.

    A link in a language that there are no pages in is answered in the browser's too.
    """
    asked = texts.known(request.query.get("lang"))
    return asked or texts.known(of_link) or texts.accepted(request.headers.get("Accept-Language", ""))


def see(path: str, language: str) -> web.Response:
    """Return the answer that sends a browser on to another page of ours (303)."""
    return web.Response(status=303, headers={"Location": f"{path}?lang={language}"})


def _word(language: str, word: str, **fields: object) -> str:
    return texts.say(word, language, **fields)
