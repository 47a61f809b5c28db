"""Keys of programs at the door: what opens, what does not, and what is kept of it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from controller.domain.access import Role
from controller.web.rates import RateLimits
from tests.console.house import site_at

if TYPE_CHECKING:
    from pathlib import Path

    from tests.console.client import Client
    from tests.console.house import ConsoleSite


def whole_key(client: Client) -> str:
    """Return the key that a program sends."""
    return client.headers["Authorization"].removeprefix("Bearer ")


async def test_a_key_says_who_it_is(site: ConsoleSite) -> None:
    """By its id, with its scopes; it is nobody's agent."""
    key = await site.key("floor:read", "figures:read")
    me = (await key.get("/api/v1/me")).json
    assert (me["kind"], me["name"]) == ("key", whole_key(key).split("_")[1])
    assert me["scopes"] == ["figures:read", "floor:read"]
    assert (me["role"], me["agent"]) == (None, "")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda key: key[:-1] + ("0" if key[-1] != "0" else "1"),
        lambda key: re.sub(r"_[0-9a-f]{12}_", "_ffffffffffff_", key),
        lambda key: key.upper(),
        lambda key: key[:-1],
        lambda key: key + "0",
        lambda key: key.split("_")[2],
        lambda _: "",
        lambda _: "ori_000000000000_" + "0" * 64,
    ],
)
async def test_what_is_not_the_whole_key_opens_nothing(site: ConsoleSite, spoil: object) -> None:
    """401, the same for an id that is there and one that is not."""
    assert callable(spoil)
    key = await site.key("floor:read")
    answer = await key.get("/api/v1/floor", Authorization=f"Bearer {spoil(whole_key(key))}")
    assert (answer.status, answer.json["type"]) == (401, "urn:orikaeshi:problem:not-signed-in")


@pytest.mark.parametrize("scheme", ["Basic", "Token", ""])
async def test_a_key_comes_as_a_bearer(site: ConsoleSite, scheme: str) -> None:
    """In one header (RFC 6750), in any case; never in the address, which ends up in logs."""
    key = await site.key("floor:read")
    assert (await key.get("/api/v1/floor", Authorization=f"{scheme} {whole_key(key)}".strip())).status == 401
    assert (await key.get("/api/v1/floor", Authorization=f"bearer {whole_key(key)}")).status == 200
    address = f"/api/v1/floor?access_token={whole_key(key)}"
    assert (await key.get(address, Authorization="")).status == 401


async def test_a_key_opens_nothing_once_it_is_revoked_or_has_expired(site: ConsoleSite) -> None:
    """From that moment on, at every controller: it is looked up each time."""
    revoked = await site.key("floor:read")
    expiring = await site.key("floor:read", expires_at=site.house.now + timedelta(hours=1))
    assert [(await key.get("/api/v1/floor")).status for key in (revoked, expiring)] == [200, 200]
    await site.store.keys.revoke(whole_key(revoked).split("_")[1], site.house.now)
    site.clock.turn(3600)
    assert [(await key.get("/api/v1/floor")).status for key in (revoked, expiring)] == [401, 401]


async def test_the_last_use_of_a_key_is_kept_to_the_minute(site: ConsoleSite) -> None:
    """So that one that nobody uses any more is found."""
    key = await site.key("floor:read")
    began_at = site.house.now
    for _ in range(3):
        await key.get("/api/v1/floor")
        site.clock.turn(25)
    assert [each.used_at for each in await site.store.keys.listed()] == [began_at]
    await key.get("/api/v1/floor")
    assert [each.used_at for each in await site.store.keys.listed()] == [site.house.now]


async def test_a_key_opens_no_page(site: ConsoleSite) -> None:
    """Pages are for people who sign in."""
    key = await site.key("floor:read")
    assert (await key.get("/wallboard")).headers["Location"] == "/sign-in?to=%2Fwallboard"
    assert (await key.get("/")).headers["Location"] == "/sign-in"


async def test_whoever_sends_wrong_keys_is_let_wait(tmp_path: Path) -> None:
    """By their address; whoever has a good one there, or signed in, notices nothing."""
    async with site_at(tmp_path, limits=RateLimits(forged_per_minute=3)) as site:
        key, supervisor = await site.key("floor:read"), await site.client(Role.SUPERVISOR)
        wrong = "Bearer ori_000000000000_" + "0" * 64
        statuses = [(await key.get("/api/v1/floor", Authorization=wrong)).status for _ in range(4)]
        assert statuses == [401, 401, 401, 429]
        waits = await key.get("/api/v1/floor", Authorization=wrong)
        assert (waits.status, waits.headers["Retry-After"]) == (429, "60")
        assert waits.json["type"] == "urn:orikaeshi:problem:too-often"
        assert (await key.get("/api/v1/floor")).status == 200
        assert (await supervisor.get("/api/v1/floor")).status == 200
        site.clock.turn(60)
        assert (await key.get("/api/v1/floor", Authorization=wrong)).status == 401


async def test_no_key_is_in_the_database_or_the_log(site: ConsoleSite, capsys: pytest.CaptureFixture[str]) -> None:
    """A hash of its secret is; that opens nothing."""
    key = await site.key("floor:write")
    await key.post("/api/v1/queues/support/open")
    secret = whole_key(key).split("_")[2]
    assert secret not in repr(await site.everything())
    assert secret not in "".join(capsys.readouterr())
    (kept,) = await site.store.keys.listed()
    stolen = f"Bearer ori_{kept.id}_{kept.secret_hash}"
    assert (await key.get("/api/v1/floor", Authorization=stolen)).status == 401


async def test_numbers_are_masked_for_a_key_that_may_not_read_them(site: ConsoleSite) -> None:
    """The floor is told all the same."""
    masked = (await (await site.key("floor:read")).get("/api/v1/floor")).text
    assert "+819012345678" not in masked
    whole = (await (await site.key("floor:read", "numbers:read")).get("/api/v1/floor")).text
    assert "+819012345678" in whole
