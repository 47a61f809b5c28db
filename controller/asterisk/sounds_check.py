"""Whether the PBX has what it will be asked to play. Where it has not, it plays something else without a word."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from typing import TYPE_CHECKING

import structlog

from controller.asterisk import names
from controller.asterisk.ami_errors import AmiRefusedError
from controller.asterisk.ami_wire import header
from controller.asterisk.ari.errors import AriError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from controller.asterisk.ami_account import AmiAccount
    from controller.asterisk.ami_wire import Headers
    from controller.asterisk.ari.client import AriClient

log = structlog.get_logger(__name__)

FILES = {
    "wav": frozenset({"slin", "ulaw", "alaw", "gsm", "g729"}),
    "wav16": frozenset({"slin16", "g722"}),
}
"""The two files of each prompt, for 8 kHz and for 16 kHz calls, with the codecs by which ARI's index names either."""

_CLASS = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]+", re.ASCII)
_MUSIC_STARTS = "MusicOnHoldStart"
_MOST_TOLD = 5


class PromptsMissingError(Exception):
    """The PBX lacks prompts: callers would hear them in English, or not at all. `missing` are file names."""

    def __init__(self, missing: list[str]) -> None:
        self.missing = missing
        more = len(missing) - _MOST_TOLD
        told = ", ".join(missing[:_MOST_TOLD]) + (f" and {more} more" if more > 0 else "")
        super().__init__(
            f"the PBX lacks prompts: {told}. Render them (asterisk-conf/prompts/render), put them where Asterisk's "
            "sounds are, and restart it, or run: asterisk -rx 'module reload sounds'"
        )


async def missing_prompts(client: AriClient, prompts: Iterable[str], languages: Iterable[str]) -> list[str]:
    """Return the files of prompts that the PBX has not, as `ja/welcome.wav16`; empty when all are there.

    A prompt that is missing in Japanese is played in English, and nothing tells of it. Raises AriError.
    """
    wanted = list(dict.fromkeys(prompts))
    missing = []
    for language in languages:
        codecs: dict[str, set[str]] = defaultdict(set)
        for sound in await client.sounds.list(language):
            codecs[sound.id] |= {one.format for one in sound.formats if one.language == language}
        for prompt in wanted:
            there = codecs[f"{names.SOUND_FOLDER}/{prompt}"]
            missing += [f"{language}/{prompt}.{file}" for file, known in FILES.items() if there.isdisjoint(known)]
    return missing


async def missing_music(
    client: AriClient,
    account: AmiAccount,
    classes: Iterable[str],
    *,
    new_id: Callable[[], str],
    patience_s: float = 3,
) -> list[str]:
    """Return the classes of hold music that the PBX has not, sorted: it plays its class `default` in their place.

    Has each played to nobody for a moment, in the dialplan's context for it, and hears from AMI which class began. One
    of which nothing is heard in time counts as missing. Raises AriError, AmiError.
    """
    wanted = sorted(set(classes))
    begun: dict[str, str] = {}
    news = asyncio.Event()

    def hear(event: Headers) -> None:
        if header(event, "Event") == _MUSIC_STARTS:
            begun[header(event, "Channel")] = header(event, "Class")
            news.set()

    if not wanted:
        return []
    async with account.session(on_event=hear, events="on") as connection:
        answer, *_ = await connection.act("Filter", Operation="Add", MatchCriteria=f"name({_MUSIC_STARTS})")
        if header(answer, "Response") != "Success":
            raise AmiRefusedError(f"AMI at {connection.where}: Filter refused ({header(answer, 'Message')})")
        playable = [name for name in wanted if _CLASS.fullmatch(name)]
        channels = [f"music-{new_id()}" for _ in playable]
        try:
            for name, channel_id in zip(playable, channels, strict=True):
                await client.channels.originate(
                    f"Local/{name}@{names.MUSIC_CONTEXT}",
                    channel_id=channel_id,
                    timeout_s=2,
                    context=names.MUSIC_CONTEXT,
                    extension=name,
                    priority=1,
                )
            try:
                async with asyncio.timeout(patience_s):
                    while not all(_heard(name, begun) for name in playable):
                        news.clear()
                        await news.wait()
            except TimeoutError:
                log.warning("not every class of hold music was heard of", heard=sorted(begun.values()))
        finally:
            for channel_id in channels:
                await _hang_up(client, channel_id)
    return [name for name in wanted if _heard(name, begun) != name]


def _heard(name: str, begun: dict[str, str]) -> str | None:
    """Return the class that began on the channel that asked for `name`."""
    asked = f"Local/{name}@{names.MUSIC_CONTEXT}-"
    return next((music for channel, music in begun.items() if channel.startswith(asked)), None)


async def _hang_up(client: AriClient, channel_id: str) -> None:
    try:
        await client.channels.named(channel_id).hangup()
    except AriError as error:
        log.debug("it was gone already", channel_id=channel_id, reason=str(error))
