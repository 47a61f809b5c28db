"""The agents' desk: what a talk can have come to, notes, pauses, a CRM; and what supervisors may announce."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from controller.console.desk_rules import ALL_REASONS, ANNOUNCEMENTS, DeskRules
from controller.domain.card import PLACE_OF_NUMBER
from controller.settings.values import Prompt, Section, Title, is_loopback

LONGEST_DISPOSITION = 64
_EXAMPLE = "https://crm.example.jp/search?tel={number}"


def _disposition(text: str) -> str:
    if len(text) > LONGEST_DISPOSITION:
        raise ValueError(f"must be at most {LONGEST_DISPOSITION} characters long")
    return text


def _each_once(words: tuple[str, ...]) -> tuple[str, ...]:
    twice = next((word for word in words if words.count(word) > 1), None)
    if twice is not None:
        raise ValueError(f'names "{twice[:LONGEST_DISPOSITION]}" twice')
    return words


def _reason(text: str) -> str:
    if text not in ALL_REASONS:
        raise ValueError(f"must be one of {', '.join(ALL_REASONS)}: the words of the reports")
    return text


def _crm_url(text: str) -> str:
    """Return the address of a CRM. The browser opens it as a link, so it must not be a script or a file."""
    if text.count(PLACE_OF_NUMBER) != 1:
        raise ValueError(f'must have {PLACE_OF_NUMBER} in it, once, as "{_EXAMPLE}"')
    try:
        parts = urlsplit(text.replace(PLACE_OF_NUMBER, "0"))
        host = parts.hostname or ""
    except ValueError:
        parts, host = urlsplit(""), ""
    is_plain = text.isascii() and text.isprintable() and " " not in text
    if parts.scheme not in {"https", "http"} or not host or not is_plain:
        raise ValueError(f'must be an address, as "{_EXAMPLE}", not "{text[:80]}"')
    if PLACE_OF_NUMBER in text.partition("//")[2].partition("/")[0]:
        raise ValueError(f'must have {PLACE_OF_NUMBER} behind the host, as "{_EXAMPLE}"')
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError(f'must begin with https://, as "{_EXAMPLE}": numbers must not be read on their way')
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a name or password: every agent reads it")
    return text


class Desk(Section):
    """What agents are offered on their page, and supervisors on theirs."""

    dispositions: Annotated[
        tuple[Annotated[Title, AfterValidator(_disposition)], ...], AfterValidator(_each_once), Field(max_length=50)
    ] = ()
    """What a talk can have come to, as agents read it; without any they are not asked."""
    note_max_length: Annotated[int, Field(ge=100, le=10_000)] = 2000
    """Characters."""
    notes_open_h: Annotated[float, Field(gt=0, le=7 * 24, allow_inf_nan=False)] = 12
    """Hours after a talk in which its agent may still write or correct the note."""
    pause_reasons: Annotated[
        tuple[Annotated[str, AfterValidator(_reason)], ...], AfterValidator(_each_once), Field(min_length=1)
    ] = ALL_REASONS
    crm_url: Annotated[str, AfterValidator(_crm_url)] | None = None
    """Where a CRM shows a customer; the agent opens it by a link."""

    announcements: Annotated[tuple[Prompt, ...], AfterValidator(_each_once), Field(max_length=50)] = ANNOUNCEMENTS
    """The prompts that a supervisor may let everybody hear who holds."""

    @property
    def rules(self) -> DeskRules:
        """What the page is told of it."""
        return DeskRules(
            pause_reasons=self.pause_reasons,
            note_length=self.note_max_length,
            notes_open_s=self.notes_open_h * 3600,
            crm_url=self.crm_url or "",
            announcements=self.announcements,
        )
