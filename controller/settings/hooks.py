"""Webhooks out: which other systems hear of what happens. Their secrets come from the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from controller.domain.hook_events import FAMILIES, TYPES
from controller.hooks.addresses import objection
from controller.ports.hooks import HookWish
from controller.settings.hook_secrets import hook_variable
from controller.settings.mistakes import nearest
from controller.settings.raw import Finding, tables
from controller.settings.values import Name, Section

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_EXAMPLE = "https://crm.example.jp/orikaeshi"
_LONGEST_URL = 2000
_EVENTS = ("*", *FAMILIES, *TYPES)


def _hook_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", 0, urlsplit("")
    is_plain = text.isascii() and text.isprintable() and " " not in text and "#" not in text
    if parts.scheme not in {"http", "https"} or not host or port == 0 or not is_plain or len(text) > _LONGEST_URL:
        # Not repeated: its path may be a secret.
        raise ValueError(f'must be an address, as "{_EXAMPLE}"')
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a name or password: the receiver knows us by the signature")
    return text


def _event(text: str) -> str:
    if text not in _EVENTS:
        raise ValueError(f'must be an event or a family of events, as "promise.*"{nearest(text, _EVENTS)}')
    return text


class Hook(Section):
    """A system that hears of events. Its secret is ORIKAESHI_HOOK_ and its name in capitals."""

    name: Name
    url: Annotated[str, AfterValidator(_hook_url)]
    events: Annotated[tuple[Annotated[str, AfterValidator(_event)], ...], Field(min_length=1)] = ("promise.*",)
    """`*` for all, `promise.*` for a family, `call.ended` for one."""
    with_numbers: bool = False
    """Phone numbers are whole; else their last four digits are hidden."""
    enabled: bool = True
    allow_http: bool = False
    """Without encryption: whoever is on the way reads along, and signatures do not hide anything."""
    allow_private: bool = False
    """The receiver is in the house: on this machine or in a private network."""

    @property
    def wish(self) -> HookWish:
        """What it wants to hear of, as the house knows it."""
        return HookWish(self.name, self.url, self.events, with_numbers=self.with_numbers, enabled=self.enabled)


def hook_mistakes(raw: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield (place, message) for each mistake in how a hook's settings go together."""
    variables: dict[str, str] = {}
    for index, hook in tables(raw, "hooks"):
        yield from _address_mistakes(index, hook)
        name = hook.get("name")
        if isinstance(name, str):
            other = variables.setdefault(hook_variable(name), name)
            if other != name:
                yield ("hooks", index, "name"), f'is too much like "{other}": both would have the same secret'


def _address_mistakes(index: int, hook: Mapping[str, Any]) -> Iterator[Finding]:
    url, allow_private = hook.get("url"), hook.get("allow_private") is True
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
        host = parts.hostname or ""
    except ValueError:
        return  # the model tells that
    if parts.scheme == "http" and hook.get("allow_http") is not True:
        message = f'must begin with https://, as "{_EXAMPLE}", or be allowed by allow_http = true'
        yield ("hooks", index, "url"), message
    is_address = ":" in host or host.replace(".", "").isdigit()
    against = objection(host, allow_private=allow_private) if is_address else None
    if against is not None:
        yield ("hooks", index, "url"), f"is never sent anything: {against}"
