"""Which prompts the PBX lacks: what it lacks in one language it plays in another, without a word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from controller.asterisk.sounds_check import PromptsMissingError, missing_prompts
from tests.adapters.ari_server import AriServer, ari_server, wired

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.timeout(20)


def sound(name: str, *files: tuple[str, str]) -> dict[str, Any]:
    """Return one sound as ARI lists it; `files` are of a language and a codec."""
    return {"id": name, "text": "", "formats": [{"language": language, "format": codec} for language, codec in files]}


BOTH = (("ja", "slin"), ("ja", "slin16"))


@pytest.fixture
async def server() -> AsyncIterator[AriServer]:
    """Run an ARI server without faults."""
    async with ari_server() as running:
        yield running


async def missing(server: AriServer, prompts: list[str], languages: list[str]) -> list[str]:
    """Ask."""
    async with wired(server.port) as wire:
        await wire.until("up")
        return await missing_prompts(wire.client, prompts, languages)


async def test_nothing_is_missing_where_every_file_is_there(server: AriServer) -> None:
    """Both files, in each language."""
    english = (("en", "slin"), ("en", "slin16"))
    server.sounds = {"ja": [sound("orikaeshi/welcome", *BOTH)], "en": [sound("orikaeshi/welcome", *english)]}
    assert await missing(server, ["welcome"], ["en", "ja"]) == []


async def test_a_prompt_that_is_there_in_english_alone_is_missing_in_japanese(server: AriServer) -> None:
    """The trap: callers who chose Japanese would hear English."""
    english = (("en", "slin"), ("en", "slin16"))
    server.sounds = {"ja": [sound("orikaeshi/goodbye", *BOTH)], "en": [sound("orikaeshi/welcome", *english)]}
    assert await missing(server, ["welcome"], ["en", "ja"]) == ["ja/welcome.wav", "ja/welcome.wav16"]


async def test_a_language_without_any_file_lacks_every_prompt(server: AriServer) -> None:
    """Asterisk answers 404 then, and is not broken."""
    assert await missing(server, ["welcome", "goodbye"], ["ja"]) == [
        "ja/welcome.wav",
        "ja/welcome.wav16",
        "ja/goodbye.wav",
        "ja/goodbye.wav16",
    ]


@pytest.mark.parametrize(("codec", "lacks"), [("slin", "wav16"), ("slin16", "wav"), ("ulaw", "wav16"), ("g722", "wav")])
async def test_each_prompt_wants_a_file_for_8_and_one_for_16_khz(server: AriServer, codec: str, lacks: str) -> None:
    """In whichever codec somebody recorded it."""
    server.sounds = {"ja": [sound("orikaeshi/welcome", ("ja", codec))]}
    assert await missing(server, ["welcome"], ["ja"]) == [f"ja/welcome.{lacks}"]


async def test_the_sounds_of_others_are_none_of_ours(server: AriServer) -> None:
    """Asterisk has a `welcome` of its own, and another language's files may be listed beside ours."""
    server.sounds = {"ja": [sound("welcome", *BOTH), sound("orikaeshi/welcome", ("en", "slin"), ("ja", "slin16"))]}
    assert await missing(server, ["welcome"], ["ja"]) == ["ja/welcome.wav"]


async def test_a_prompt_that_is_wanted_twice_is_missing_once(server: AriServer) -> None:
    """Two menus may say the same."""
    server.sounds = {"ja": [sound("orikaeshi/welcome", ("ja", "slin"))]}
    assert await missing(server, ["welcome", "welcome"], ["ja"]) == ["ja/welcome.wav16"]


def test_the_complaint_names_a_few_and_says_what_to_do() -> None:
    """Five names, and how many more there are."""
    error = PromptsMissingError([f"ja/prompt-{number}.wav" for number in range(8)])
    assert "ja/prompt-4.wav and 3 more" in str(error)
    assert "prompt-5" not in str(error)
    assert "asterisk-conf/prompts/render" in str(error)
    assert len(error.missing) == 8
