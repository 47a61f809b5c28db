from __future__ import annotations

import asyncio
import json
import resource
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from controller.ports.sms import Accepted, Refused
from controller.sms.log_gateway import LogGateway
from tests.contract.store_under_test import NUMBER, HandClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SENDER = "03-1234-5678"
TEXT = "【営業部】折り返しお電話しましたが、\nつながりませんでした。"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the lines go."""
    return tmp_path / "sms.jsonl"


@pytest.fixture
def gateway(path: Path) -> LogGateway:
    """Return a gateway at noon."""
    return LogGateway(path, clock=HandClock())


def lines_in(path: Path) -> list[dict[str, Any]]:
    """Return every line, each of which has to be whole."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]


@contextmanager
def files_no_longer_than(size_bytes: int) -> Iterator[None]:
    """Have the system cut each write at a file size, as it does at the end of a full disk (setrlimit(2))."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_an_sms_is_one_line_with_all_that_is_needed_to_send_it(gateway: LogGateway, path: Path) -> None:
    """UTF-8, readable as it is; a line break in the text is none in the file."""
    assert await gateway.send(sender=SENDER, key="k1", number=NUMBER, text=TEXT) == Accepted("sms.jsonl:k1")
    assert lines_in(path) == [
        {
            "time": "2030-05-06T03:00:00.123456+00:00",
            "key": "k1",
            "to": NUMBER,
            "from": "03-1234-5678",
            "text": TEXT,
            "segments": 1,
        }
    ]
    assert "折り返し".encode() in await asyncio.to_thread(path.read_bytes)


async def test_only_its_owner_can_read_the_file(gateway: LogGateway, path: Path) -> None:
    """Numbers and texts are in it."""
    await gateway.send(sender=SENDER, key="k1", number=NUMBER, text=TEXT)
    assert stat.S_IMODE((await asyncio.to_thread(path.stat)).st_mode) == 0o600


async def test_fifty_at_once_are_fifty_whole_lines(gateway: LogGateway, path: Path) -> None:
    """None is mixed into another."""
    await asyncio.gather(*(gateway.send(sender=SENDER, key=f"k{n}", number=NUMBER, text=TEXT * 50) for n in range(50)))
    assert {line["key"] for line in lines_in(path)} == {f"k{n}" for n in range(50)}


async def test_a_disk_that_fills_in_the_middle_of_a_line_leaves_the_lines_before_it_whole(
    gateway: LogGateway, path: Path
) -> None:
    """The part that fitted is taken back, and the SMS is to be tried again."""
    await gateway.send(sender=SENDER, key="k1", number=NUMBER, text=TEXT)
    length = len(await asyncio.to_thread(path.read_bytes))
    with files_no_longer_than(length + 20):
        result = await gateway.send(sender=SENDER, key="k2", number=NUMBER, text=TEXT)
    assert isinstance(result, Refused)
    assert result.retry_in_s == 60
    assert str(path) in result.reason
    assert [line["key"] for line in lines_in(path)] == ["k1"]
    await gateway.send(sender=SENDER, key="k2", number=NUMBER, text=TEXT)
    assert [line["key"] for line in lines_in(path)] == ["k1", "k2"]


async def test_a_missing_folder_is_refused_with_what_to_do_and_works_once_it_is_there(tmp_path: Path) -> None:
    """Trying again helps."""
    path = tmp_path / "missing" / "sms.jsonl"
    gateway = LogGateway(path, clock=HandClock())
    result = await gateway.send(sender=SENDER, key="k1", number=NUMBER, text=TEXT)
    assert result == Refused(f"The SMS log {path} cannot be written: No such file or directory. Create the folder.", 60)
    await asyncio.to_thread(path.parent.mkdir)
    assert isinstance(await gateway.send(sender=SENDER, key="k1", number=NUMBER, text=TEXT), Accepted)


async def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path: Path) -> None:
    """Named as what it is."""
    gateway = LogGateway(tmp_path, clock=HandClock())
    result = await gateway.send(sender=SENDER, key="k1", number=NUMBER, text=TEXT)
    assert isinstance(result, Refused)
    assert result.reason.endswith("Is a directory. Name a file, not a folder.")


async def test_a_full_device_does_not_count_as_sent(tmp_path: Path) -> None:
    """Linux keeps a device that is always full."""
    link = tmp_path / "sms.jsonl"
    await asyncio.to_thread(link.symlink_to, "/dev/full")
    result = await LogGateway(link, clock=HandClock()).send(sender=SENDER, key="k1", number=NUMBER, text=TEXT)
    assert not isinstance(result, Accepted)
    assert "No space left on device. Free space on that disk." in result.reason


async def test_a_file_that_was_moved_away_is_begun_anew(gateway: LogGateway, path: Path) -> None:
    """So that the admin can rotate it."""
    await gateway.send(sender=SENDER, key="k1", number=NUMBER, text=TEXT)
    await asyncio.to_thread(path.rename, path.with_suffix(".1"))
    await gateway.send(sender=SENDER, key="k2", number=NUMBER, text=TEXT)
    assert [line["key"] for line in lines_in(path)] == ["k2"]
