"""Keys of programs over the API. A secret is told once, when it is made."""

from __future__ import annotations

import secrets
from http import HTTPStatus
from typing import Annotated, Any

from msgspec import Meta

from controller.console.api.operation import Ask, Nothing, Operation, Tag
from controller.console.api.problems import Kind, Refusal
from controller.console.api.shapes import Asked, At, Frozen
from controller.console.trail import tell
from controller.domain import api_key
from controller.domain.access import SCOPES_OF_KEYS, Scope
from controller.ports.people import ApiKey


class KeyItem(Frozen, frozen=True):
    """A key, without its secret."""

    id: str
    title: str
    scopes: tuple[str, ...]
    made_by: str
    made_at: At
    expires_at: At | None
    used_at: Annotated[At | None, Meta(description="When it was used last, to the minute")]
    revoked_at: At | None


class KeyList(Frozen, frozen=True):
    """Keys, the newest first."""

    keys: tuple[KeyItem, ...]


class KeyWanted(Asked, frozen=True):
    """A key that is to be made."""

    title: Annotated[str, Meta(min_length=1, max_length=120, description="What it is for", examples=["CRM"])]
    scopes: Annotated[
        list[Scope],
        Meta(
            min_length=1,
            max_length=len(Scope),
            examples=[["promises:read"]],
            extra_json_schema={"items": {"enum": sorted(SCOPES_OF_KEYS)}},
        ),
    ]
    expires_at: Annotated[At | None, Meta(description="Null: never by itself")] = None


class KeyMade(Frozen, frozen=True):
    """A new key: the only time at which its secret can be seen."""

    secret: Annotated[str, Meta(description="Sent as `Authorization: Bearer ...`; it is told this once")]
    key: KeyItem


async def list_keys(ask: Ask[Nothing, Nothing]) -> KeyList:
    """Return all keys. Raises StoreUnavailableError."""
    return KeyList(keys=tuple(map(_item, await ask.house.store.keys.listed())))


async def create_key(ask: Ask[Nothing, KeyWanted]) -> KeyMade:
    """Make a key. Raises Refusal, StoreUnavailableError."""
    house, wanted = ask.house, ask.body
    title = wanted.title.strip()
    if not title or not title.isprintable():
        raise Refusal.at("body.title", "has to be one line of text")
    if wanted.expires_at is not None and wanted.expires_at <= house.now:
        raise Refusal.at("body.expires_at", "is past")
    try:
        scopes = api_key.scopes_of_key(scope.value for scope in wanted.scopes)
    except ValueError as error:
        raise Refusal.at("body.scopes", str(error)) from None
    secret = secrets.token_hex(api_key.SECRET_BYTES)
    key = ApiKey(
        id=secrets.token_hex(api_key.ID_BYTES),
        title=title,
        scopes=scopes,
        made_by=ask.who.name,
        made_at=house.now,
        secret_hash=api_key.secret_hash(secret),
        expires_at=wanted.expires_at,
    )
    await house.store.keys.add(key)
    tell(ask.request, key=key.id, scopes=" ".join(sorted(scopes)))
    return KeyMade(secret=api_key.written(key.id, secret), key=_item(key))


async def revoke_key(ask: Ask[Nothing, Nothing]) -> None:
    """Let a key open nothing any more. Raises Refusal, StoreUnavailableError."""
    if not await ask.house.store.keys.revoke(ask.path["key"], ask.house.now):
        raise Refusal(Kind.NOT_FOUND, "there is no such key that opens anything")


def _item(key: ApiKey) -> KeyItem:
    return KeyItem(
        id=key.id,
        title=key.title,
        scopes=tuple(sorted(scope.value for scope in key.scopes)),
        made_by=key.made_by,
        made_at=key.made_at,
        expires_at=key.expires_at,
        used_at=key.used_at,
        revoked_at=key.revoked_at,
    )


OPERATIONS: tuple[Operation[Any, Any, Any], ...] = (
    Operation(
        "GET",
        "/keys",
        list_keys,
        tag=Tag.STAFF,
        summary="List keys of programs",
        answer=KeyList,
        scope=Scope.KEYS_WRITE,
    ),
    Operation(
        "POST",
        "/keys",
        create_key,
        tag=Tag.STAFF,
        summary="Make a key for a program",
        description="The secret is told once, in this answer; a hash of it is kept.",
        answer=KeyMade,
        scope=Scope.KEYS_WRITE,
        body=KeyWanted,
        status=int(HTTPStatus.CREATED),
    ),
    Operation(
        "DELETE",
        "/keys/{key}",
        revoke_key,
        tag=Tag.STAFF,
        summary="Let a key open nothing any more",
        answer=type(None),
        scope=Scope.KEYS_WRITE,
        problems=(Kind.NOT_FOUND,),
    ),
)
