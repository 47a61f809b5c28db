"""What holds for every answer of the console: headers, hosts, sizes, methods, and what is said when something fails."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from controller.console.doors import Way
from controller.domain.access import Role
from controller.web.rates import RateLimits, Rates
from tests.console.doors_of import all_doors, path_to
from tests.console.house import HOST, Answer, ConsoleSite

if TYPE_CHECKING:
    from pathlib import Path

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "require-trusted-types-for": "'script'",
}


def assert_guarded(answer: Answer, **more: str) -> None:
    """Check what an answer tells a browser about itself; `more` of the policy is for one page alone."""
    headers = answer.headers
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert policy == POLICY | {name.replace("_", "-"): value for name, value in more.items()}
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    assert headers["Server"] == "orikaeshi"
    assert "Access-Control-Allow-Origin" not in headers


async def test_every_page_and_every_answer_carries_the_headers(site: ConsoleSite) -> None:
    """Of every door, for an admin who is an agent too, and for nobody; none is kept in a cache but named files."""
    admin = await site.client(Role.ADMIN, agent="agent-1")
    seen = set()
    for door in all_doors(site):
        if door.method != "GET" or door.path.endswith("/events"):
            continue
        for client in (admin, site.stranger()):
            answer = await client.get(path_to(door))
            hears = door.path == "/recordings" and answer.status == 200
            assert_guarded(answer, **({"media_src": "'self'"} if hears else {}))
            assert answer.status < 500, (door.path, answer.text)
            assert answer.headers["Cache-Control"] == "no-store", door.path
            seen.add((door.way, answer.status))
    assert {(Way.PAGE, 200), (Way.PAGE, 303), (Way.API, 200), (Way.API, 401)} <= seen


async def test_no_page_has_a_script_or_a_style_in_it(site: ConsoleSite) -> None:
    """The policy forbids them; a page that had one would not work. Data for scripts is no script."""
    admin = await site.client(Role.ADMIN, agent="agent-1")
    pages = [door for door in all_doors(site) if door.way is Way.PAGE and door.method == "GET" and "{" not in door.path]
    for client in (admin, site.stranger()):
        for door in pages:
            text = (await client.get(door.path)).text
            assert not re.search(r"<style|<[^>]+\s(style|on[a-z]+)\s*=|javascript:", text, re.IGNORECASE), door.path
            for script in re.findall(r"<script[^>]*>", text):
                assert 'type="application/json"' in script or re.search(r'src="/static/[\w.-]+"', script), script


async def test_what_pages_are_made_of_may_be_kept_for_good(site: ConsoleSite) -> None:
    """It is named by its contents, and says nothing about anybody."""
    page = await site.stranger().get("/sign-in")
    files = set(re.findall(r'"(/static/[\w.-]+)"', page.text))
    assert files
    for path in files:
        answer = await site.stranger().get(path)
        assert_guarded(answer)
        assert (answer.status, answer.headers["Cache-Control"]) == (200, "public, max-age=31536000, immutable")


@pytest.mark.parametrize("host", ["evil.example", f"{HOST}.evil.example", f"{HOST}:8083", "127.0.0.1", ""])
async def test_another_host_is_not_ours(site: ConsoleSite, host: str) -> None:
    """421, whoever asks: somebody else's name that leads to us (DNS rebinding) shows nothing."""
    supervisor = await site.client(Role.SUPERVISOR)
    headers = {**supervisor.headers, "Host": host or "-"}
    for path in ("/sign-in", "/api/v1/floor", "/wallboard"):
        answer = await supervisor.send("GET", path, headers=headers)
        assert answer.status == 421
        assert_guarded(answer)


async def test_what_is_not_there_is_told_as_whoever_asks_reads_it(site: ConsoleSite) -> None:
    """Problem details below /api/, a page elsewhere; and with which methods a door opens."""
    client = site.stranger()
    problem = await client.get("/api/v1/nothing")
    assert (problem.status, problem.headers["Content-Type"]) == (404, "application/problem+json")
    assert problem.json["type"] == "urn:orikaeshi:problem:not-found"
    page = await client.get("/nothing")
    assert (page.status, page.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    method = await client.send("DELETE", "/api/v1/floor")
    assert (method.status, method.headers["Allow"]) == (405, "GET")
    assert (await client.send("OPTIONS", "/api/v1/floor")).status == 405
    for answer in (problem, page, method):
        assert_guarded(answer)


async def test_a_body_that_is_too_large_is_not_read(site: ConsoleSite) -> None:
    """Whether its size is told or not."""
    large = b"x" * 70_000
    assert (await site.stranger().send("POST", "/sign-in", data=large)).status == 413
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await site.stranger().send("POST", "/sign-in", data=b"x" * 20_000, headers=form)).status == 413
    admin = await site.client(Role.ADMIN)
    too_large = await admin.send("POST", "/api/v1/people", data=large, headers={"Content-Type": "application/json"})
    assert (too_large.status, too_large.json["type"]) == (413, "urn:orikaeshi:problem:too-large")


async def test_a_database_that_is_away_is_told_and_lets_nobody_in(site: ConsoleSite) -> None:
    """503 with when to come back; to a person as a page, to a program as problem details."""
    admin, key = await site.client(Role.ADMIN), await site.key("floor:read")
    ruin(site.file)
    for path, kind in (("/wallboard", "text/html"), ("/api/v1/floor", "application/problem+json")):
        answer = await admin.get(path)
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert answer.headers["Content-Type"].startswith(kind)
        assert_guarded(answer)
    assert (await key.get("/api/v1/floor")).status == 503
    assert (await site.stranger().get("/sign-in")).status == 200


def ruin(file: Path) -> None:
    """Let a database be none any more, also for whoever has it open."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("UPDATE people SET language = 'en'")
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    file.write_bytes(b"no database " * 10_000)


def test_each_action_fits_into_the_audit(site: ConsoleSite) -> None:
    """Its method and path, whole: what is cut could be another's."""
    assert max(len(f"{door.method} {door.path}") for door in all_doors(site)) <= 64


def test_no_two_doors_are_the_same(site: ConsoleSite) -> None:
    """The second would never open."""
    doors = [(door.method, re.sub(r"\{[^}]*\}", "{}", door.path)) for door in all_doors(site)]
    assert len(doors) == len(set(doors))
    assert len(doors) == len(list(site.app.router.routes()))
    assert Rates(RateLimits(), site.clock).kept == 0
