"""One event to one receiver over real HTTP: how it is signed, what counts as taken, and where it never goes."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import socket
from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from controller.hooks.client import LONGEST_ANSWER, HookClient
from controller.hooks.signing import HookSecrets, read_secrets
from controller.ports.hooks import NotTaken, Taken
from controller.system_clock import SystemClock
from tests.adapters.hook_receiver import (
    BODY,
    EVENT,
    LOCALHOST,
    OLD_SECRET,
    SECRET,
    Receiver,
    WireServer,
    endless,
    fields_of,
    send,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SHORT_S = 0.5
"""For who is sure not to answer."""


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Listen, and take whatever comes."""
    async with Receiver().listening() as listening:
        yield listening


async def test_a_receiver_can_check_who_sent_it_with_the_library_of_the_standard(receiver: Receiver) -> None:
    """Over the body as it came; whoever has another secret, or another body, is told so."""
    assert await send(receiver.url) == Taken(204)
    (request,) = receiver.got
    assert Webhook(SECRET).verify(request.body, fields_of(request)) == json.loads(BODY)
    assert request.id == EVENT
    assert request.headers["content-type"] == "application/json"
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD_SECRET).verify(request.body, fields_of(request))
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(request.body.replace("made", "kept"), fields_of(request))


async def test_while_one_secret_takes_the_place_of_another_both_are_good(receiver: Receiver) -> None:
    """The receiver changes over when it likes."""
    await send(receiver.url, secrets=f"{SECRET},{OLD_SECRET}")
    (request,) = receiver.got
    for secret in (SECRET, OLD_SECRET):
        Webhook(secret).verify(request.body, fields_of(request))


@given(st.binary(min_size=24, max_size=64), st.text(alphabet="evt_0123456789abcdef", min_size=1), st.binary())
def test_the_signature_is_the_one_of_the_specification(key: bytes, event_id: str, body: bytes) -> None:
    """HMAC-SHA256 over id, timestamp and body, apart by full stops, in Base64, after "v1,"."""
    text = f"whsec_{base64.b64encode(key).decode()}"
    headers = read_secrets(text).headers(event_id, 1_900_000_000, body)
    signed = hmac.new(key, f"{event_id}.1900000000.".encode() + body, hashlib.sha256).digest()
    assert headers == {
        "webhook-id": event_id,
        "webhook-timestamp": "1900000000",
        "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
    }
    assert key not in repr(HookSecrets((key,))).encode()


@pytest.mark.parametrize(
    "text",
    ["", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_ab", "whsec_!!!!", f"{SECRET},{SECRET},{SECRET}"],
)
def test_a_secret_that_is_none_is_refused_without_being_repeated(text: str) -> None:
    """Too short, not of the standard, or one too many."""
    with pytest.raises(ValueError, match="must be") as refused:
        read_secrets(text)
    assert "MfKQ" not in str(refused.value)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_2xx_is_taken(receiver: Receiver, status: int) -> None:
    """And nothing else."""
    receiver.answers = [status]
    assert await send(receiver.url) == Taken(status)


@pytest.mark.parametrize(
    ("status", "is_away"),
    [(400, False), (401, False), (404, False), (410, False), (413, False), (429, True), (503, True)],
)
async def test_anything_else_is_not_and_it_is_told_whose_problem_it_is(
    receiver: Receiver, status: int, is_away: bool
) -> None:
    """The event's, as far as the receiver says, or that of the receiver as a whole."""
    receiver.answers = [status]
    assert await send(receiver.url) == NotTaken(f"it answered {status}", status, is_away=is_away)


@pytest.mark.parametrize(
    ("header", "told_s"), [("120", 120.0), ("0", 0.0), ("soon", 0.0), ("9" * 30, 0.0), ("-5", 0.0), ("²", 0.0)]
)
async def test_a_receiver_says_when_it_wants_to_be_asked_again(receiver: Receiver, header: str, told_s: float) -> None:
    """In seconds; what is none is passed over."""
    receiver.answers = [web.Response(status=503, headers={"Retry-After": header})]
    answer = await send(receiver.url)
    assert isinstance(answer, NotTaken)
    assert answer.told_s == told_s


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(receiver: Receiver, status: int) -> None:
    """It could lead anywhere, and takes a signed body with it."""
    receiver.answers = [web.Response(status=status, headers={"Location": f"{receiver.url}/elsewhere"})]
    answer = await send(receiver.url)
    assert isinstance(answer, NotTaken)
    assert answer.status == status
    assert [request.path for request in receiver.got] == ["/secret-path"]


async def test_a_cookie_is_not_sent_back(receiver: Receiver) -> None:
    """Each event stands for itself."""
    receiver.answers = [web.Response(status=200, headers={"Set-Cookie": "session=1; Path=/"})]
    client = HookClient(receiver.url, read_secrets(SECRET), SystemClock(), allow_private=True)
    await client.post(EVENT, BODY)
    await client.post(EVENT, BODY)
    await client.close()
    assert [request.headers.get("cookie") for request in receiver.got] == [None, None]


async def test_a_proxy_of_the_environment_is_not_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would connect to addresses that we would not."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert await send(receiver.url) == Taken(204)


async def test_nobody_there_is_told_without_the_address() -> None:
    """Its path may be a secret."""
    with socket.socket() as free:
        free.bind((LOCALHOST, 0))
        port = free.getsockname()[1]
    answer = await send(f"http://{LOCALHOST}:{port}/secret-path")
    assert isinstance(answer, NotTaken)
    assert answer.reason.startswith("no connection: ")
    assert (answer.status, answer.is_away, "secret-path" in answer.reason) == (None, True, False)


async def _silent(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def _closes(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    return


async def _babbles(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mail.example.jp ESMTP\r\n\r\n")
    await writer.drain()


async def _has_endless_headers(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-More: " + b"a" * 4000 + b"\r\n")
        await writer.drain()


async def _drips_headers(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for letter in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 10_000:
        writer.write(bytes([letter]))
        await writer.drain()
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("says", [_silent, _closes, _babbles, _has_endless_headers, _drips_headers])
async def test_a_receiver_that_does_not_answer_holds_nobody_up(says: object) -> None:
    """Silent, gone, no HTTP, without end, a letter at a time: it has so long, and the event is sent again."""
    async with WireServer(says).listening() as server:  # type: ignore[arg-type]  # one of those above
        answer = await send(server.url, timeout_s=SHORT_S)
    assert isinstance(answer, NotTaken)
    assert (answer.status, answer.is_away) == (None, True)
    assert "secret-path" not in answer.reason
    assert server.connections == 1


async def test_of_a_huge_answer_no_more_is_read_than_anybody_needs() -> None:
    """The status counts; the connection is closed on the rest, whatever it promised."""

    async def says(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await endless(server, writer, b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", b"a" * 65_536)

    server = WireServer(says)
    async with server.listening():
        assert await send(server.url) == Taken(200)
        await server.over.wait()
    # What is in the buffers of both ends comes on top of what is read.
    assert server.sent_bytes < LONGEST_ANSWER + 16 * 2**20


async def test_an_answer_that_breaks_off_or_drips_after_its_status_was_taken() -> None:
    """It said 200: to send the same again would be to doubt its word."""

    async def breaks_off(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        await writer.drain()

    async def drips(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 1000\r\n\r\na")
        await asyncio.Event().wait()

    async with WireServer(breaks_off).listening() as server:
        assert await send(server.url) == Taken(200)
    async with WireServer(drips).listening() as server:
        assert await send(server.url, timeout_s=SHORT_S) == Taken(202)
