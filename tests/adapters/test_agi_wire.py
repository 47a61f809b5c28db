"""Reading what a FastAGI client says of a call: what Asterisk says is understood, and nothing else gets through."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.asterisk.agi.wire import (
    LONGEST_LINE_BYTES,
    LONGEST_WAIT,
    MOST_LINES,
    REQUIRED,
    NotAgiError,
    arrival,
    read_environment,
    read_request,
)
from tests.adapters.agi_client import environment

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)


def read(said: bytes) -> dict[str, str]:
    """Read an environment from a connection that then closes. On a loop of its own: Hypothesis calls it often."""

    async def from_stream() -> dict[str, str]:
        reader = asyncio.StreamReader(limit=LONGEST_LINE_BYTES)
        reader.feed_data(said)
        reader.feed_eof()
        return await read_environment(reader)

    with asyncio.Runner() as runner:
        return runner.run(from_stream())


def test_what_asterisk_says_of_a_call_is_understood() -> None:
    """Each line by its name, and what the request asks for."""
    request = read_request(read(environment()))
    assert (request.call_id, request.script, request.parameters) == (
        "1763790000.12",
        "promise",
        {"queue": "support", "lang": "en"},
    )
    assert (request.number, request.dialled, request.endpoint, request.language) == (
        "09012340001",
        "0312345678",
        "carrier",
        "ja",
    )


@pytest.mark.parametrize(
    ("callerid", "presentation", "number"),
    [
        ("09012340001", "0", "09012340001"),
        ("+819012340001", "3", "+819012340001"),
        ("unknown", "67", None),
        ("anonymous", "0", None),
        ("09012340001", "32", None),  # prohibited, not screened
        ("09012340001", "35", None),  # prohibited, from the network
        ("09012340001", "not a number", "09012340001"),
        ("", "0", None),
        ("090;${SHELL(id)}+1,2", "0", "09012"),
        ("1" * 90, "0", "1" * 20),
        ("０９０", "0", None),
    ],
)
def test_a_callers_number_is_digits_or_nothing(callerid: str, presentation: str, number: str | None) -> None:
    """A number that its owner withholds is not ours to use, also where the network sends it all the same."""
    said = environment(agi_callerid=callerid, agi_callingpres=presentation)
    assert read_request(read(said)).number == number


@pytest.mark.parametrize("name", REQUIRED)
def test_a_connection_that_leaves_out_what_is_needed_is_refused(name: str) -> None:
    """Whatever it is, it is not the AGI() of an Asterisk."""
    with pytest.raises(NotAgiError, match=name):
        read(environment(**{name: None}))


@pytest.mark.parametrize("name", [*REQUIRED, "agi_network", "agi_threadid"])
def test_a_line_that_comes_twice_is_refused(name: str) -> None:
    """As it would where a caller writes a line break into a name: the second could speak for Asterisk."""
    with pytest.raises(NotAgiError, match="twice"):
        read(environment(agi_calleridname=f"Bob\n{name}: 0312345678"))


@pytest.mark.parametrize(
    "said",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n\n",
        b"agi_request\n\n",
        b"AGI_REQUEST: x\n\n",
        b"\n",
        b"",
        b"agi_request: x",
        environment(agi_calleridname="a\rb"),
        environment(agi_calleridname="a\0b"),
        environment(agi_calleridname="a\x1b[2Jb"),
        environment(agi_calleridname="x" * 2 * LONGEST_LINE_BYTES),
        b"x" * 1_000_000,
        b"".join(b"agi_arg_%d: x\n" % number for number in range(MOST_LINES + 1)) + environment(),
    ],
)
def test_what_is_not_the_beginning_of_a_call_is_refused(said: bytes) -> None:
    """Another protocol, control characters, a line or a list without end, silence, and half a line."""
    with pytest.raises(NotAgiError):
        read(said)


@given(
    said=st.one_of(
        st.binary(max_size=400), st.builds(lambda a, b: a + environment() + b, st.binary(max_size=20), st.binary())
    )
)
def test_whatever_comes_is_understood_or_refused(said: bytes) -> None:
    """There is no third way: no other exception, and no waiting once the other side has closed."""
    try:
        request = read_request(read(said))
    except NotAgiError:
        return
    assert request.call_id.isprintable()


NAMES = st.sampled_from(["agi_callerid", "agi_calleridname", "agi_channel", "agi_uniqueid", "agi_dnid", "agi_language"])


@given(name=NAMES, value=st.text(max_size=60))
def test_whatever_a_stranger_writes_comes_out_harmless_or_not_at_all(name: str, value: str) -> None:
    """Letters that mean something to a dialplan, a log or a terminal do not survive."""
    try:
        request = read_request(read(environment(**{name: value})))
    except NotAgiError:
        return
    assert set(request.number or "") <= set("+0123456789")
    assert (request.number or "").rfind("+") <= 0
    assert set(request.dialled) <= set("+0123456789")
    assert all(letter.isascii() and (letter.isalnum() or letter in "._-") for letter in request.call_id)
    assert all(letter.isascii() and (letter.isalnum() or letter in "_-") for letter in request.language or "")
    assert request.parameters == {"queue": "support", "lang": "en"}


@pytest.mark.parametrize(
    "address",
    [
        "agi://127.0.0.1/promise?queue=support&queue=other",
        "agi://[::1/promise?queue=support",
        "agi://127.0.0.1/promise?" + "&".join(f"p{number}=1" for number in range(40)),
    ],
)
def test_an_address_that_can_be_read_in_two_ways_is_refused(address: str) -> None:
    """A parameter that comes twice, half a host, and more parameters than anybody needs."""
    with pytest.raises(NotAgiError):
        read_request(read(environment(agi_request=address)))


def test_a_caller_who_waited_elsewhere_keeps_the_time_of_arrival() -> None:
    """To the second."""
    came = NOW - timedelta(minutes=7)
    assert arrival(str(int(came.timestamp())), NOW) == came
    assert arrival(None, NOW) == arrival("", NOW) == NOW


@given(seconds=st.integers(min_value=0, max_value=99_999_999_999))
def test_nobody_came_in_the_future_nor_longer_ago_than_half_a_day(seconds: int) -> None:
    """Whatever stands in the address: a mistake there must put nobody before everybody else."""
    assert NOW - LONGEST_WAIT <= arrival(str(seconds), NOW) <= NOW


@pytest.mark.parametrize("since", ["soon", "-5", "1e9", "17637900001234", "1763790000.5", "１７６３７９００００"])
def test_a_time_of_arrival_that_is_none_is_named_as_such(since: str) -> None:
    """The log says what to write instead."""
    with pytest.raises(ValueError, match="EPOCH"):
        arrival(since, NOW)
