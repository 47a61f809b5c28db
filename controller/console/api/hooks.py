"""Webhooks over the API: how each of them fares, what it was sent, and what it did not take sent again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta

from controller.console.api.operation import Ask, Nothing, Operation, Tag
from controller.console.api.problems import Kind, Refusal
from controller.console.api.shapes import Asked, At, Frozen, Limit
from controller.console.trail import tell
from controller.domain.access import Scope

if TYPE_CHECKING:
    from controller.console.house import ConsoleHouse
    from controller.ports.hooks import DeliveryLine, HookStanding


class HookItem(Frozen, frozen=True):
    """A webhook of the settings, and how it fares. Counts go back as far as deliveries are kept."""

    name: str
    url: Annotated[str, Meta(description="Without its path, which may be a secret")]
    events: tuple[str, ...]
    with_numbers: bool
    enabled: bool
    is_gone: Annotated[bool, Meta(description="It said 410: it is sent nothing until that is changed")]
    backlog: Annotated[int, Meta(description="What it is owed", ge=0)]
    oldest_at: Annotated[At | None, Meta(description="When the oldest of that was made")]
    delivered: Annotated[int, Meta(ge=0)]
    not_delivered: Annotated[int, Meta(description="What was given up: it needs a person", ge=0)]
    last_delivered_at: At | None
    last_status: Annotated[int | None, Meta(description="Of the latest event that it did not take")]
    last_error: Annotated[str, Meta(description="Likewise; empty: there is none")]


class HookList(Frozen, frozen=True):
    """The webhooks of the settings, in their order."""

    hooks: tuple[HookItem, ...]


class OfDeliveries(Asked, frozen=True):
    """Which deliveries."""

    failed_only: Annotated[bool, Meta(description="Only what was not delivered")] = False
    limit: Limit = 50


class DeliveryItem(Frozen, frozen=True):
    """One event that a webhook is or was owed, without what is in it."""

    event_id: Annotated[str, Meta(description="The receiver's `webhook-id`")]
    event: Annotated[str, Meta(examples=["promise.made"])]
    made_at: At
    next_try_at: Annotated[At | None, Meta(description="Null: it is settled")]
    tries: int
    settled_at: At | None
    delivered: bool
    last_status: int | None
    last_error: str


class DeliveryList(Frozen, frozen=True):
    """Deliveries, the newest first."""

    deliveries: tuple[DeliveryItem, ...]


class Retried(Frozen, frozen=True):
    """What is sent again."""

    count: Annotated[int, Meta(ge=0)]


async def list_hooks(ask: Ask[Nothing, Nothing]) -> HookList:
    """Return all webhooks. Raises StoreUnavailableError."""
    return HookList(hooks=tuple(map(_hook_item, await ask.house.store.hooks.standing())))


async def list_deliveries(ask: Ask[OfDeliveries, Nothing]) -> DeliveryList:
    """Return what a webhook is or was owed. Raises Refusal, StoreUnavailableError."""
    hook = _known(ask.house, ask.path["hook"])
    asked = ask.query
    found = await ask.house.store.hooks.deliveries(hook, asked.limit, failed_only=asked.failed_only)
    return DeliveryList(deliveries=tuple(map(_delivery_item, found)))


async def retry_hook(ask: Ask[Nothing, Nothing]) -> Retried:
    """Send a webhook again what it did not take. Raises Refusal, StoreUnavailableError."""
    hook = _known(ask.house, ask.path["hook"])
    count = await ask.house.store.hooks.retry(hook, ask.house.now)
    tell(ask.request, count=count)
    return Retried(count=count)


def _known(house: ConsoleHouse, hook: str) -> str:
    """Return the name of a webhook. Raises Refusal."""
    if hook not in {wish.name for wish in house.store.hooks.wishes}:
        raise Refusal(Kind.NOT_FOUND)
    return hook


def _hook_item(one: HookStanding) -> HookItem:
    wish = one.wish
    return HookItem(
        name=wish.name,
        url=wish.shown_url,
        events=wish.events,
        with_numbers=wish.with_numbers,
        enabled=wish.enabled,
        is_gone=one.is_gone,
        backlog=one.backlog,
        oldest_at=one.oldest_at,
        delivered=one.delivered,
        not_delivered=one.not_delivered,
        last_delivered_at=one.last_delivered_at,
        last_status=one.last_status,
        last_error=one.last_error,
    )


def _delivery_item(one: DeliveryLine) -> DeliveryItem:
    return DeliveryItem(
        event_id=one.event_id,
        event=one.event,
        made_at=one.made_at,
        next_try_at=one.not_before if one.settled_at is None else None,
        tries=one.tries,
        settled_at=one.settled_at,
        delivered=one.delivered,
        last_status=one.last_status,
        last_error=one.last_error,
    )


OPERATIONS: tuple[Operation[Any, Any, Any], ...] = (
    Operation(
        "GET",
        "/hooks",
        list_hooks,
        tag=Tag.WEBHOOKS,
        summary="List webhooks and how they fare",
        answer=HookList,
        scope=Scope.AUDIT_READ,
    ),
    Operation(
        "GET",
        "/hooks/{hook}/deliveries",
        list_deliveries,
        tag=Tag.WEBHOOKS,
        summary="List what a webhook is or was owed, the newest first",
        answer=DeliveryList,
        scope=Scope.AUDIT_READ,
        query=OfDeliveries,
        problems=(Kind.NOT_FOUND,),
    ),
    Operation(
        "POST",
        "/hooks/{hook}/retry",
        retry_hook,
        tag=Tag.WEBHOOKS,
        summary="Send a webhook again all that it did not take",
        description="Also one that said that it is gone (410). What is sent again has the id that it had.",
        answer=Retried,
        scope=Scope.KEYS_WRITE,
        problems=(Kind.NOT_FOUND,),
    ),
)
