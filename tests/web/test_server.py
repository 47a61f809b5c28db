"""The server under the pages: slow, silent, large and too many clients; a port that is taken; what is logged."""

from __future__ import annotations

import asyncio
import gzip
import re
import socket
from typing import TYPE_CHECKING

import pytest
import structlog

from controller.web.app import build
from controller.web.server import WebServer
from tests.web.site import HOST, NUMBER, Site, site_at

if TYPE_CHECKING:
    from pathlib import Path

HEAD = f"Host: {HOST}\r\nContent-Type: application/x-www-form-urlencoded\r\n"


async def raw(site: Site, sent: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a connection and send something."""
    reader, writer = await asyncio.open_connection("127.0.0.1", site.server.bound_port)
    writer.write(sent)
    await writer.drain()
    return reader, writer


async def all_of(site: Site, sent: bytes) -> bytes:
    """Send something, and return all that comes until the other side closes."""
    reader, writer = await raw(site, sent)
    try:
        return await reader.read()
    finally:
        writer.close()


async def hung_up_on(site: Site, sent: bytes = b"") -> bool:
    """Tell whether a connection is closed without an answer, however the system tells of it."""
    try:
        return await all_of(site, sent) == b""
    except ConnectionError:
        return True


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n"])
async def test_whoever_is_silent_is_hung_up_on(tmp_path: Path, sent: bytes) -> None:
    """Before, and in the middle of, what is asked; nothing is answered."""
    async with site_at(tmp_path, serving={"silence_s": 0.2}) as site:
        assert await all_of(site, sent) == b""


async def test_a_form_that_never_ends_is_given_up(tmp_path: Path) -> None:
    """408, and the connection is closed; nothing is changed."""
    async with site_at(tmp_path, body_timeout_s=0.2) as site:
        path = await site.link(await site.promised())
        before = await site.everything()
        for length in ("Content-Length: 100\r\n\r\naction=ca", "Transfer-Encoding: chunked\r\n\r\n5\r\nactio\r\n"):
            told = await all_of(site, f"POST {path} HTTP/1.1\r\n{HEAD}{length}".encode())
            assert told.startswith(b"HTTP/1.1 408 ")
        assert await site.everything() == before


async def test_a_form_that_is_too_large_is_refused_as_soon_as_that_is_known(tmp_path: Path) -> None:
    """By what is announced, and by what comes unannounced."""
    async with site_at(tmp_path) as site:
        path = await site.link()
        announced = f"POST {path} HTTP/1.1\r\n{HEAD}Connection: close\r\nContent-Length: 99999999\r\n\r\n"
        reader, writer = await raw(site, announced.encode())
        assert (await reader.readline()).startswith(b"HTTP/1.1 413 ")
        writer.close()
        chunk = b"4000\r\n" + b"a" * 0x4000 + b"\r\n"
        chunked = f"POST {path} HTTP/1.1\r\n{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode()
        reader, writer = await raw(site, chunked + 2 * chunk)
        assert (await reader.readline()).startswith(b"HTTP/1.1 413 ")
        writer.close()


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 1000 + b"\r\n",
        b"POST /l/x HTTP/1.1\r\nHost: " + HOST.encode() + b"\r\nContent-Length: -1\r\n\r\n",
        b"POST /l/x HTTP/1.1\r\n" + HEAD.encode() + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"GET /l/\xff\xfe HTTP/1.1\r\nHost: " + HOST.encode() + b"\r\nConnection: close\r\n\r\n",
        b"GET http://" + HOST.encode() + b"/l/x HTTP/1.1\r\nHost: " + HOST.encode() + b"\r\nConnection: close\r\n\r\n",
        b"GET /l/x HTTP/1.0\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: a\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
    ],
)
async def test_what_is_no_request_of_a_browser_is_refused(site: Site, sent: bytes) -> None:
    """TLS, too long, too many headers, cut up wrongly, for nobody, for two: 4xx, and everybody else is served."""
    assert re.match(rb"HTTP/1\.[01] 4[0-9][0-9] ", await all_of(site, sent))
    assert (await site.get("/health")).status == 200


async def test_a_small_form_that_would_grow_large_stays_small(site: Site) -> None:
    """A packed body is not unpacked."""
    path = await site.link()
    packed = gzip.compress(b"action=now&" + b"a=b&" * 10)
    answer = await site.send(
        "POST",
        path,
        data=packed,
        headers={"Content-Encoding": "gzip", "Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.status == 400
    assert await site.open_promise() is None


async def test_a_form_that_goes_wrong_in_the_middle_is_refused(tmp_path: Path) -> None:
    """Its head was good, and we have begun to read, at the latest when its time is over."""
    async with site_at(tmp_path, body_timeout_s=0.2) as site:
        path = await site.link()
        head = f"POST {path} HTTP/1.1\r\n{HEAD}Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
        reader, writer = await raw(site, head.encode())
        assert (await reader.readline()).startswith(b"HTTP/1.1 100 ")
        writer.write(b"5\r\nactio\r\nZZ\r\n")
        assert re.search(rb"HTTP/1\.1 40[08] ", await reader.read())
        writer.close()
        assert (await site.get("/health")).status == 200


async def test_only_so_many_are_let_in_at_once(tmp_path: Path) -> None:
    """One more is hung up on at once; when one leaves there is room."""
    async with site_at(tmp_path, serving={"most_connections": 2}) as site:
        first = await raw(site, b"")
        second = await raw(site, b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert (await second[0].readline()).startswith(b"HTTP/1.1 200 ")
        assert await hung_up_on(site)
        first[1].close()
        second[1].close()
        while await hung_up_on(site, b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"):
            pass  # until the server has noticed that they left


async def test_a_port_that_is_taken_is_said_in_one_line(site: Site) -> None:
    """With the settings that name it."""
    second = WebServer("127.0.0.1", site.server.bound_port, build(site.web), patience_s=0)
    with pytest.raises(OSError, match=r"cannot be served at 127\.0\.0\.1:\d+ \(web\.host, web\.port\)") as raised:
        await second.run()
    assert raised.value.strerror is not None
    assert "\n" not in raised.value.strerror


async def test_a_port_that_becomes_free_in_time_is_taken_over(tmp_path: Path) -> None:
    """A controller that is started again beside the old one has its calls before the old one has left."""
    with socket.socket() as old:
        old.bind(("127.0.0.1", 0))
        old.listen()
        async with site_at(tmp_path) as site:
            server = WebServer("127.0.0.1", old.getsockname()[1], build(site.web), patience_s=60)
            with structlog.testing.capture_logs() as logs:
                serving = asyncio.create_task(server.run())
                while not serving.done() and not any("taken" in line["event"] for line in logs):  # noqa: ASYNC110 - a log has no event to wait for
                    await asyncio.sleep(0)
            old.close()
            await asyncio.wait(
                {serving, waiting := asyncio.ensure_future(server.listening.wait())}, return_when="FIRST_COMPLETED"
            )
            assert waiting.done()
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)


async def test_when_we_stop_nobody_is_left_and_the_port_is_free(tmp_path: Path) -> None:
    """A request that is being answered is answered."""
    async with site_at(tmp_path) as site:
        port = site.server.bound_port
        assert (await site.get("/health")).status == 200
        reader, writer = await raw(site, b"")
    assert await reader.read() == b""
    writer.close()
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port))


async def test_the_log_holds_no_number_token_code_or_whole_address(tmp_path: Path) -> None:
    """Whoever reads the log cannot use a link that is in it."""
    async with site_at(tmp_path) as site:
        with structlog.testing.capture_logs() as logs:
            promise = await site.promised()
            path = await site.link(promise)
            await site.get(path)
            await site.post(path, {"action": "book", "starts_at": "x"})
            asked = await site.post("/callback/support?number=09012345678", {"number": "090-1234-5678"})
            await site.post(asked.headers["Location"], {"code": "123456"})
            await site.get(path + "?lang=xx", Host="elsewhere")
            with site.database_locked():
                await site.post(path, {"action": "now"})
    written = repr(logs)
    assert len(logs) >= 6
    for secret in (path.removeprefix("/l/"), "9012345678", "1234-5678", NUMBER, "123456", "127.0.0.1"):
        assert secret not in written
    assert {entry["page"] for entry in logs if entry["event"] == "web_request"} == {
        "/l/{token}",
        "/callback/{queue}",
        "/verify/{token}",
    }


async def test_a_thousand_who_use_one_link_at_once_make_one_booking(tmp_path: Path) -> None:
    """All are shown what was decided; there is one promise, one place taken, one SMS owed."""
    async with site_at(tmp_path, serving={"most_connections": 2000}) as site:
        path = await site.link()
        windows = (await site.get(path)).windows
        forms = [{"action": "book", "starts_at": windows[count % len(windows)]} for count in range(1000)]
        answers = await asyncio.gather(*(site.post(path, form) for form in forms))
        assert {answer.status for answer in answers} == {303}
        everything = await site.everything()
        assert len(everything["promises"]) == 1
        assert [row["template"] for row in everything["sms_outbox"]] == ["confirmed"]
        kept = await site.open_promise()
        assert kept is not None
        assert kept.version == 0


async def test_of_many_who_want_the_last_places_so_many_get_one(site: Site) -> None:
    """Forty links, two places."""
    paths = [await site.link(number=f"+8190111100{count:02}", name=f"sms-{count}") for count in range(40)]
    window = (await site.get(paths[0])).windows[0]
    answers = await asyncio.gather(*(site.post(path, {"action": "book", "starts_at": window}) for path in paths))
    assert sorted(answer.status for answer in answers) == [303] * 2 + [409] * 38
    assert len((await site.everything())["promises"]) == 2
