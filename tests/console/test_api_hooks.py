"""Webhooks over the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from controller.domain.access import Role, Scope
from controller.ports.hooks import HookWish, NotTaken
from controller.ports.promises import Made, NewPromise
from tests.console.house import TUESDAY_TEN, site_at

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.console.house import ConsoleSite

HOOKS = "/api/v1/hooks"
CRM = HookWish("crm", "https://crm.example.jp/secret/path", ("promise.*",))
CHAT = HookWish("chat", "https://chat.example.jp/in", ("call.*",), with_numbers=True, enabled=False)


@pytest.fixture
async def hooked(tmp_path: Path) -> AsyncIterator[ConsoleSite]:
    """Serve a console whose house has two hooks; one event was not taken for good."""
    async with site_at(tmp_path, hooks=(CRM, CHAT)) as site:
        for n in range(2):
            wanted = NewPromise("support", f"+8190123456{n:02}", "ja", TUESDAY_TEN, f"call-{n}")
            assert isinstance(await site.store.promises.make(wanted), Made)
        first = await site.store.hooks.next("crm")
        assert first is not None
        await site.store.hooks.given_up(first, NotTaken("it answered 503", 503), TUESDAY_TEN)
        yield site


async def test_each_hook_is_listed_with_how_it_fares(hooked: ConsoleSite) -> None:
    """Without what may be a secret of its address."""
    key = await hooked.key(Scope.AUDIT_READ)
    answer = await key.get(HOOKS)
    assert answer.status == 200
    assert "secret" not in answer.text
    crm, chat = answer.json["hooks"]
    assert crm == {
        "name": "crm",
        "url": "https://crm.example.jp",
        "events": ["promise.*"],
        "with_numbers": False,
        "enabled": True,
        "is_gone": False,
        "backlog": 1,
        "oldest_at": "2026-11-24T01:00:00Z",
        "delivered": 0,
        "not_delivered": 1,
        "last_delivered_at": None,
        "last_status": 503,
        "last_error": "it answered 503",
    }
    assert (chat["name"], chat["enabled"], chat["backlog"], chat["last_error"]) == ("chat", False, 0, "")


async def test_what_a_hook_was_sent_is_listed_without_what_was_in_it(hooked: ConsoleSite) -> None:
    """The newest first, or the failed ones alone."""
    key = await hooked.key(Scope.AUDIT_READ)
    answer = await key.get(f"{HOOKS}/crm/deliveries")
    owed, failed = answer.json["deliveries"]
    assert (owed["settled_at"], owed["next_try_at"], owed["tries"]) == (None, "2026-11-24T01:00:00Z", 0)
    assert (failed["settled_at"], failed["next_try_at"], failed["tries"]) == ("2026-11-24T01:00:00Z", None, 1)
    assert (failed["event"], failed["delivered"], failed["last_status"]) == ("promise.made", False, 503)
    assert "8190" not in answer.text
    only = await key.get(f"{HOOKS}/crm/deliveries?failed_only=true&limit=1")
    assert [one["event_id"] for one in only.json["deliveries"]] == [failed["event_id"]]


async def test_an_admin_has_sent_again_what_was_not_taken(hooked: ConsoleSite) -> None:
    """And whoever sends is woken. It is in the audit."""
    woken: list[int] = []
    hooked.store.hooks_queued.append(lambda: woken.append(1))
    admin = await hooked.client(Role.ADMIN)
    answer = await admin.post(f"{HOOKS}/crm/retry")
    assert (answer.status, answer.json, woken) == (200, {"count": 1}, [1])
    again = await hooked.store.hooks.next("crm")
    assert again is not None
    assert (again.tries, again.id) == (0, 1)
    trail = (await admin.get("/api/v1/audit")).text
    assert "/hooks/" in trail or "retry_hook" in trail


@pytest.mark.parametrize("path", [f"{HOOKS}/nobody/deliveries", f"{HOOKS}/nobody/retry"])
async def test_a_hook_that_is_not_in_the_settings_is_not_found(hooked: ConsoleSite, path: str) -> None:
    """Also where it was there once."""
    admin = await hooked.client(Role.ADMIN)
    answer = await (admin.post(path) if path.endswith("retry") else admin.get(path))
    assert answer.status == 404


async def test_a_house_without_hooks_has_none(site: ConsoleSite) -> None:
    """An empty list is no fault."""
    key = await site.key(Scope.AUDIT_READ)
    assert (await key.get(HOOKS)).json == {"hooks": []}
