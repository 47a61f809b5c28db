"""What a real Asterisk says of its prompts and its hold music."""

from __future__ import annotations

import asyncio
import itertools
import random
from typing import TYPE_CHECKING

import pytest

from controller.asterisk.ami_account import AmiAccount
from controller.asterisk.ari.client import AriClient
from controller.asterisk.sounds_check import missing_music, missing_prompts
from controller.journeys import prompts
from controller.provision.site import CONTROL_HOST
from controller.system_clock import SystemClock
from lab.pbx import running_pair

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from controller.provision import Site

pytestmark = pytest.mark.timeout(60)

MUSIC = """
[my-music]
mode = playlist
entry = /usr/share/asterisk/sounds/en/orikaeshi/please-wait
[no-folder]
mode = files
directory = /usr/share/asterisk/no-such-folder
"""


@pytest.fixture(scope="module")
async def pbx(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Site, AriClient]]:
    """Run a PBX with a class of its own music, and a client on it."""
    home = tmp_path_factory.mktemp("sounds")
    site_folder = home / "pbx" / "site"
    site_folder.mkdir(mode=0o700, parents=True)
    (site_folder / "musiconhold-local.conf").write_text(MUSIC, encoding="utf-8")
    async with running_pair(home, agents=1, customers=1) as (site, _, _):
        connected = asyncio.Event()
        client = AriClient(
            site.ari_url,
            "orikaeshi",
            site.ari_user,
            site.ari_password,
            on_event=lambda _event: None,
            on_connected=connected.set,
            on_disconnected=lambda: None,
            clock=SystemClock(),
            rng=random.Random(1),  # noqa: S311 - spreads reconnects
        )
        running = asyncio.create_task(client.run())
        await connected.wait()
        yield site, client
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_every_prompt_that_was_rendered_is_found(pbx: tuple[Site, AriClient]) -> None:
    """In both languages, for 8 and for 16 kHz."""
    _, client = pbx
    assert await missing_prompts(client, (prompts.WELCOME, prompts.GOODBYE, "digit-5"), ("en", "ja")) == []


async def test_a_prompt_that_is_nowhere_is_missed_in_each_language(pbx: tuple[Site, AriClient]) -> None:
    """And a sound of Asterisk's own is none of ours."""
    _, client = pbx
    assert await missing_prompts(client, ("queue-thankyou",), ("en", "ja")) == [
        "en/queue-thankyou.wav",
        "en/queue-thankyou.wav16",
        "ja/queue-thankyou.wav",
        "ja/queue-thankyou.wav16",
    ]


async def test_music_that_the_pbx_has_not_is_told(pbx: tuple[Site, AriClient]) -> None:
    """A class that nobody wrote down, and one whose folder is not there; and nobody's channel is left behind."""
    site, client = pbx
    account = AmiAccount(CONTROL_HOST, site.ports.ami, site.ami_user, site.ami_password)
    serial = itertools.count(1)
    wanted = ["default", "my-music", "no-folder", "nowhere", "not/a class"]
    missing = await missing_music(client, account, wanted, new_id=lambda: f"check-{next(serial)}")
    assert missing == ["no-folder", "not/a class", "nowhere"]
    async with asyncio.timeout(10):
        while await client.channels.list():  # The other half of a Local channel goes a little later.
            pass
