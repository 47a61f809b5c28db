"""The command about recordings: on a real database, and to a web server that has the sound."""

from __future__ import annotations

import asyncio
import base64
import json
import sqlite3
import stat
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar

import pytest

from controller.settings.first_file import DEFAULT_TEMPLATE, with_value
from controller.store import open_store
from tests.adapters.command_line import ENV, CommandLine
from tests.contract.recorded import begun, later, over
from tests.contract.store_under_test import OTHER_NUMBER, HandClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MASKED = "+81901234****"
SOUND = b"RIFF" + bytes(range(256)) * 1000
LOGIN = base64.b64encode(f"orikaeshi:{ENV['ORIKAESHI_ARI_PASSWORD']}".encode()).decode()


class Spool(BaseHTTPRequestHandler):
    """Asterisk's web server, which has one file for whoever has the password."""

    files: ClassVar[dict[str, bytes]] = {"/ari/recordings/stored/r-1/file": SOUND}
    share = 1
    """Of a file, one part of so many is sent."""

    def do_GET(self) -> None:
        """Answer."""
        if self.headers["Authorization"] != f"Basic {LOGIN}":
            self._answer(401, b"{}")
        elif self.path in self.files:
            self._answer(200, self.files[self.path])
        else:
            self._answer(404, b'{"message": "Recording not found"}')

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // self.share])


class CutSpool(Spool):
    """One whose connection is cut in the middle of a file."""

    share = 2


@pytest.fixture
def controller(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """Give the command line."""
    return CommandLine(capsys)


@pytest.fixture(params=[Spool])
def port(request: pytest.FixtureRequest) -> Iterator[int]:
    """Open the web server of an Asterisk."""
    with ThreadingHTTPServer(("127.0.0.1", 0), request.param) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield server.server_port
        server.shutdown()
        serving.join()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the database: recordings of two customers and of one who withheld their number, and one that goes on."""
    path = tmp_path / "orikaeshi.db"

    async def fill() -> None:
        async with open_store(
            f"sqlite+aiosqlite:///{path}", policies={}, clock=HandClock(), new_id=lambda: "id"
        ) as store:
            await over(store)
            await over(store, "r-2", began_at=later(10), queue="support", agent="taro", number=OTHER_NUMBER)
            await over(store, "r-3", began_at=later(20), number="", waiter_id="call-3")
            await begun(store, "r-4", began_at=later(30))
            await over(store, "elsewhere", began_at=later(-10), pbx="pbx-9")

    asyncio.run(fill())
    return path


@pytest.fixture
def settings(tmp_path: Path, file: Path, port: int) -> Path:
    """Write the default settings, with this database and this Asterisk."""
    path = tmp_path / "controller.toml"
    text = with_value(DEFAULT_TEMPLATE.read_text("utf-8"), "store", "url", f'"sqlite+aiosqlite:///{file}"')
    path.write_text(with_value(text, "asterisk", "url", f'"http://127.0.0.1:{port}"'), encoding="utf-8")
    return path


def asked(file: Path, query: str) -> list[tuple[object, ...]]:
    """Return what the database answers."""
    with closing(sqlite3.connect(file)) as database:
        return database.execute(query).fetchall()


def audited(file: Path) -> list[tuple[object, ...]]:
    """Return (action, subject, detail) of what commands did."""
    return asked(file, "SELECT action, subject, detail FROM audit WHERE kind = 'command'")


def test_recordings_are_listed_the_last_first_with_their_numbers_masked(
    controller: CommandLine, settings: Path
) -> None:
    """Also without the word `list`; who withheld theirs is anonymous."""
    said = controller("recordings", "--settings", settings)
    assert said.code == 0
    lines = said.out.splitlines()
    assert [line.split()[0] for line in lines[2:]] == ["r-4", "r-3", "r-2", "r-1", "elsewhere"]
    assert "going on" in lines[2]
    assert ["anonymous" in line for line in lines[2:]] == [False, True, False, False, False]
    assert lines[5].split() == [
        "r-1",
        "05-06",
        "12:00:00",
        "5:00",
        "sales",
        "hanako",
        MASKED,
        "told",
        "call-1",
        "asterisk",
    ]
    assert "5678" not in said.out


def test_a_program_is_told_the_same_and_the_number_where_it_is_asked_for(
    controller: CommandLine, settings: Path
) -> None:
    """Times in UTC, and nothing of what is only for whoever erases."""
    (one, *_) = controller("recordings", "list", "--settings", settings, "--json", "--agent", "taro").data["recordings"]
    assert (one["id"], one["number"], one["consent"], one["kind"]) == ("r-2", "+8131234****", "told", "live")
    assert one["ended_at"] == later(15).isoformat()
    assert "unwanted" not in one
    (one,) = controller(
        "recordings", "--settings", settings, "--json", "--show-numbers", "--number", "03-1234-5678"
    ).data["recordings"]
    assert (one["id"], one["number"]) == ("r-2", OTHER_NUMBER)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (["--queue", "support"], ["r-2"]),
        (["--of", "call-3"], ["r-3"]),
        (["--number", "+81 90 1234 5678", "--limit", "2"], ["r-4", "r-1"]),
        (["--agent", "nobody"], []),
    ],
)
def test_filters_leave_out_what_does_not_fit(
    controller: CommandLine, settings: Path, filters: list[str], found: list[str]
) -> None:
    """By queue, by call or promise, by number as it is written at home or abroad, and so many."""
    listed = controller("recordings", "--settings", settings, "--json", *filters).data["recordings"]
    assert [one["id"] for one in listed] == found


def test_what_is_older_than_so_many_days_is_left_out(controller: CommandLine, settings: Path, file: Path) -> None:
    """Of talks that were so far in the past when this runs."""
    with closing(sqlite3.connect(file)) as database:
        database.execute("UPDATE recordings SET began_at = datetime('now', '-2 days') WHERE id = 'r-1'")
        database.execute("UPDATE recordings SET began_at = datetime('now', '-9 days') WHERE id <> 'r-1'")
        database.commit()
    said = controller("recordings", "--settings", settings, "--json", "--days", "3")
    assert [one["id"] for one in said.data["recordings"]] == ["r-1"]


def test_the_sound_is_saved_for_its_owner_alone_and_that_is_written_down(
    controller: CommandLine, settings: Path, file: Path
) -> None:
    """Byte for byte."""
    target = settings.parent / "talk.wav"
    said = controller("recordings", "save", "r-1", target, "--settings", settings)
    assert (said.code, said.out) == (0, f"{target}: {len(SOUND)} bytes\n")
    assert target.read_bytes() == SOUND
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert audited(file) == [("recordings save", "r-1", json.dumps({"of": "call-1"}))]


def test_nothing_is_written_over_a_file_that_is_there(controller: CommandLine, settings: Path, file: Path) -> None:
    """It stays as it was; and nobody has heard anything."""
    target = settings.parent / "talk.wav"
    target.write_text("mine", encoding="utf-8")
    said = controller("recordings", "save", "r-1", target, "--settings", settings)
    assert said.code == 2
    assert "is there already" in said.err
    assert target.read_text("utf-8") == "mine"
    assert audited(file) == []


@pytest.mark.parametrize(
    ("recording", "why"),
    [
        ("r-2", "asterisk has no sound of it any more"),
        ("elsewhere", "pbx-9, which has the sound, is not in the settings"),
    ],
)
def test_sound_that_cannot_be_had_leaves_no_file(
    controller: CommandLine, settings: Path, recording: str, why: str
) -> None:
    """It says why."""
    target = settings.parent / "talk.wav"
    said = controller("recordings", "save", recording, target, "--settings", settings)
    assert (said.code, said.err) == (1, f"{why}\n")
    assert not target.exists()


def test_who_has_no_password_of_the_pbx_hears_nothing(controller: CommandLine, settings: Path, file: Path) -> None:
    """Whoever can read the database file alone; the list they have anyway."""
    target = settings.parent / "talk.wav"
    said = controller("recordings", "save", "r-1", target, "--settings", settings, env={})
    assert said.code == 2
    assert "ORIKAESHI_ARI_PASSWORD" in said.err
    assert not target.exists()
    assert controller("recordings", "--settings", settings, env={}).code == 0
    assert audited(file) == []


def test_a_password_that_is_not_taken_is_told_and_who_tried_is_written_down(
    controller: CommandLine, settings: Path, file: Path
) -> None:
    """Before it is asked for: it could have been heard."""
    target = settings.parent / "talk.wav"
    env = ENV | {"ORIKAESHI_ARI_PASSWORD": "not-the-right-one-9f3K"}
    said = controller("recordings", "save", "r-1", target, "--settings", settings, env=env)
    assert said.code == 1
    assert said.err.startswith("asterisk cannot be asked for it: ")
    assert "9f3K" not in said.err
    assert not target.exists()
    assert [action for action, *_ in audited(file)] == ["recordings save"]


@pytest.mark.parametrize("port", [CutSpool], indirect=True)
def test_half_a_recording_is_not_left_behind(controller: CommandLine, settings: Path) -> None:
    """The connection was cut: who finds the file would take it for the whole talk."""
    target = settings.parent / "talk.wav"
    said = controller("recordings", "save", "r-1", target, "--settings", settings)
    assert said.code == 1
    assert "the connection broke" in said.err
    assert not target.exists()


def test_one_that_is_deleted_is_gone_for_everybody_and_that_is_written_down(
    controller: CommandLine, settings: Path, file: Path
) -> None:
    """The sound is the controller's to erase, which finds it in the database; its number goes at once."""
    said = controller("recordings", "delete", "r-1", "--settings", settings, "--json")
    assert (said.code, said.data) == (0, {"id": "r-1", "deleted": True})
    assert asked(file, "SELECT number, unwanted, erased_at FROM recordings WHERE id = 'r-1'") == [("", 1, None)]
    assert audited(file) == [("recordings delete", "r-1", json.dumps({"of": "call-1"}))]
    listed = controller("recordings", "--settings", settings, "--json").data["recordings"]
    assert "r-1" not in {one["id"] for one in listed}
    for again in (("delete", "r-1"), ("save", "r-1", settings.parent / "talk.wav")):
        assert controller("recordings", *again, "--settings", settings).code == 2
    assert not (settings.parent / "talk.wav").exists()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("delete", "r-4"), "the talk goes on"),
        (("save", "r-4", "talk.wav"), "the talk goes on"),
        (("delete", "nobody"), "there is no such recording"),
        (("delete",), "say which: `controller recordings delete ID`"),
        (("save", "r-1"), "say which: `controller recordings save ID FILE`"),
        (("delete", "r-1", "talk.wav"), "does not take FILE"),
        (("delete", "r-1", "--queue", "sales"), "does not take --queue"),
        (("list", "r-1"), "does not take ID"),
        (("list", "--number", "12345"), "this is no phone number"),
        (("list", "--days", "0"), "is not a whole number from 1 to 3650"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_reason(
    controller: CommandLine, settings: Path, file: Path, words: tuple[str, ...], why: str
) -> None:
    """And changes nothing."""
    before = asked(file, "SELECT * FROM recordings")
    said = controller("recordings", *words, "--settings", settings)
    assert said.code == 2
    assert why in said.err
    assert (asked(file, "SELECT * FROM recordings"), audited(file)) == (before, [])
