"""`make up`: refused with one clear message where it cannot work; and what it shows of the log."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from controller.first_start import FirstStart, first_start
from controller.settings import SettingsError
from controller.settings.first_file import with_value
from lab.__main__ import main
from lab.up import NotNowError, alone, check, places_text, shown

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def started(tmp_path: Path) -> FirstStart:
    """Give a site that could be started."""
    return first_start(tmp_path / "var", simulated_network=True)


def change(started: FirstStart, table: str, key: str, value: str) -> None:
    """Change one setting, as an admin does."""
    started.settings.write_text(with_value(started.settings.read_text("utf-8"), table, key, value), "utf-8")


def test_a_second_one_on_the_same_folder_is_told_who_has_it_and_what_to_do(tmp_path: Path) -> None:
    """Two controllers on one database would both dial."""
    told = pytest.raises(NotNowError, match=rf"up already .*process {os.getpid()}.*ORIKAESHI_HOME")
    with alone(tmp_path), told, alone(tmp_path):
        pass
    with alone(tmp_path):  # and it is free again
        assert (tmp_path / "up.lock").read_text("utf-8") == f"{os.getpid()}\n"


def test_what_keeps_it_from_starting_is_one_message_and_an_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """1 where something is to be done first, 2 where the settings do not serve."""
    monkeypatch.setenv("ORIKAESHI_HOME", str(tmp_path))
    monkeypatch.setenv("ORIKAESHI_STACK", "root")
    with alone(tmp_path):
        assert main(["up"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
    started = first_start(tmp_path)
    change(started, "log", "level", '"loud"')
    assert main(["up"]) == 2
    assert capsys.readouterr().err.startswith(f"{started.settings}:")


def test_a_site_in_order_is_not_complained_about(started: FirstStart) -> None:
    """So that the tests below fail for their own reason."""
    check(started)


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM], ids=["UDP", "TCP"])
def test_a_port_that_is_taken_is_named_before_anything_starts(started: FirstStart, kind: socket.SocketKind) -> None:
    """Asterisk would start without it, and nobody could register."""
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind((started.site.bind, started.site.ports.carrier_sip))
        if kind is socket.SOCK_STREAM:
            other.listen()
        with pytest.raises(NotNowError, match=rf"port {started.site.ports.carrier_sip} "):
            check(started)


def test_settings_that_lead_to_another_pbx_are_not_started_with_this_one(started: FirstStart) -> None:
    """The message is what to write in their place."""
    change(started, "asterisk", "url", '"http://192.0.2.7:8088"')
    with pytest.raises(NotNowError, match=rf'url = "http://127\.0\.0\.1:{started.site.ports.ari}"'):
        check(started)


def test_a_log_in_a_file_of_its_own_is_refused_because_readiness_is_read_from_the_log(started: FirstStart) -> None:
    """Else the start would seem to hang."""
    change(started, "log", "path", '"own.log"')
    with pytest.raises(NotNowError, match=r"in \[log\] write path"):
        check(started)


def test_mistakes_in_the_settings_are_listed_before_anything_starts(started: FirstStart) -> None:
    """With the exit code of wrong settings, not of a failure."""
    change(started, "log", "level", '"loud"')
    with pytest.raises(SettingsError, match=r"log\.level"):
        check(started)


def test_the_places_name_every_file_that_somebody_will_look_for(started: FirstStart) -> None:
    """Settings, secrets, database, messages, log; and the two ports that programs use."""
    text = places_text(started, "root")
    for word in ("controller.toml", "secrets.env", "orikaeshi.db", "sms-outbox.jsonl", "controller.log"):
        assert str(started.site.home / word) in text
    assert started.site.ari_url in text
    assert f":{started.site.ports.ami}" in text


def test_a_line_of_the_log_is_shown_short_and_a_warning_loud() -> None:
    """Time, event and what it is about; not the level that every line has."""
    line = {"at": "2030-05-06T03:04:05.678Z", "level": "info", "event": "promise", "state": "waiting"}
    assert shown(line) == "03:04:05 promise state=waiting"
    assert shown({**line, "level": "warning"}) == "03:04:05 WARNING promise state=waiting"
    assert shown({"event": "not JSON"}).strip() == "not JSON"
