from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from controller.console.api.operation import ROOT
from controller.console.api.table import operations
from controller.domain.access import SCOPES_OF_KEYS, Role, Scope
from controller.domain.effects import SendSms, SmsTemplate
from controller.domain.lifecycle import Cancelled
from tests.console.floor import AGENT, CALL
from tests.console.house import PUBLIC_URL, site_at
from tests.console.promise_requests import WINDOW, create, numbered
from tests.console.talks_kept import Shelves, recorded, wav

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.console.house import Client, ConsoleSite

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "ignored_auth",
    "unsupported_method",
)
UNEXPECTED = '[phases.coverage]\nunexpected-methods = ["PATCH", "TRACE"]'
"""Methods with which each path is asked in vain; all of them would double the time."""
SHARED = re.compile(r"#/components/schemas/(.+)")
MANUAL = Path(__file__).parents[2] / "docs" / "api.md"
OPERATIONS = operations(PUBLIC_URL)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[ConsoleSite]:
    """Serve a console whose Asterisk has the sound of a talk."""
    shelves = Shelves()
    shelves.here.sounds["recording-1"] = wav(1)
    async with site_at(tmp_path, shelf_of=shelves.of) as opened:
        yield opened


@pytest.fixture
async def described(site: ConsoleSite) -> dict[str, Any]:
    """Return the description as anybody gets it."""
    answer = await site.stranger().get(f"{ROOT}/openapi.json")
    assert answer.status == 200
    found: dict[str, Any] = answer.json
    return found


def schemas_in(part: Any) -> list[dict[str, Any]]:
    """Return every schema below a part of the description."""
    if isinstance(part, list):
        return [found for each in part for found in schemas_in(each)]
    if not isinstance(part, dict):
        return []
    own = [part["schema"]] if isinstance(part.get("schema"), dict) else []
    return own + [found for each in part.values() for found in schemas_in(each)]


def references_in(part: Any) -> set[str]:
    """Return every reference below a part of the description."""
    if isinstance(part, list):
        return {found for each in part for found in references_in(each)}
    if not isinstance(part, dict):
        return set()
    own = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
    return own.union(*map(references_in, part.values()))


async def test_every_operation_is_described_and_nothing_else(described: dict[str, Any]) -> None:
    """By path and method, with a name of its own; public is only the description."""
    told = {
        (method.upper(), path): operation
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    }
    assert set(told) == {(one.method, one.path) for one in OPERATIONS}
    names = [operation["operationId"] for operation in told.values()]
    assert len(set(names)) == len(names)
    assert [path for (_, path), operation in told.items() if not operation["security"]] == ["/openapi.json"]


async def test_every_schema_is_one_and_every_reference_leads_somewhere(described: dict[str, Any]) -> None:
    """JSON Schema 2020-12, as OpenAPI 3.1 has it."""
    assert described["openapi"] == "3.1.0"
    shared = described["components"]["schemas"]
    for schema in (*shared.values(), *schemas_in(described["paths"])):
        Draft202012Validator.check_schema(schema)
    named = {SHARED.fullmatch(reference) for reference in references_in(described)}
    assert {found and found[1] for found in named} <= set(shared)
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", name) for name in shared)


async def test_every_operation_names_its_scope_and_its_problems(described: dict[str, Any]) -> None:
    """What it takes is in its text and in its security; each problem has its schema."""
    for one in OPERATIONS:
        told = described["paths"][one.path][one.method.lower()]
        for scope in one.scopes:
            assert f"`{scope}`" in told["description"]
            assert all(scope.value in words for requirement in told["security"] for words in requirement.values())
        problems = {status: answer for status, answer in told["responses"].items() if status >= "4"}
        assert {str(kind.status) for kind in one.problems} <= set(problems)
        assert all("application/problem+json" in answer["content"] for answer in problems.values())
        assert told["summary"]
        places = [parameter["name"] for parameter in told["parameters"] if parameter["in"] == "path"]
        assert tuple(places) == one.places


def test_reading_and_writing_take_scopes_that_say_so() -> None:
    """No operation that changes something is content with a scope for reading, and none but `me` with none at all."""
    for one in OPERATIONS:
        if one.is_public or one.path == "/me":
            continue
        assert one.scopes, one.path
        if one.method != "GET":
            assert not [scope for scope in one.scopes if scope.value.endswith(":read")], one.path


def test_the_manual_names_every_operation() -> None:
    """With its method, and with every scope there is."""
    manual = MANUAL.read_text(encoding="utf-8")
    missing = [f"{one.method} {one.path}" for one in OPERATIONS if f"`{one.method} {one.path}`" not in manual]
    assert missing == []
    told = set(re.findall(r"`(GET|POST|PUT|PATCH|DELETE) (/[^`?]*)`", manual))
    assert told == {(one.method, one.path) for one in OPERATIONS}
    assert [scope.value for scope in Scope if f"`{scope}`" not in manual] == []


async def test_nobody_gets_anything_without_saying_who_they_are(site: ConsoleSite) -> None:
    """401 everywhere but for the description, whatever is sent."""
    for one in OPERATIONS:
        path = re.sub(r"\{[a-z_]+\}", "x", f"{ROOT}{one.path}")
        answer = await site.stranger().send(one.method, path, body={} if one.has_body else None)
        assert answer.status == (200 if one.is_public else 401), path


async def with_something_in_it(site: ConsoleSite) -> str:
    """Let there be promises in several states, SMS, a number on the list, people, an audit; return one that waits."""
    supervisor = await site.client(Role.SUPERVISOR, "supervisor")
    first, second, third, *_ = await numbered(supervisor, 5)
    await supervisor.post(f"{ROOT}/promises/{first}/cancel", {"reason": "customer", "confirm": True})
    await site.store.promises.advance(second, Cancelled())
    await create(supervisor, slot_starts_at=WINDOW, confirm=True)
    await supervisor.put(f"{ROOT}/do-not-call/+819099998888", {})
    await site.store.texts.owe(SendSms("x", SmsTemplate.MISSED_YOU, "+819011112222", "ja", "support"))
    await recorded(site)
    return third


async def looked_for_faults(client: Client, folder: Path, parameters: dict[str, str], *more: str) -> str:
    """Have every operation asked for what it says that it takes, and for much that it does not; return what was found.

    Schemathesis is a process of its own: a client like any other. It draws the same examples each time.
    """
    proof = {name: client.headers[name] for name in sorted(client.headers)}
    known = folder / "known.toml"
    lines = [*(f'"path.{name}" = "{one}"' for name, one in parameters.items()), UNEXPECTED]
    known.write_text("\n".join(["[parameters]", *lines]), encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(known)),
        *("run", f"{client.url}{ROOT}/openapi.json", "--url", f"{client.url}{ROOT}", "--checks", ",".join(CHECKS)),
        *("--generation-deterministic", "--no-color", "--exclude-path", "/events", *more),
        *(each for name, value in proof.items() for each in ("--header", f"{name}: {value}")),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=folder,
    )
    output = (await process.communicate())[0].decode()
    assert "passed" in output, output
    return "" if process.returncode == 0 else output


@pytest.mark.timeout(400)
async def test_every_operation_keeps_to_its_description_for_a_program(site: ConsoleSite, tmp_path: Path) -> None:
    """With every scope that a key may have: no fault of ours, no answer that is not described, no mistake taken."""
    await with_something_in_it(site)
    program = await site.key(*SCOPES_OF_KEYS)
    more = ("--phases", "examples,coverage,fuzzing", "--max-examples", "4")
    assert await looked_for_faults(program, tmp_path, {}, *more) == ""


@pytest.mark.timeout(400)
async def test_every_operation_keeps_to_its_description_for_an_admin(site: ConsoleSite, tmp_path: Path) -> None:
    """In a browser, of agents, queues, promises and people who are there, so that what is asked for is done."""
    promise = await with_something_in_it(site)
    admin = await site.client(Role.ADMIN)
    known = {"agent": AGENT, "queue": "support", "waiter": CALL, "promise": promise, "name": "supervisor"}
    known["recording"] = "recording-1"
    more = ("--phases", "fuzzing", "--max-examples", "10", "--mode", "positive")
    assert await looked_for_faults(admin, tmp_path, known, *more) == ""
    done = {action for _, action, _, outcome in await site.audit() if outcome in {"200", "201", "204", "ok"}}
    assert {
        "POST /api/v1/agents/{agent}/listen",
        "DELETE /api/v1/recordings/{recording}",
        "recording.heard",
        "POST /api/v1/line/{waiter}/assign",
        "POST /api/v1/promises/{promise}/cancel",
        "PATCH /api/v1/people/{name}",
    } <= done
