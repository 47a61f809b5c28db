"""The log: JSON lines with ids bound, and no phone number whole in them."""

from __future__ import annotations

import io
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from controller.logs import configure_logs, hide_numbers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Send the log to a string, and put everything back afterwards."""
    handlers, level = logging.root.handlers[:], logging.root.level
    stream = io.StringIO()
    configure_logs("info", stream=stream)
    yield stream
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def written(stream: io.StringIO) -> list[dict[str, Any]]:
    """Return what was logged."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("+819012345678", "+81901234****"),
        ("09012345678", "0901234****"),
        ("0312345678 rang", "031234**** rang"),
        ("PJSIP/09012345678@carrier", "PJSIP/0901234****@carrier"),
        ("PJSIP/09012345678-0000001a", "PJSIP/0901234****-0000001a"),
        ("sip:819012345678@10.0.0.1:5060", "sip:81901234****@10.0.0.1:5060"),
        ("tel:%2B819012345678", "tel:%2B81901234****"),
        ("090-1234-5678", "090-1234-****"),
        ("03-1234-5678", "03-1234-****"),
        ("number='0120123456', next", "number='012012****', next"),
        ("010819012345678", "01081901234****"),
        ("+14155550123 and +442071838750", "+1415555**** and +44207183****"),
        ("０９０１２３４５６７８", "０９０１２３４****"),
    ],
)
def test_whatever_looks_like_a_phone_number_loses_its_last_digits(text: str, shown: str) -> None:
    """National, international, in addresses and channel names, as people and as URLs write it."""
    assert hide_numbers(text) == shown
    assert hide_numbers(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "1763790000.123",
        "1763790000",
        "1763790000123",
        "1763790000123456",
        "PJSIP/agent-1-00000012",
        "customer-0f3a9c0123456789",
        "0123456789abcdef",
        "5f0c1d2e-3b4a-4c5d-8e9f-012345678901",
        "http://127.0.0.1:18088/ari",
        "2026-11-22T05:35:00.012345678Z",
        "05:35:00 +09:00",
        "0.0123456789",
        "05-06-2026",
        "22.10.1+dfsg+~cs6.17.60671434-1",
        "0901234****",
        "+81901234****",
    ],
)
def test_ids_times_ports_and_versions_are_left_as_they_are(text: str) -> None:
    """A log in which a call cannot be followed is no log."""
    assert hide_numbers(text) == text


def test_a_line_has_time_level_event_and_what_is_bound_to_the_call(stream: io.StringIO) -> None:
    """One grep for the call id shows the whole call."""
    structlog.contextvars.bind_contextvars(call_id="1763790000.12", promise_id="p-1")
    structlog.get_logger().info("offered", place=3)
    (line,) = written(stream)
    assert line.pop("at").endswith("Z")
    assert line == {
        "level": "info",
        "event": "offered",
        "call_id": "1763790000.12",
        "promise_id": "p-1",
        "place": 3,
    }


def test_numbers_are_hidden_in_the_event_in_nested_values_in_keys_and_in_objects(stream: io.StringIO) -> None:
    """Whoever forgets the mask is caught here."""
    structlog.get_logger().info(
        "dialled 09012345678",
        to=["+819012345678"],
        by={"0312345678": {"n": "0312345678"}},
        path=ValueError("0312345678"),
    )
    text = stream.getvalue()
    assert "5678" not in text
    assert written(stream)[0]["by"] == {"031234****": {"n": "031234****"}}


def test_an_exception_is_data_on_the_same_line_and_shows_no_number(stream: io.StringIO) -> None:
    """A traceback over many lines cannot be searched; its message may hold a number."""
    try:
        raise ValueError("nobody at tel:09012345678")  # noqa: TRY301 - it is to have a traceback
    except ValueError:
        structlog.get_logger().exception("failed")
    (line,) = written(stream)
    assert line["exception"][0]["exc_type"] == "ValueError"
    assert line["exception"][0]["frames"][0]["name"] == "test_an_exception_is_data_on_the_same_line_and_shows_no_number"
    assert line["exception"][0]["exc_value"] == "nobody at tel:0901234****"


def test_what_libraries_log_comes_out_the_same_way_from_warning_on(stream: io.StringIO) -> None:
    """Their info and debug would drown our own."""
    logging.getLogger("aiohttp.client").warning("lost %s", "tel:+819012345678")
    logging.getLogger("aiohttp.client").info("chatter")
    (line,) = written(stream)
    assert (line["event"], line["level"], line["logger"]) == ("lost tel:+81901234****", "warning", "aiohttp.client")


def test_below_the_level_nothing_is_written(stream: io.StringIO) -> None:
    """The level of the settings counts."""
    structlog.get_logger().debug("too small")
    assert stream.getvalue() == ""


class _FullDisk(io.StringIO):
    """A stream on a disk that is full while `is_full`; a real one cannot be filled and emptied at will."""

    is_full = True

    def write(self, text: str) -> int:
        if self.is_full:
            raise OSError(28, "No space left on device")
        return super().write(text)


@pytest.mark.usefixtures("stream")
def test_a_full_disk_disturbs_nobody_and_the_lost_lines_are_counted() -> None:
    """A call never fails because its log line could not be written."""
    disk = _FullDisk()
    configure_logs("info", stream=disk)
    structlog.get_logger().info("one")
    structlog.get_logger().info("two")
    disk.is_full = False
    structlog.get_logger().info("three")
    first, second = written(disk)
    assert first == {"event": "log_lines_lost", "count": 2}
    assert second["event"] == "three"


@pytest.mark.usefixtures("stream")
def test_a_log_file_is_for_its_owner_alone_and_is_appended_to(tmp_path: Path) -> None:
    """It says who called whom, numbers or not."""
    path = tmp_path / "controller.log"
    path.write_text('{"event": "before"}\n')
    path.chmod(0o600)
    close = configure_logs("info", path=path)
    structlog.get_logger().info("後")
    close()
    assert [json.loads(line)["event"] for line in path.read_text(encoding="utf-8").splitlines()] == ["before", "後"]
    fresh = tmp_path / "fresh.log"
    configure_logs("info", path=fresh)()
    assert fresh.stat().st_mode & 0o777 == 0o600
    structlog.get_logger().info("after the end: no error")
