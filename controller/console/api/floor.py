"""The floor over the API: what it is like now, its queues and its line, and what a supervisor does there."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from controller.console.api.operation import Ask, Nothing, Operation, Tag, shown_to
from controller.console.api.problems import FLOOR_KINDS, Kind, Refusal, raise_if
from controller.console.api.shapes import (
    Asked,
    At,
    FloorShape,
    Frozen,
    LineItem,
    QueueItem,
    QueueName,
    floor_shape,
    line_item,
    queue_item,
)
from controller.domain.access import Scope

if TYPE_CHECKING:
    from controller.console.house import ConsoleHouse
    from controller.domain.access import Principal


class QueueList(Frozen, frozen=True):
    """The queues."""

    queues: tuple[QueueItem, ...]


class LineList(Frozen, frozen=True):
    """The line: first who is served first, then who is being served."""

    at: At
    line: tuple[LineItem, ...]


class OfLine(Asked, frozen=True):
    """Which part of the line."""

    queue: QueueName | None = None


class Closing(Asked, frozen=True):
    """For how long a queue is closed."""

    until: At | None = None
    """Null: until it is opened again."""


class Announcement(Asked, frozen=True):
    """What callers hear."""

    prompt: Annotated[
        str,
        Meta(
            pattern=r"^[a-z0-9][a-z0-9_/-]{0,99}(?!\n)$",
            description="A prompt, by its name in the sounds of the PBX, without language and ending",
            examples=["sorry-for-the-wait"],
        ),
    ]


class Priority(Asked, frozen=True):
    """Who goes first."""

    urgent: bool


class Assignment(Asked, frozen=True):
    """Who is to serve them."""

    agent: Annotated[str, Meta(max_length=64, description="An agent; empty: everybody may again")]


class Movement(Asked, frozen=True):
    """Where they are to wait."""

    queue: QueueName


def titles_of(house: ConsoleHouse, queue: str) -> dict[str, str]:
    """Return what people call a queue, by language."""
    shown = house.queues.get(queue)
    return dict(shown.titles) if shown else {}


def shape_of(house: ConsoleHouse, who: Principal) -> FloorShape:
    """Return the floor as it is now, as `GET floor` tells it to somebody."""
    return floor_shape(house.floor.now(), partial(shown_to, who), partial(titles_of, house), house.plan.home)


async def get_floor(ask: Ask[Nothing, Nothing]) -> FloorShape:
    """Return the floor as it is."""
    return shape_of(ask.house, ask.who)


async def list_queues(ask: Ask[Nothing, Nothing]) -> QueueList:
    """Return every queue."""
    return QueueList(
        queues=tuple(queue_item(one, titles_of(ask.house, one.name)) for one in ask.house.floor.now().queues)
    )


async def get_queue(ask: Ask[Nothing, Nothing]) -> QueueItem:
    """Return one queue. Raises Refusal."""
    for one in ask.house.floor.now().queues:
        if one.name == ask.path["queue"]:
            return queue_item(one, titles_of(ask.house, one.name))
    raise Refusal(Kind.NOT_FOUND)


async def close_queue(ask: Ask[Nothing, Closing]) -> None:
    """Close a queue now. Raises Refusal."""
    until = ask.body.until
    if until is not None and until <= ask.house.now:
        raise Refusal.at("body.until", "is past")
    raise_if(await ask.house.floor.close_queue(ask.path["queue"], by=ask.who.name, until=until))


async def open_queue(ask: Ask[Nothing, Nothing]) -> None:
    """Let the hours of a queue count again. Raises Refusal."""
    raise_if(await ask.house.floor.open_queue(ask.path["queue"]))


async def announce(ask: Ask[Nothing, Announcement]) -> None:
    """Play a prompt to everybody who holds. Raises Refusal."""
    raise_if(await ask.house.floor.announce(ask.path["queue"], ask.body.prompt))


async def get_line(ask: Ask[OfLine, Nothing]) -> LineList:
    """Return the line."""
    floor, queue, home = ask.house.floor.now(), ask.query.queue, ask.house.plan.home
    return LineList(
        at=floor.at, line=tuple(line_item(one, ask.shown, home) for one in floor.line if queue in {None, one.queue})
    )


async def get_waiter(ask: Ask[Nothing, Nothing]) -> LineItem:
    """Return one of the line. Raises Refusal."""
    for one in ask.house.floor.now().line:
        if one.id == ask.path["waiter"]:
            return line_item(one, ask.shown, ask.house.plan.home)
    raise Refusal(Kind.NOT_FOUND)


async def prioritise(ask: Ask[Nothing, Priority]) -> None:
    """Put somebody ahead, or back. Raises Refusal."""
    raise_if(await ask.house.floor.prioritise(ask.path["waiter"], urgent=ask.body.urgent))


async def assign(ask: Ask[Nothing, Assignment]) -> None:
    """Let somebody wait for one agent alone. Raises Refusal."""
    agent = ask.body.agent
    if agent and all(one.name != agent for one in ask.house.floor.now().agents):
        raise Refusal.at("body.agent", "there is no such agent")
    raise_if(await ask.house.floor.assign(ask.path["waiter"], agent))


async def move(ask: Ask[Nothing, Movement]) -> None:
    """Let somebody wait for another queue. Raises Refusal."""
    if ask.body.queue not in ask.house.queues:
        raise Refusal.at("body.queue", "there is no such queue")
    raise_if(await ask.house.floor.move(ask.path["waiter"], ask.body.queue))


_COMMAND = FLOOR_KINDS
OPERATIONS = (
    Operation(
        "GET",
        "/floor",
        get_floor,
        tag=Tag.FLOOR,
        summary="Show the floor: line, agents, queues, trunks, problems",
        answer=FloorShape,
        scope=Scope.FLOOR_READ,
    ),
    Operation(
        "GET", "/queues", list_queues, tag=Tag.QUEUES, summary="List queues", answer=QueueList, scope=Scope.FLOOR_READ
    ),
    Operation(
        "GET",
        "/queues/{queue}",
        get_queue,
        tag=Tag.QUEUES,
        summary="Show a queue",
        answer=QueueItem,
        scope=Scope.FLOOR_READ,
        problems=(Kind.NOT_FOUND,),
    ),
    Operation(
        "POST",
        "/queues/{queue}/close",
        close_queue,
        tag=Tag.QUEUES,
        summary="Close a queue now, whatever its hours say",
        description="Callers who hold are served.",
        answer=type(None),
        scope=Scope.FLOOR_WRITE,
        body=Closing,
        problems=_COMMAND,
    ),
    Operation(
        "POST",
        "/queues/{queue}/open",
        open_queue,
        tag=Tag.QUEUES,
        summary="Let the hours of a queue count again",
        answer=type(None),
        scope=Scope.FLOOR_WRITE,
        problems=_COMMAND,
    ),
    Operation(
        "POST",
        "/queues/{queue}/announce",
        announce,
        tag=Tag.QUEUES,
        summary="Play a prompt to everybody who holds",
        answer=type(None),
        scope=Scope.FLOOR_WRITE,
        body=Announcement,
        problems=_COMMAND,
    ),
    Operation(
        "GET",
        "/line",
        get_line,
        tag=Tag.LINE,
        summary="Show the line: live callers and promises in one list",
        answer=LineList,
        scope=Scope.FLOOR_READ,
        query=OfLine,
    ),
    Operation(
        "GET",
        "/line/{waiter}",
        get_waiter,
        tag=Tag.LINE,
        summary="Show one of the line",
        answer=LineItem,
        scope=Scope.FLOOR_READ,
        problems=(Kind.NOT_FOUND,),
    ),
    Operation(
        "POST",
        "/line/{waiter}/prioritise",
        prioritise,
        tag=Tag.LINE,
        summary="Put a caller or a promise ahead of those who are not urgent, or back",
        answer=type(None),
        scope=Scope.FLOOR_WRITE,
        body=Priority,
        problems=_COMMAND,
    ),
    Operation(
        "POST",
        "/line/{waiter}/assign",
        assign,
        tag=Tag.LINE,
        summary="Let a caller or a promise wait for one agent alone",
        answer=type(None),
        scope=Scope.FLOOR_WRITE,
        body=Assignment,
        problems=_COMMAND,
    ),
    Operation(
        "POST",
        "/line/{waiter}/move",
        move,
        tag=Tag.LINE,
        summary="Let a caller or a promise wait for another queue",
        description="They keep the place that their arrival gives them.",
        answer=type(None),
        scope=Scope.FLOOR_WRITE,
        body=Movement,
        problems=(*_COMMAND, Kind.NUMBER_HELD),
    ),
)
