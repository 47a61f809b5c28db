"""Recordings of talks over the API: find one, hear it, delete it. Who hears one is in the audit before they hear it."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime  # noqa: TC003 - msgspec reads the annotations when it runs
from typing import TYPE_CHECKING, Annotated

import msgspec
import structlog
from aiohttp import web
from msgspec import Meta

from controller.console.api.operation import Ask, Nothing, Operation, Tag
from controller.console.api.problems import Kind, Refusal
from controller.console.api.promise_shapes import NextCursor  # noqa: TC001 - msgspec reads the annotations
from controller.console.api.read_ahead import reading_ahead
from controller.console.api.shapes import AgentName, Asked, At, Cursor, Frozen, Limit, PhoneNumber, QueueName
from controller.console.trail import note, tell
from controller.domain.access import Scope
from controller.domain.line import WaiterKind  # noqa: TC001 - msgspec reads the annotations
from controller.domain.phone_number import as_e164, mask
from controller.domain.recording import Consent, Recording, RecordingState
from controller.domain.spellings import spellings
from controller.ports.calls import PbxUnavailableError
from controller.ports.promises import StoreUnavailableError
from controller.ports.recordings import After, WantedRecordings

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller.console.api.read_ahead import ReadAhead
    from controller.console.house import ConsoleHouse
    from controller.domain.access import Principal

log = structlog.get_logger(__name__)

HEARD = "recording.heard"
"""As it stands in the audit."""
WAV = "audio/wav"
AHEAD_BYTES = 16 * 1024 * 1024
"""What is kept for one listener who takes it slowly: 17 minutes of telephone sound."""
PATIENCE_S = 15 * 60.0
"""How long a listener may take nothing of what was sent: a player reads no further while it is paused."""
MOST_AT_ONCE = 32
"""Listeners of one controller: each may cost so many bytes of its memory."""
HEARINGS = web.AppKey("hearings", asyncio.Semaphore)
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")


def attach(app: web.Application) -> None:
    """Let recordings be heard in an application."""
    app[HEARINGS] = asyncio.Semaphore(MOST_AT_ONCE)


class OfRecordings(Asked, frozen=True):
    """Which recordings."""

    since: Annotated[At | None, Meta(description="The talk began then or later")] = None
    until: Annotated[At | None, Meta(description="The talk began before then")] = None
    queue: QueueName | None = None
    agent: AgentName | None = None
    number: Annotated[PhoneNumber | None, Meta(description="Of one number; takes numbers:read, too")] = None
    limit: Limit = 50
    cursor: Cursor | None = None


class RecordingItem(Frozen, frozen=True):
    """A recorded talk, or one that is being recorded."""

    id: str
    waiter_id: Annotated[str, Meta(description="The call, or the promise that was kept by it")]
    kind: WaiterKind
    queue: str
    agent: str
    pbx: Annotated[str, Meta(description="The Asterisk that has the sound")]
    number: Annotated[
        str | None,
        Meta(description="E.164, or as the network showed it; masked without numbers:read; null: withheld"),
    ]
    consent: Annotated[Consent, Meta(description="`told`: it was announced; `agreed`: they pressed a key for yes")]
    began_at: At
    ended_at: Annotated[At | None, Meta(description="Null: the talk goes on")]
    state: Annotated[RecordingState | None, Meta(description="While the talk goes on; null: it is over")]
    can_be_heard: Annotated[bool, Meta(description="It is over, and this controller has the Asterisk with its sound")]


class RecordingPage(Frozen, frozen=True):
    """Recordings, the last to begin first."""

    recordings: tuple[RecordingItem, ...]
    next_cursor: NextCursor


class _Place(msgspec.Struct, frozen=True):
    """Where a page ends, in a cursor."""

    began_at: datetime
    id: str


async def list_recordings(ask: Ask[OfRecordings, Nothing]) -> RecordingPage:
    """Return a page of recordings. Raises Refusal, StoreUnavailableError."""
    asked = ask.query
    wanted = WantedRecordings(
        since=asked.since,
        until=asked.until,
        queue=asked.queue or "",
        agent=asked.agent or "",
        spelled=() if asked.number is None else _spelled(ask.house, ask.who, asked.number),
    )
    mine = ["recordings", msgspec.structs.replace(asked, cursor=None, limit=1), ask.who.kind, ask.who.name]
    place = ask.cursors.read(asked.cursor, mine, _Place) if asked.cursor is not None else None
    after = None if place is None else After(place.began_at, place.id)
    found = await ask.house.store.recordings.page(wanted, after=after, limit=asked.limit + 1)
    shown = found[: asked.limit]
    more = len(found) > len(shown)
    return RecordingPage(
        recordings=tuple(recording_item(one, ask.house, ask.shown) for one in shown),
        next_cursor=ask.cursors.make(_Place(shown[-1].began_at, shown[-1].id), mine) if more else None,
    )


async def get_recording(ask: Ask[Nothing, Nothing]) -> RecordingItem:
    """Return one. Raises Refusal, StoreUnavailableError."""
    return recording_item(await _kept(ask), ask.house, ask.shown)


async def hear_recording(ask: Ask[Nothing, Nothing]) -> web.StreamResponse:
    """Send the sound of one, once it is written down who hears it.

    Raises Refusal, StoreUnavailableError; ConnectionResetError, when a part of it was sent and there is no more.
    """
    found = await _kept(ask)
    if found.ended_at is None:
        raise Refusal(Kind.NOT_NOW, "the talk still goes on")
    shelf = ask.house.shelf_of(found.pbx)
    if shelf is None:
        raise Refusal(
            Kind.UNAVAILABLE,
            f"the sound is on the Asterisk {found.pbx}, which this controller does not have: ask the controller that "
            "has it (`controller offices` tells which), or come again when it has been taken over",
        )
    hearings = ask.request.app[HEARINGS]
    if hearings.locked():
        raise Refusal(Kind.UNAVAILABLE, f"{MOST_AT_ONCE} recordings are being heard: come again when one has ended")
    async with hearings, reading_ahead(shelf.sound(found.id), AHEAD_BYTES) as sound:
        try:
            first = await sound.next()
        except LookupError:
            raise Refusal(Kind.NOT_FOUND, f"the Asterisk {found.pbx} has no sound of it") from None
        except PbxUnavailableError as error:
            log.warning("recording_out_of_reach", recording=found.id, pbx=found.pbx, error=str(error))
            away = f"the sound is on the Asterisk {found.pbx}, which does not answer: come again when it is back"
            raise Refusal(Kind.UNAVAILABLE, away) from None
        await _note_hearing(ask, found)
        return await _sent(ask.request, found, first, sound)


async def delete_recording(ask: Ask[Nothing, Nothing]) -> None:
    """Have one erased; from now on nobody hears it. Raises Refusal, StoreUnavailableError."""
    found = await _kept(ask)
    tell(ask.request, **_about(found))
    if not await ask.house.store.recordings.delete(found.id):
        await _kept(ask)
        raise Refusal(Kind.NOT_NOW, "the talk still goes on")


def recording_item(one: Recording, house: ConsoleHouse, shown: Callable[[str | None], str | None]) -> RecordingItem:
    """Return a recording as it is told; `shown` masks numbers (`Ask.shown`)."""
    is_over = one.ended_at is not None
    state = RecordingState.RUNNING if one.paused_at is None else RecordingState.PAUSED
    return RecordingItem(
        id=one.id,
        waiter_id=one.waiter_id,
        kind=one.kind,
        queue=one.queue,
        agent=one.agent,
        pbx=one.pbx,
        number=shown(one.number or None),
        consent=one.consent,
        began_at=one.began_at,
        ended_at=one.ended_at,
        state=None if is_over else state,
        can_be_heard=is_over and house.shelf_of(one.pbx) is not None,
    )


def _spelled(house: ConsoleHouse, who: Principal, written: str) -> tuple[str, ...]:
    """Return every spelling of the number to look for. Raises Refusal."""
    if not who.may(Scope.NUMBERS_READ):
        # Whoever sees masked numbers could find out the rest by asking for one after the other.
        raise Refusal(Kind.NOT_ALLOWED, "to look for a number takes numbers:read")
    number = as_e164(written, house.plan.home)
    if number is None:
        raise Refusal.at("query.number", "is no phone number")
    return spellings(number, house.plan.home)


async def _kept(ask: Ask[Nothing, Nothing]) -> Recording:
    """Return the recording in the path. Raises Refusal where there is none that may be known of any more."""
    found = await ask.house.store.recordings.find(ask.path["recording"])
    if found is None or found.unwanted or found.erased_at is not None:
        raise Refusal(Kind.NOT_FOUND)
    return found


def _about(one: Recording) -> dict[str, str]:
    """Return what the audit is told of a recording."""
    began = f"{one.began_at:%Y-%m-%dT%H:%M:%SZ}"
    return {"queue": one.queue, "agent": one.agent, "number": mask(one.number), "began_at": began}


async def _note_hearing(ask: Ask[Nothing, Nothing], found: Recording) -> None:
    """Write down who hears a recording. Raises Refusal where that cannot be written: then nothing is heard."""
    try:
        await note(ask.house, ask.who, HEARD, found.id, _about(found))
    except StoreUnavailableError as error:
        log.warning("recording_not_heard", recording=found.id, who=ask.who.name, error=str(error))
        unseen = "the audit cannot be written, and nothing is heard that does not stand there; try again"
        raise Refusal(Kind.UNAVAILABLE, unseen) from None


async def _sent(request: web.Request, found: Recording, first: bytes, sound: ReadAhead) -> web.StreamResponse:
    """Send sound piece by piece. Raises ConnectionResetError."""
    name = _UNSAFE.sub("_", found.id)
    # Parts are not served: a player that asks for one after the other would be in the audit so many times.
    headers = {"Content-Type": WAV, "Content-Disposition": f'inline; filename="{name}.wav"', "Accept-Ranges": "none"}
    answer = web.StreamResponse(headers={**headers, "Cache-Control": "no-store"})
    await answer.prepare(request)
    piece = first
    try:
        while piece:
            async with asyncio.timeout(PATIENCE_S):
                await answer.write(piece)
            piece = await sound.next()
    except (LookupError, PbxUnavailableError, TimeoutError) as error:
        # An end in order would pass a part for the whole.
        log.warning("recording_cut_short", recording=found.id, pbx=found.pbx, error=str(error))
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionResetError("the rest of the sound cannot be sent") from error
    return answer


OPERATIONS = (
    Operation(
        "GET",
        "/recordings",
        list_recordings,
        tag=Tag.RECORDINGS,
        summary="List recordings of talks, the last to begin first",
        answer=RecordingPage,
        scope=Scope.RECORDINGS_READ,
        query=OfRecordings,
        problems=(Kind.BAD_CURSOR,),
    ),
    Operation(
        "GET",
        "/recordings/{recording}",
        get_recording,
        tag=Tag.RECORDINGS,
        summary="Show what is known of a recording",
        answer=RecordingItem,
        scope=Scope.RECORDINGS_READ,
        problems=(Kind.NOT_FOUND,),
    ),
    Operation(
        "GET",
        "/recordings/{recording}/sound",
        hear_recording,
        tag=Tag.RECORDINGS,
        summary="Hear a recording (WAV)",
        description=f"Each time is in the audit (`{HEARD}`), before the first sound is sent. The whole of it is sent, "
        "whatever part is asked for; an answer that breaks off is not the whole.",
        answer=bytes,
        scope=Scope.RECORDINGS_READ,
        problems=(Kind.NOT_FOUND, Kind.NOT_NOW),
        media=WAV,
    ),
    Operation(
        "DELETE",
        "/recordings/{recording}",
        delete_recording,
        tag=Tag.RECORDINGS,
        summary="Delete a recording",
        description="From now on it is neither listed nor heard, and is nobody's; its sound is erased as soon as its "
        "Asterisk can be reached.",
        answer=type(None),
        scope=Scope.RECORDINGS_WRITE,
        problems=(Kind.NOT_FOUND, Kind.NOT_NOW),
    ),
)
