"""The agents' desk: the card of whom they serve (screen pop), and the note that they write of the talk.

A whole number is shown to the agent whose talk it is, while it rings, during the talk and its wrap-up; before and
afterwards only to who may read numbers.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta

from controller.console.api.operation import Ask, Nothing, Operation, Tag
from controller.console.api.problems import Kind, Refusal
from controller.console.api.shapes import Asked, At, Frozen, NumberShown
from controller.domain.access import Scope
from controller.domain.agents import BUSY, AgentState
from controller.domain.card import About, Arrival, Note, Past, Promised, crm_address
from controller.domain.line import WaiterKind
from controller.domain.phone_number import DialableNumber, as_printed, check, mask
from controller.ports.notes import NoteWanted, NotTheirs, Overtaken

if TYPE_CHECKING:
    from controller.console.house import ConsoleHouse
    from controller.ports.floor import AgentEntry, FloorNow

WaiterId = Annotated[str, Meta(min_length=1, max_length=150, description="A call's id or a promise's")]
LONGEST_NOTE = 10_000
"""The most that the settings can allow."""


class Serving(Frozen, frozen=True):
    """Whom an agent serves, and all that is known of them."""

    waiter_id: str
    kind: WaiterKind
    state: AgentState
    """The agent's, since `state_since`."""
    state_since: At
    rest_ends_at: At | None
    queue: str
    number: NumberShown
    printed: str
    """The number as people write it, masked like `number`; empty where it is withheld."""
    can_be_called: bool
    """A callback can be booked for the number."""
    arrival: Arrival
    """Its number is empty: `number` has it."""
    urgent: bool
    promised: Promised | None
    note: Note | None
    """The agent's own, of this talk."""
    past: tuple[Past, ...]
    """The newest lines of the number's history, newest first."""
    is_all: bool
    crm_url: str
    """Where the CRM shows the customer; empty where there is none."""


class Card(Frozen, frozen=True):
    """What an agent's desk shows of whom they serve."""

    agent: str
    serving: Serving | None
    """Null: nobody."""


class OfNote(Asked, frozen=True):
    """Which note."""

    waiter_id: WaiterId


class NoteSent(Asked, frozen=True):
    """A note as it is to be from now on."""

    waiter_id: WaiterId
    disposition: Annotated[str, Meta(max_length=64, description="One of GET /dispositions, or empty")] = ""
    text: Annotated[str, Meta(max_length=LONGEST_NOTE)] = ""
    seen: At | None = None
    """`changed_at` of the note that was changed; null: there was none yet."""


class KeptNote(Frozen, frozen=True):
    """A note as it is kept."""

    note: Note | None


class Dispositions(Frozen, frozen=True):
    """What a talk can have come to."""

    dispositions: tuple[str, ...]


async def get_card(ask: Ask[Nothing, Nothing]) -> Card:
    """Return whom an agent serves."""
    house, agent = ask.house, theirs(ask)
    floor = house.floor.now()
    entry = agent_on(floor, agent)
    if not entry.waiter_id:
        return Card(agent=agent, serving=None)
    home = house.plan.home
    about = await house.store.notes.about(entry.waiter_id, agent, home=home, limit=house.desk.history_length)
    if about is None:
        serving = serving_now(floor, agent, entry.waiter_id)
        about = About(serving) if serving else None
    if about is None:
        return Card(agent=agent, serving=None)
    is_whole = ask.who.agent == agent or ask.who.may(Scope.NUMBERS_READ)
    return Card(agent=agent, serving=_serving(entry, floor, about, house, is_whole=is_whole))


async def get_note(ask: Ask[OfNote, Nothing]) -> KeptNote:
    """Return what an agent wrote of a talk."""
    agent = theirs(ask)
    home = ask.house.plan.home
    about = await ask.house.store.notes.about(ask.query.waiter_id, agent, home=home, limit=1)
    if about is None:
        raise Refusal(Kind.NOT_FOUND)
    return KeptNote(note=about.note)


async def put_note(ask: Ask[Nothing, NoteSent]) -> KeptNote:
    """Write what an agent has to say of a talk."""
    house, agent, sent = ask.house, theirs(ask), ask.body
    if sent.disposition and sent.disposition not in house.dispositions:
        raise Refusal.at("body.disposition", "is none of GET /dispositions")
    if len(sent.text) > house.desk.note_length:
        raise Refusal.at("body.text", f"has {len(sent.text)} characters; {house.desk.note_length} are allowed")
    now = house.now
    serving = serving_now(house.floor.now(), agent, sent.waiter_id)
    wanted = NoteWanted(sent.waiter_id, agent, sent.disposition, sent.text, sent.seen, serving)
    since = now - timedelta(seconds=house.desk.notes_open_s)
    written = await house.store.notes.write(wanted, at=now, served_since=since)
    match written:
        case Overtaken():
            raise Refusal(Kind.CHANGED, "The note was changed in another window; GET shows how it stands")
        case NotTheirs():
            raise Refusal(Kind.NOT_NOW, f"{agent} does not serve them, or did so too long ago")
    return KeptNote(note=written)


async def list_dispositions(ask: Ask[Nothing, Nothing]) -> Dispositions:
    """Return what a talk can have come to."""
    return Dispositions(dispositions=ask.house.dispositions)


def theirs(ask: Ask[Any, Any]) -> str:
    """Return the agent in the path, whose business it is. Raises Refusal where it is not that of whoever asks."""
    agent = ask.path["agent"]
    if not ask.who.may_act_for(agent):
        raise Refusal(Kind.NOT_ALLOWED, "An agent acts for themselves alone")
    return agent


def agent_on(floor: FloorNow, agent: str) -> AgentEntry:
    """Return an agent as they are. Raises Refusal when there is none of that name."""
    found = next((one for one in floor.agents if one.name == agent), None)
    if found is None:
        raise Refusal(Kind.NOT_FOUND, "There is no such agent")
    return found


def serving_now(floor: FloorNow, agent: str, waiter_id: str) -> Arrival | None:
    """Return what the floor knows of somebody whom an agent has now, in whichever state; None: they do not."""
    entry = next((one for one in floor.agents if one.name == agent and one.waiter_id == waiter_id), None)
    if entry is None:
        return None
    found = next((one for one in floor.line if one.id == waiter_id), None)
    if found is None:  # They have gone, and the agent wraps up.
        return Arrival(WaiterKind.LIVE, entry.queue, "", entry.since)
    return Arrival(found.kind, found.queue, found.number or "", found.since)


def is_busy_with(floor: FloorNow, agent: str, waiter_id: str) -> bool:
    """Tell whether an agent's talk with somebody is still to come, or under way."""
    return any(one.name == agent and one.waiter_id == waiter_id and one.state in BUSY for one in floor.agents)


def _serving(entry: AgentEntry, floor: FloorNow, about: About, house: ConsoleHouse, *, is_whole: bool) -> Serving:
    arrival = about.arrival
    on_floor = next((one for one in floor.line if one.id == entry.waiter_id), None)
    number = arrival.number
    e164 = dialable(number, house)
    shown = (e164 or number) if is_whole else mask(number) if number else ""
    return Serving(
        waiter_id=entry.waiter_id,
        kind=arrival.kind,
        state=entry.state,
        state_since=entry.since,
        rest_ends_at=entry.rest_ends_at,
        queue=entry.queue or arrival.queue,
        number=shown or None,
        printed=as_printed(shown, house.plan.home) if is_whole and shown else shown,
        can_be_called=e164 is not None,
        arrival=replace(arrival, number=""),
        urgent=on_floor is not None and on_floor.urgent,
        promised=about.promised,
        note=about.note,
        past=about.past,
        is_all=about.is_all,
        crm_url=crm_address(house.desk.crm_url, shown) if is_whole else "",
    )


def dialable(number: str, house: ConsoleHouse) -> str | None:
    """Return a number, E.164, where it may be promised a call."""
    found = check(number, house.plan)
    return found.e164 if isinstance(found, DialableNumber) else None


_OWN = "Agents for themselves (`desk`), and whoever may command the floor for everybody."
OPERATIONS = (
    Operation(
        "GET",
        "/agents/{agent}/card",
        get_card,
        tag=Tag.AGENTS,
        summary="Show whom an agent serves, and what is known of them (screen pop)",
        description=_OWN + " From the moment at which the phone rings to the end of the wrap-up.",
        answer=Card,
        scope=Scope.DESK,
        or_scope=Scope.FLOOR_WRITE,
        problems=(Kind.NOT_FOUND,),
    ),
    Operation(
        "GET",
        "/agents/{agent}/note",
        get_note,
        tag=Tag.AGENTS,
        summary="Show what an agent wrote of a talk",
        description=_OWN,
        answer=KeptNote,
        scope=Scope.DESK,
        or_scope=Scope.FLOOR_WRITE,
        query=OfNote,
        problems=(Kind.NOT_FOUND,),
    ),
    Operation(
        "PUT",
        "/agents/{agent}/note",
        put_note,
        tag=Tag.AGENTS,
        summary="Write what a talk came to",
        description=_OWN + " Sent again it changes nothing. With `seen` it never writes over what was not seen.",
        answer=KeptNote,
        scope=Scope.DESK,
        or_scope=Scope.FLOOR_WRITE,
        body=NoteSent,
        problems=(Kind.CHANGED, Kind.NOT_NOW),
    ),
    Operation(
        "GET",
        "/dispositions",
        list_dispositions,
        tag=Tag.AGENTS,
        summary="List what a talk can have come to",
        answer=Dispositions,
        scope=Scope.DESK,
        or_scope=Scope.FLOOR_READ,
    ),
)
