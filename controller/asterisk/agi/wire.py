"""What Asterisk says at the beginning of a FastAGI connection, read with limits and taken for a hint, not the truth.

Whoever connects may be a port scanner, and a caller may have written into the text of a real Asterisk: a SIP address
can hold `%0a`, which would begin a line of its own here. So a name that comes twice is refused.

The wire: https://docs.asterisk.org/Configuration/Interfaces/Asterisk-Gateway-Interface-AGI/
"""

from __future__ import annotations

import re
from asyncio import IncompleteReadError, LimitOverrunError
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from controller.asterisk import names

if TYPE_CHECKING:
    from asyncio import StreamReader
    from collections.abc import Mapping

LONGEST_LINE_BYTES = 1024
"""Asterisk's longest are far below, and so is every answer to a command."""
MOST_LINES = 64
"""Asterisk 22 sends 22, and one for each argument."""
REQUIRED = ("agi_request", "agi_uniqueid", "agi_channel", "agi_callerid")
MOST_PARAMETERS = 16
LONGEST_WAIT = timedelta(hours=12)
"""Nobody has waited longer: an older arrival is a mistake in the dialplan, and would stand before everybody."""

_LINE = re.compile(r"(agi_[a-z0-9_]{1,40}):(?: (.*))?", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_CALL_ID = re.compile(r"[A-Za-z0-9._-]{1,150}", re.ASCII)
_ENDPOINT = re.compile(r"PJSIP/(.+)-[0-9a-f]{8}", re.ASCII)
_LANGUAGE = re.compile(r"[A-Za-z0-9_-]{1,20}", re.ASCII)
_EPOCH = re.compile(r"[0-9]{1,11}", re.ASCII)
_PRESENTATION, _RESTRICTED = 0x60, 0x20
"""Bits of `agi_callingpres` (Q.931, octet 3a): the caller withholds the number."""


class NotAgiError(Exception):
    """The other side is no Asterisk that asks for a FastAGI service, or is not to be trusted; says why."""


@dataclass(frozen=True, slots=True)
class DialplanRequest:
    """What a dialplan asks for, and for whom; cut down to safe characters."""

    call_id: str
    """Asterisk's unique id of the channel."""
    script: str
    """The path of the address: `promise` in `agi://HOST/promise?queue=support`."""
    parameters: Mapping[str, str]
    """What follows the question mark. Unchecked."""
    number: str | None
    """As shown by the network, digits and `+`; None when it was withheld."""
    dialled: str
    endpoint: str | None
    """The PBX's name of the phone or trunk; None for another kind of channel than PJSIP."""
    language: str | None
    """The channel's language before we came."""


async def read_environment(reader: StreamReader) -> dict[str, str]:
    """Return what Asterisk says of the call, up to the empty line. The reader's limit is the longest line's.

    Raises NotAgiError. Waits for as long as it takes: the caller has the clock.
    """
    environment: dict[str, str] = {}
    for _ in range(MOST_LINES + 1):
        line = await _read_line(reader)
        if not line:
            missing = [name for name in REQUIRED if name not in environment]
            if missing:
                raise NotAgiError(f"it does not say {', '.join(missing)}")
            return environment
        found = _LINE.fullmatch(line)
        if found is None:
            raise NotAgiError("what it says is not AGI")
        if found[1] in environment:
            raise NotAgiError(f"it says {found[1]} twice: somebody writes lines of their own into a caller's text")
        environment[found[1]] = found[2] or ""
    raise NotAgiError(f"it says more than {MOST_LINES} lines of a call")


async def _read_line(reader: StreamReader) -> str:
    try:
        raw = await reader.readuntil(b"\n")
    except LimitOverrunError:
        raise NotAgiError(f"it sent a line of more than {LONGEST_LINE_BYTES} bytes") from None
    except IncompleteReadError as end:
        raise NotAgiError(f"it closed the connection after {len(end.partial)} bytes of a line") from None
    # A caller's name may be in any encoding, and is not used: that alone is no reason to turn somebody away.
    line = raw[:-1].decode("utf-8", "replace")
    if _CONTROL.search(line):
        raise NotAgiError("it sent a control character")
    return line


def read_request(environment: Mapping[str, str]) -> DialplanRequest:
    """Return what is asked for, from an environment with all of `REQUIRED`. Raises NotAgiError."""
    call_id = environment["agi_uniqueid"]
    if not _CALL_ID.fullmatch(call_id):
        raise NotAgiError("agi_uniqueid is no channel's id")
    try:
        address = urlsplit(environment["agi_request"])
        fields = parse_qsl(address.query, keep_blank_values=True, max_num_fields=MOST_PARAMETERS)
    except ValueError as error:
        raise NotAgiError(f"agi_request is no address: {error}") from None
    parameters = dict(fields)
    if len(parameters) < len(fields):
        raise NotAgiError("agi_request names a parameter twice")
    endpoint = _ENDPOINT.fullmatch(environment["agi_channel"])
    language = environment.get("agi_language", "")
    return DialplanRequest(
        call_id=call_id,
        script=address.path.strip("/"),
        parameters=parameters,
        number=_shown_number(environment),
        dialled=names.digits_only(environment.get("agi_dnid")),
        endpoint=endpoint[1] if endpoint else None,
        language=language if _LANGUAGE.fullmatch(language) else None,
    )


def arrival(since: str | None, now: datetime) -> datetime:
    """Return when a caller came, from the epoch seconds in `since`, at most 12 hours before `now`; `now` without them.

    Raises ValueError when `since` is neither empty nor whole seconds.
    """
    if not since:
        return now
    if not _EPOCH.fullmatch(since):
        raise ValueError("since has to be whole seconds since 1970, as ${EPOCH} gives them")
    seconds = min(max(int(since), (now - LONGEST_WAIT).timestamp()), now.timestamp())
    return datetime.fromtimestamp(seconds, UTC)


def _shown_number(environment: Mapping[str, str]) -> str | None:
    """Return the caller's number. Asterisk says `unknown` where there is none."""
    presentation = environment.get("agi_callingpres", "")
    if presentation.isdecimal() and len(presentation) <= 3 and int(presentation) & _PRESENTATION == _RESTRICTED:  # noqa: PLR2004 - an octet
        return None
    text = environment["agi_callerid"]
    digits = names.digits_only(text).replace("+", "")[:20]
    return (f"+{digits}" if text.strip().startswith("+") else digits) if digits else None
