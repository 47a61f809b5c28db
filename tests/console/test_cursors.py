"""Cursors over a restart, and between the controllers of one house: signed with what stays, where there is such."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from controller.console_door import cursor_key
from controller.domain.access import Scope
from controller.settings import load_settings
from controller.settings.first_file import DEFAULT_TEMPLATE
from tests.console.house import site_at

if TYPE_CHECKING:
    from pathlib import Path

    from tests.console.house import Client, ConsoleSite

LIST = "/api/v1/do-not-call?limit=1"
NUMBERS = ("+819012345678", "+819012345679")
PASSWORDS = {"ORIKAESHI_ARI_PASSWORD": "a" * 32, "ORIKAESHI_AMI_PASSWORD": "b" * 32}
NUMBER_KEY = {"ORIKAESHI_NUMBER_KEY": "n" * 40}


async def first_cursor(site: ConsoleSite) -> tuple[dict[str, str], str]:
    """Return what a program proves itself with, and where the second page of a list begins for it."""
    for number in NUMBERS:
        await site.store.do_not_call.block(number, reason="by letter")
        site.clock.turn(1)
    key = await site.key(Scope.DO_NOT_CALL_READ)
    return {"Authorization": key.headers["Authorization"], "Origin": "", "Sec-Fetch-Site": ""}, (
        await key.get(LIST)
    ).json["next_cursor"]


@pytest.mark.parametrize(
    ("before", "after", "status"), [(b"k" * 32, b"k" * 32, 200), (b"k" * 32, b"l" * 32, 422), (None, None, 422)]
)
async def test_a_cursor_is_good_after_a_restart_where_its_key_stays(
    tmp_path: Path, before: bytes | None, after: bytes | None, status: int
) -> None:
    """With another key, or without one, it is refused, and the list begins anew."""
    async with site_at(tmp_path, cursor_key=before) as site:
        proof, cursor = await first_cursor(site)
    async with site_at(tmp_path, cursor_key=after) as site:
        client: Client = site.stranger(**proof)
        answer = await client.get(f"{LIST}&cursor={cursor}")
        assert answer.status == status, answer.text
        if status == 200:
            assert [one["number"] for one in answer.json["do_not_call"]] == ["+81901234****"]


def test_the_key_is_made_from_a_secret_that_stays_and_is_none_itself() -> None:
    """The same in every process of the house; nothing of it tells the secret; none where there is none."""

    def key_with(env: dict[str, str]) -> bytes | None:
        return cursor_key(load_settings(DEFAULT_TEMPLATE, {**PASSWORDS, **env}))

    keys = [key_with(env) for env in (NUMBER_KEY, NUMBER_KEY, {"ORIKAESHI_NUMBER_KEY": "m" * 40})]
    assert keys[0] == keys[1] != keys[2]
    assert keys[0] is not None
    assert b"n" * 4 not in keys[0]
    assert key_with({}) is None
