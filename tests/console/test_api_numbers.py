"""One person's data over the API: told, forgotten, and written into the audit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from controller.domain.access import Role, Scope
from tests.console.house import ConsoleSite, site_at
from tests.contract.privacy_lives import a_whole_life, traces
from tests.contract.store_under_test import NUMBER, HandClock, make, wanted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

PATH = "/api/v1/numbers/{number}"
MASKED = "+81901234****"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[ConsoleSite]:
    """Serve a console, at the time at which lives are written."""
    async with site_at(tmp_path, clock=HandClock()) as opened:
        yield opened


async def test_all_that_is_known_of_a_number_is_told_and_that_it_was_asked_for(site: ConsoleSite) -> None:
    """As at home or E.164; the audit has it masked."""
    await a_whole_life(site.store)
    program = await site.key(Scope.PRIVACY_WRITE)
    for written in ("09012345678", "%2B819012345678", "090-1234-5678"):
        answer = await program.get(f"/api/v1/numbers/{written}")
        assert answer.status == 200, answer.text
        assert answer.json["number"] == NUMBER
        assert answer.json["known"]["calls"][0]["number"] == NUMBER
    told = [(action, subject) for _, action, subject, _ in await site.audit() if action.endswith(PATH)]
    assert [action for action, _ in told] == [f"GET {PATH}"] * 3
    assert all("5678" not in subject for _, subject in told)


async def test_a_number_is_forgotten_by_whoever_may(site: ConsoleSite) -> None:
    """Promises are cancelled, no trace is left, and the answer does not repeat it."""
    await a_whole_life(site.store)
    made = await make(site.store, wanted("call-new", queue="support"))
    admin = await site.client(Role.ADMIN)
    answer = await admin.delete("/api/v1/numbers/09012345678")
    assert answer.status == 200, answer.text
    assert answer.json["number"] == MASKED
    assert answer.json["cancelled"] == [made.promise.id]
    assert answer.json["left"] == {}
    assert await traces(site.store) == set()


@pytest.mark.parametrize("role", [Role.AGENT, Role.SUPERVISOR])
async def test_nobody_else_may_ask_or_forget(site: ConsoleSite, role: Role) -> None:
    """A supervisor sees numbers, one by one, and not all that is known of a person."""
    await a_whole_life(site.store)
    person = await site.client(role)
    assert (await person.get("/api/v1/numbers/09012345678")).status == 403
    assert (await person.delete("/api/v1/numbers/09012345678")).status == 403
    assert "calls" in await traces(site.store)


async def test_what_is_no_number_is_refused_with_its_place(site: ConsoleSite) -> None:
    """As every other mistake."""
    program = await site.key(Scope.PRIVACY_WRITE)
    answer = await program.get("/api/v1/numbers/hanako")
    assert answer.status == 422
    assert answer.json["mistakes"] == [{"where": "path.number", "what": "is no phone number"}]
