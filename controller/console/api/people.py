"""People who may sign in, over the API. A first password is told once; its owner has to choose another."""

from __future__ import annotations

import asyncio
import secrets
from http import HTTPStatus
from typing import Annotated, Any, Literal

from msgspec import Meta

from controller.console.api.operation import Ask, Nothing, Operation, Tag
from controller.console.api.problems import Kind, Refusal
from controller.console.api.shapes import Asked, At, Frozen
from controller.console.trail import tell
from controller.domain import login_name
from controller.domain.access import Role, Scope
from controller.domain.passwords import SALT_BYTES, hashed
from controller.ports.people import Person, PersonChange

_FIRST_BYTES = 12
"""96 random bits: nobody guesses them before their owner has chosen a password of their own."""
DisplayName = Annotated[str, Meta(min_length=1, max_length=120)]
AgentOf = Annotated[str, Meta(max_length=64, description="The agent, by name, who they are at the phone; empty: none")]
LanguageOf = Annotated[Literal["", "ja", "en"], Meta(description="Of the pages; empty: the browser's")]


class PersonItem(Frozen, frozen=True):
    """Somebody who may sign in."""

    name: str
    display_name: str
    role: Role
    agent: str
    language: str
    is_enabled: bool
    has_password: bool
    must_change: Annotated[bool, Meta(description="They have to choose a password of their own first")]
    locked_until: Annotated[At | None, Meta(description="Too many wrong passwords; null: not locked")]
    made_at: At
    changed_at: At


class PersonList(Frozen, frozen=True):
    """Everybody, by name."""

    people: tuple[PersonItem, ...]


class PersonWanted(Asked, frozen=True):
    """Somebody who is to sign in from now on."""

    name: Annotated[str, Meta(max_length=64, description=login_name.RULE, examples=["hanako"])]
    display_name: DisplayName
    role: Role
    agent: AgentOf = ""
    language: LanguageOf = ""


class PersonChanged(Asked, frozen=True):
    """What is to be different; null, or left out: as it is."""

    display_name: DisplayName | None = None
    role: Role | None = None
    agent: AgentOf | None = None
    language: LanguageOf | None = None
    is_enabled: bool | None = None
    reset_password: Annotated[bool, Meta(description="Give them a new first password, and end their sessions")] = False


class PersonMade(Frozen, frozen=True):
    """A person, and the password that was made for them: the only time at which it can be seen."""

    person: PersonItem
    first_password: Annotated[str | None, Meta(description="Told this once; null: none was made")]


async def list_people(ask: Ask[Nothing, Nothing]) -> PersonList:
    """Return everybody. Raises StoreUnavailableError."""
    return PersonList(people=tuple(_item(ask, one) for one in await ask.house.store.people.listed()))


async def create_person(ask: Ask[Nothing, PersonWanted]) -> PersonMade:
    """Let somebody sign in. Raises Refusal, StoreUnavailableError."""
    house, wanted = ask.house, ask.body
    name = login_name.login_name(wanted.name)
    if name is None:
        raise Refusal.at("body.name", f"has to be {login_name.RULE}")
    password, kept = await _first_password()
    person = Person(
        name=name,
        display_name=_line("body.display_name", wanted.display_name),
        role=wanted.role,
        made_at=house.now,
        changed_at=house.now,
        agent=wanted.agent,
        language=wanted.language,
        password_hash=kept,
        must_change=True,
    )
    if not await house.store.people.add(person):
        raise Refusal(Kind.EXISTS)
    tell(ask.request, name=name, role=wanted.role.value)
    return PersonMade(person=_item(ask, person), first_password=password)


async def change_person(ask: Ask[Nothing, PersonChanged]) -> PersonMade:
    """Change somebody who may sign in. Raises Refusal, StoreUnavailableError."""
    house, wanted, name = ask.house, ask.body, ask.path["name"]
    people = house.store.people
    change = PersonChange(
        display_name=None if wanted.display_name is None else _line("body.display_name", wanted.display_name),
        role=wanted.role,
        agent=wanted.agent,
        language=wanted.language,
        is_enabled=wanted.is_enabled,
    )
    if name == ask.who.name and (wanted.role or wanted.is_enabled is False or wanted.reset_password):
        # There would perhaps be nobody left who could undo it; and whoever took a session over would keep it.
        raise Refusal(Kind.NOT_NOW, "another admin has to do this to you; your own password is changed on its page")
    changed = await people.change(name, change, at=house.now)
    if changed is None:
        raise Refusal(Kind.NOT_FOUND)
    password = None
    if wanted.reset_password:
        password, kept = await _first_password()
        await people.set_password(name, kept, must_change=True, at=house.now)
        changed = await people.find(name) or changed
    tell(ask.request, role=wanted.role.value if wanted.role else "", reset_password=wanted.reset_password)
    return PersonMade(person=_item(ask, changed), first_password=password)


def _line(where: str, text: str) -> str:
    """Return one line of text, without blanks around it. Raises Refusal."""
    line = text.strip()
    if not line or not line.isprintable():
        raise Refusal.at(where, "has to be one line of text")
    return line


async def _first_password() -> tuple[str, str]:
    """Return a password and what is kept of it."""
    password = secrets.token_urlsafe(_FIRST_BYTES)
    return password, await asyncio.to_thread(hashed, password, secrets.token_bytes(SALT_BYTES))


def _item(ask: Ask[Any, Any], person: Person) -> PersonItem:
    is_locked = person.guesses.is_locked(ask.house.now)
    return PersonItem(
        name=person.name,
        display_name=person.display_name,
        role=person.role,
        agent=person.agent,
        language=person.language,
        is_enabled=person.is_enabled,
        has_password=person.password_hash is not None,
        must_change=person.must_change,
        locked_until=person.guesses.locked_until if is_locked else None,
        made_at=person.made_at,
        changed_at=person.changed_at,
    )


OPERATIONS: tuple[Operation[Any, Any, Any], ...] = (
    Operation(
        "GET",
        "/people",
        list_people,
        tag=Tag.STAFF,
        summary="List people who may sign in",
        answer=PersonList,
        scope=Scope.PEOPLE_WRITE,
    ),
    Operation(
        "POST",
        "/people",
        create_person,
        tag=Tag.STAFF,
        summary="Let somebody sign in",
        description="Their first password is told once, in this answer; they have to choose another.",
        answer=PersonMade,
        scope=Scope.PEOPLE_WRITE,
        body=PersonWanted,
        problems=(Kind.EXISTS,),
        status=int(HTTPStatus.CREATED),
    ),
    Operation(
        "PATCH",
        "/people/{name}",
        change_person,
        tag=Tag.STAFF,
        summary="Change what somebody is here, or shut them out",
        description="Sessions end where rights change. Nobody takes their own rights.",
        answer=PersonMade,
        scope=Scope.PEOPLE_WRITE,
        body=PersonChanged,
        problems=(Kind.NOT_FOUND, Kind.NOT_NOW),
    ),
)
