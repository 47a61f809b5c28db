"""Promises on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from controller.console.api.shapes import At, Frozen, NumberShown
from controller.domain.outcome import Outcome  # noqa: TC001 - msgspec reads the annotations when it runs
from controller.domain.promise import PromiseState  # noqa: TC001 - likewise

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller.ports.promise_list import Kept

NextCursor = Annotated[str | None, Meta(description="Sent as `cursor` it gives the next page; null: there is no more")]


class PromiseItem(Frozen, frozen=True):
    """A promise: a callback that was asked for."""

    id: str
    queue: str
    number: NumberShown
    language: str
    state: PromiseState
    since: At
    """The place in line: when the caller who left the number arrived."""
    made_at: At
    not_before: At
    """It is due from then on."""
    expires_at: At
    due_by: Annotated[At | None, Meta(description="The end of what was promised first; null: no time was named")]
    slot_starts_at: At | None
    slot_ends_at: At | None
    told_late: Annotated[bool, Meta(description="The customer was told that the window cannot be kept, or was called")]
    attempts_used: int
    calls_made: Annotated[int, Meta(description="Calls that left for it, whatever came of them")]
    last_outcome: Outcome | None
    urgent: bool
    assigned_to: Annotated[str, Meta(description="The only agent who is to have it; empty for everybody")]


class PromisePage(Frozen, frozen=True):
    """Some promises, the last to be made first."""

    promises: tuple[PromiseItem, ...]
    next_cursor: NextCursor


class PromiseMade(Frozen, frozen=True):
    """The promise as it now stands."""

    promise: PromiseItem
    is_new: Annotated[
        bool, Meta(description="False: the number had a promise with that queue, which has taken the wish in")
    ]


class StoryLine(Frozen, frozen=True):
    """One thing that happened, and why."""

    at: At
    what: str
    why: str


class WhatNext(Frozen, frozen=True):
    """What comes next; all but `lines` is null once the promise is over."""

    lines: tuple[str, ...]
    not_before: At | None
    callable_from: Annotated[At | None, Meta(description="From when on the number may be rung; null also for never")]
    attempts_left: int | None
    calls_left: int | None
    expires_at: At | None


class Explanation(Frozen, frozen=True):
    """A promise's story, with reasons."""

    promise: PromiseItem
    language: str
    timeline: tuple[StoryLine, ...]
    next: WhatNext


def promise_item(kept: Kept, shown: Callable[[str | None], str | None]) -> PromiseItem:
    """Return a promise as it is told; `shown` masks numbers (`Ask.shown`)."""
    promise = kept.promise
    return PromiseItem(
        id=promise.id,
        queue=promise.queue,
        number=shown(promise.number or None),
        language=promise.language,
        state=promise.state,
        since=promise.since,
        made_at=kept.made_at,
        not_before=promise.not_before,
        expires_at=promise.expires_at,
        due_by=kept.due_by,
        slot_starts_at=promise.slot.starts_at if promise.slot else None,
        slot_ends_at=promise.slot.ends_at if promise.slot else None,
        told_late=promise.told_late,
        attempts_used=promise.attempts_used,
        calls_made=promise.dials,
        last_outcome=promise.last_outcome,
        urgent=promise.urgent,
        assigned_to=promise.assigned_to,
    )
