"""Who asks, and what they may do."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from controller.console.api.operation import Ask, Nothing, Operation, Tag
from controller.console.api.shapes import Frozen
from controller.domain.access import Kind, Role  # noqa: TC001 - msgspec reads the annotations when it runs


class Me(Frozen, frozen=True):
    """Whoever asks."""

    kind: Kind
    name: Annotated[str, Meta(description="A person's login name; a key's id")]
    role: Annotated[Role | None, Meta(description="Of a person")]
    agent: Annotated[str, Meta(description="The agent who they are at the phone; empty: none")]
    language: str
    scopes: tuple[str, ...]


async def get_me(ask: Ask[Nothing, Nothing]) -> Me:
    """Return who asks."""
    who = ask.who
    return Me(
        kind=who.kind,
        name=who.name,
        role=who.role,
        agent=who.agent,
        language=who.language,
        scopes=tuple(sorted(scope.value for scope in who.scopes)),
    )


OPERATIONS = (
    Operation(
        "GET", "/me", get_me, tag=Tag.ABOUT, summary="Show who you are, and what you may do", answer=Me, scope=None
    ),
)
