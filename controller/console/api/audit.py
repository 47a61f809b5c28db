"""The audit over the API: who did what."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from controller.console.api.operation import Ask, Nothing, Operation, Tag
from controller.console.api.problems import Kind
from controller.console.api.promise_shapes import NextCursor  # noqa: TC001 - msgspec reads the annotations
from controller.console.api.shapes import Asked, At, Cursor, Frozen, Limit
from controller.domain.access import Scope


class OfAudit(Asked, frozen=True):
    """Which entries."""

    who: Annotated[str, Meta(max_length=64, description="A login name, or a key's id")] | None = None
    action: Annotated[str, Meta(max_length=64, description="As it stands in an entry")] | None = None
    since: At | None = None
    until: Annotated[At | None, Meta(description="Not included")] = None
    limit: Limit = 50
    cursor: Cursor | None = None


class AuditItem(Frozen, frozen=True):
    """One thing that was done, or refused. Phone numbers in it are masked."""

    id: int
    at: At
    kind: Annotated[str, Meta(description="`person`, `key`, or `command` at the command line")]
    who: str
    action: str
    subject: str
    outcome: Annotated[str, Meta(description="An HTTP status, or a word")]
    detail: dict[str, Any]


class AuditPage(Frozen, frozen=True):
    """Entries, the newest first."""

    audit: tuple[AuditItem, ...]
    next_cursor: NextCursor


async def list_audit(ask: Ask[OfAudit, Nothing]) -> AuditPage:
    """Return a page of entries. Raises Refusal, StoreUnavailableError."""
    asked = ask.query
    mine = ["audit", msgspec.structs.replace(asked, cursor=None, limit=1), ask.who.kind, ask.who.name]
    before_id = ask.cursors.read(asked.cursor, mine, int) if asked.cursor is not None else None
    found = await ask.house.store.audit.listed(
        limit=asked.limit + 1,
        before_id=before_id,
        who=asked.who,
        action=asked.action,
        since=asked.since,
        until=asked.until,
    )
    shown = found[: asked.limit]
    return AuditPage(
        audit=tuple(
            AuditItem(
                id=one.id,
                at=one.entry.at,
                kind=one.entry.kind,
                who=one.entry.who,
                action=one.entry.action,
                subject=one.entry.subject,
                outcome=one.entry.outcome,
                detail=dict(one.entry.detail),
            )
            for one in shown
        ),
        next_cursor=ask.cursors.make(shown[-1].id, mine) if len(found) > len(shown) else None,
    )


OPERATIONS = (
    Operation(
        "GET",
        "/audit",
        list_audit,
        tag=Tag.STAFF,
        summary="List who did what, the newest first",
        answer=AuditPage,
        scope=Scope.AUDIT_READ,
        query=OfAudit,
        problems=(Kind.BAD_CURSOR,),
    ),
)
