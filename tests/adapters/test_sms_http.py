from __future__ import annotations

import asyncio
import string
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.ports.sms import Refused, Unclear
from controller.sms.http import Answered, HttpClient, json_object, presentable, reference, retry_after_s
from tests.contract.store_under_test import NOON

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Serve one answer, byte for byte, to every connection; yield where, and what was asked."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        asked.append(head + await reader.readexactly(3))
        writer.write(answer)
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", asked


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    """Give a client."""
    client = HttpClient()
    yield client
    await client.close()


async def ask(client: HttpClient, url: str) -> Answered | Refused | Unclear:
    """Send three bytes."""
    return await client.send("POST", url, headers={}, body=b"abc")


async def test_an_answer_is_returned_with_its_headers_in_lower_case(client: HttpClient) -> None:
    """Status, headers, body."""
    async with answering(b"HTTP/1.1 201 Created\r\nX-Kind: Good\r\nContent-Length: 2\r\n\r\nok") as (url, asked):
        answered = await ask(client, url)
    assert answered == Answered(201, {"x-kind": "Good", "content-length": "2"}, b"ok")
    assert len(asked) == 1
    assert asked[0].endswith(b"abc")


async def test_a_redirect_is_not_followed(client: HttpClient) -> None:
    """It would carry the password and the text to somebody else."""
    async with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as (elsewhere, strangers):
        redirect = f"HTTP/1.1 307 Moved\r\nLocation: {elsewhere}\r\nContent-Length: 0\r\n\r\n"
        async with answering(redirect.encode()) as (url, _):
            answered = await ask(client, url)
    assert isinstance(answered, Answered)
    assert client.verdict(answered, "moved", NOON) == Refused("moved", None)
    assert strangers == []


async def test_an_endless_answer_is_read_only_so_far(client: HttpClient) -> None:
    """The connection is closed on the rest, which would be 64 MiB."""
    sent: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\nabc")
        writer.write(b"HTTP/1.1 400 Bad\r\n\r\n")
        with suppress(ConnectionError):
            while len(sent) < 1024:
                writer.write(b"x" * 65_536)
                await writer.drain()
                sent.append(b"")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        answered = await ask(client, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    assert isinstance(answered, Answered)
    assert (answered.status, len(answered.body)) == (400, 64 * 1024)
    assert len(sent) < 1024


async def test_a_status_counts_although_its_body_broke_off(client: HttpClient) -> None:
    """A 429 is a 429; whoever needs the body finds that half of it is none."""
    async with answering(b"HTTP/1.1 429 Slow\r\nContent-Length: 99\r\n\r\n{") as (url, _):
        answered = await ask(client, url)
    assert isinstance(answered, Answered)
    assert (answered.status, json_object(answered.body)) == (429, {})


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 ", b"SMTP ready\r\n", b"HTTP/1.1 201 Created\r\nBroken\r\n\r\n"])
async def test_what_is_no_answer_leaves_it_open_whether_it_was_taken(client: HttpClient, answer: bytes) -> None:
    """The request had left; and it is sent once, whatever comes."""
    async with answering(answer) as (url, asked):
        assert isinstance(await ask(client, url), Unclear)
    assert len(asked) == 1


async def test_a_request_that_could_not_leave_is_tried_again_ever_later(client: HttpClient) -> None:
    """Nobody listens; the fifth wait is as long as any after it. An answer ends that."""
    async with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as (url, _):
        closed_url = url.replace("127.0.0.1", "127.0.0.2")
        refusals = [await ask(client, closed_url) for _ in range(6)]
        assert isinstance(await ask(client, url), Answered)
        refusals.append(await ask(client, closed_url))
    waits = [refusal.retry_in_s for refusal in refusals if isinstance(refusal, Refused)]
    assert waits == [5, 15, 60, 180, 600, 600, 5]


@pytest.mark.parametrize("url", ["http://nowhere.invalid/", "https://nowhere.invalid/"])
async def test_a_name_that_does_not_resolve_may_resolve_later(client: HttpClient, url: str) -> None:
    """Nothing left the house."""
    refused = await ask(client, url)
    assert isinstance(refused, Refused)
    assert refused.retry_in_s == 5


async def test_a_server_that_speaks_no_tls_never_saw_the_request() -> None:
    """The handshake comes first, and does not come about in time."""
    client = HttpClient(timeout_s=1)
    async with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as (url, asked):
        refused = await ask(client, url.replace("http://", "https://"))
        await client.close()
        assert asked == []
    assert isinstance(refused, Refused)
    assert refused.retry_in_s == 5


async def test_an_address_that_is_none_is_refused_for_good(client: HttpClient) -> None:
    """And is not shown: it may have a password in it."""
    assert await ask(client, "not an address") == Refused("the provider's address is none", None)


async def test_the_session_is_closed_when_run_is_cancelled(client: HttpClient) -> None:
    """And a request after that opens another."""
    running = asyncio.create_task(client.run())
    async with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as (url, _):
        assert isinstance(await ask(client, url), Answered)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert isinstance(await ask(client, url), Answered)


@pytest.mark.parametrize(
    ("status", "kind", "retry"),
    [
        (302, Refused, None),
        (400, Refused, None),
        (401, Refused, None),
        (404, Refused, None),
        (408, Refused, 5),
        (422, Refused, None),
        (425, Refused, 5),
        (429, Refused, 5),
        (500, Unclear, None),
        (502, Unclear, None),
        (503, Refused, 5),
        (504, Unclear, None),
        (599, Unclear, None),
        (204, Unclear, None),
    ],
)
async def test_only_a_status_that_says_so_means_that_nothing_was_taken(
    client: HttpClient, status: int, kind: type, retry: float | None
) -> None:
    """A proxy that lost its server says 502 or 504, and the server may have it."""
    verdict = client.verdict(Answered(status), "why", NOON)
    assert type(verdict) is kind
    assert getattr(verdict, "retry_in_s", None) == retry


async def test_the_providers_own_delay_is_kept_to(client: HttpClient) -> None:
    """Within reason: at least a second, at most a day."""

    def wait(told: str) -> float | None:
        verdict = client.verdict(Answered(429, {"retry-after": told}), "", NOON)
        return verdict.retry_in_s if isinstance(verdict, Refused) else None

    in_two_minutes = format_datetime(NOON.replace(microsecond=0) + timedelta(minutes=2), usegmt=True)
    assert [wait(told) for told in ("7", "0", "9" * 30)] == [7, 1, 86_400]
    assert wait(in_two_minutes) == pytest.approx(120, abs=1)
    assert wait("Sun, 06 Nov 1994 08:49:37 GMT") == 1


@given(st.text())
def test_whatever_retry_after_says_is_seconds_or_nothing(told: str) -> None:
    """A header is a stranger's text too."""
    found = retry_after_s(Answered(429, {"retry-after": told}), NOON)
    assert found is None or found >= 0


@given(st.binary())
def test_a_body_is_a_json_object_or_an_empty_one(body: bytes) -> None:
    """Whatever it is."""
    assert isinstance(json_object(body), dict)


def test_nesting_without_end_is_an_empty_object() -> None:
    """And no end of the process."""
    assert json_object(b'{"a":' * 30_000) == {}


@given(st.text(alphabet=string.printable), st.from_regex(r"\+[1-9][0-9]{8,14}", fullmatch=True), st.text())
def test_what_a_provider_says_is_shown_short_on_one_line_and_without_numbers(
    before: str, number: str, after: str
) -> None:
    """Numbers, our codes and links never get into a log by way of an error."""
    shown = presentable(f"{before} {number} https://callbacks.example.jp/l/SECRET 123456 {after}")
    assert len(shown) <= 200
    assert shown.isprintable()
    assert number not in shown
    assert "SECRET" not in shown
    assert "123456" not in shown


@given(st.one_of(st.text(), st.integers(), st.none(), st.booleans(), st.lists(st.integers())))
def test_a_reference_is_short_plain_text_or_none(value: object) -> None:
    """It is stored and compared."""
    found = reference(value)
    assert found is None or (0 < len(found) <= 128 and found.isascii() and found.isprintable())
