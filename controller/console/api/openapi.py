"""The description of the API, OpenAPI 3.1, from the same table as its routes and the same types as its answers.

https://spec.openapis.org/oas/v3.1.0; its schemas are JSON Schema 2020-12, which msgspec writes from a type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from controller.console.api.operation import ROOT, Nothing, Tag
from controller.console.api.problems import PROBLEM_TYPE, Kind, Problem
from controller.console.api.reading import JSON_TYPE, LONGEST_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from controller.console.api.operation import Operation
    from controller.domain.access import Scope

VERSION = "1.0.0"
"""Of the API: the second number goes up when something is added, the first with another address than `ROOT`."""
_REF = "#/components/schemas/{name}"
_ALWAYS = (Kind.NOT_SIGNED_IN, Kind.NOT_ALLOWED, Kind.INVALID, Kind.UNAVAILABLE)
_OF_BODIES = (Kind.MALFORMED, Kind.TOO_LARGE, Kind.NOT_JSON)
_OF_KEYS = (Kind.NO_IDEMPOTENCY_KEY, Kind.STILL_ANSWERING, Kind.OTHER_REQUEST)
_PLACES = {
    "agent": "An agent, by their name in the settings",
    "hook": "A webhook, by its name in the settings",
    "key": "A key, by its id",
    "name": "A person, by the name with which they sign in",
    "number": "A phone number: E.164, or as it is written at home",
    "promise": "A promise, by its id",
    "queue": "A queue, by its name in the settings",
    "recording": "A recording, by its id",
    "waiter": "A call in the line by its id, or a promise by its id",
}
_ABOUT = f"""
Orikaeshi's line, promises, agents and figures, for other programs and for its own screens.

Programs send `Authorization: Bearer ori_...`, a key that an admin makes; people have the cookie of their session. Each
operation names the scope that it takes. Times are RFC 3339 in UTC; a length of time has its unit in its name. Phone
numbers are masked for whoever does not have `numbers:read`. Whatever goes wrong is told as problem details (RFC 9457),
with every mistake in the request by its place. Parameters and fields that are not described here are refused. All paths
are below `{ROOT}`.
""".strip()
_SECURITY = {
    "key": {"type": "http", "scheme": "bearer", "description": "A key of the API: `ori_<id>_<secret>`"},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-orikaeshi",
        "description": "The session of a person who has signed in; called `orikaeshi` where there is no https. What "
        "changes anything needs the header `X-Orikaeshi: 1`, and has to come from a page of ours.",
    },
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "New for each new request, a UUID for example; the same again is answered as before, for 24 hours",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!#-~]+$"},
}


def describe(operations: Sequence[Operation[Any, Any, Any]], public_url: str) -> dict[str, Any]:
    """Return the description of these operations, as they are served below a public address."""
    schemas = _Schemas(operations)
    paths: dict[str, dict[str, Any]] = {}
    for one in operations:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Orikaeshi",
            "version": VERSION,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": public_url.rstrip("/") + ROOT}],
        "tags": [{"name": tag.value} for tag in Tag],
        "paths": paths,
        "components": {"schemas": schemas.shared, "securitySchemes": _SECURITY},
    }


class _Schemas:
    """The schema of every type that goes over the wire."""

    def __init__(self, operations: Iterable[Operation[Any, Any, Any]]) -> None:
        queries = {one.query for one in operations} - {Nothing}
        bodies = {one.body for one in operations} - {Nothing}
        answers = {one.answer for one in operations} - {type(None)}
        # In an order of their own, so that the description is the same in every process.
        kinds: set[type] = {Problem, *queries, *bodies, *answers}
        types = sorted(kinds, key=lambda kind: (kind.__module__, kind.__qualname__))
        found, self.shared = msgspec.json.schema_components(types, ref_template=_REF)
        self._of = dict(zip(types, found, strict=True))
        # What an address is read as is told parameter by parameter instead.
        self._parameters = {kind: self.shared.pop(self._name(kind)) for kind in queries - bodies - answers}

    def __getitem__(self, kind: type) -> Mapping[str, Any]:
        return self._of[kind]

    def parameters(self, kind: type) -> Iterator[dict[str, Any]]:
        """Yield what stands behind the `?` of an address."""
        if kind is Nothing:
            return
        whole = self._parameters[kind]
        for name, schema in whole["properties"].items():
            plain = _without_null(schema)
            told = {"description": plain.pop("description")} if "description" in plain else {}
            yield {"name": name, "in": "query", "required": name in whole.get("required", ()), **told, "schema": plain}

    def _name(self, kind: type) -> str:
        return str(self._of[kind]["$ref"]).rpartition("/")[2]


def _operation(one: Operation[Any, Any, Any], schemas: _Schemas) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": one.name,
        "tags": [one.tag.value],
        "summary": one.summary,
        "description": "\n\n".join(filter(None, [one.description, _who(one)])),
        "parameters": [*map(_place, one.places), *schemas.parameters(one.query), *([_KEY] if one.wants_key else [])],
        "responses": _responses(one, schemas),
        # The roles of a requirement that is no OAuth2 are what it takes (OpenAPI 3.1, Security Requirement Object).
        "security": [] if one.is_public else [{"key": _words(one.scopes)}, {"session": _words(one.scopes)}],
    }
    if one.has_body:
        told["requestBody"] = {"required": True, "content": {JSON_TYPE: {"schema": schemas[one.body]}}}
    return told


def _responses(one: Operation[Any, Any, Any], schemas: _Schemas) -> dict[str, Any]:
    content: dict[str, Any] = {}
    if one.answer is not type(None):
        is_json = one.media == JSON_TYPE
        content = {"content": {one.media: {"schema": schemas[one.answer] if is_json else {"type": "string"}}}}
    told: dict[str, Any] = {}
    for status in filter(None, (one.usual_status, one.other_status)):
        told[str(status)] = {"description": one.summary, **content}
    problem = {"content": {PROBLEM_TYPE: {"schema": schemas[Problem]}}}
    for kind in sorted(_kinds(one), key=lambda kind: (kind.status, kind.name)):
        known = told.setdefault(str(kind.status), {"description": "", **problem})
        known["description"] += f"{'; ' if known['description'] else ''}{kind.title} (`{kind.word}`)"
    told["default"] = {"description": "Any other problem", **problem}
    return told


def _kinds(one: Operation[Any, Any, Any]) -> set[Kind]:
    always = () if one.is_public else _ALWAYS
    return {
        *always,
        *one.problems,
        *(_OF_BODIES if one.has_body else ()),
        *(_OF_KEYS if one.wants_key else ()),
    }


def _place(name: str) -> dict[str, Any]:
    schema = {"type": "string", "minLength": 1, "maxLength": LONGEST_NAME}
    return {"name": name, "in": "path", "required": True, "description": _PLACES.get(name, name), "schema": schema}


def _who(one: Operation[Any, Any, Any]) -> str:
    if one.is_public:
        return "Anybody may ask."
    if not one.scopes:
        return "Whoever is signed in may ask."
    return f"Takes {' or '.join(f'`{scope}`' for scope in one.scopes)}."


def _words(scopes: Iterable[Scope]) -> list[str]:
    return [scope.value for scope in scopes]


def _without_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of a value that is left out where there is none."""
    plain = {name: value for name, value in schema.items() if not (name == "default" and value is None)}
    if "anyOf" in plain:
        choices = [each for each in plain.pop("anyOf") if each != {"type": "null"}]
        plain = {**(choices[0] if len(choices) == 1 else {"anyOf": choices}), **plain}
    return plain
