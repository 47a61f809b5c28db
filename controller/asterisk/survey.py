"""Reading a channel that was found on the PBX: whether it is ours, whose it is, how far it had come."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from controller.asterisk import names
from controller.asterisk.ari.models import instant
from controller.ports.calls import CallFacts, Stage
from controller.ports.survey import FoundCall, Role

if TYPE_CHECKING:
    from collections.abc import Collection

    from controller.asterisk.ari.models import ChannelData
    from controller.asterisk.outbound_call import AriOutboundCall

_LONGEST_MS = 14
"""Digits of a time in milliseconds since 1970, up to the year 5138: a longer one is no time."""


def is_ours(data: ChannelData) -> bool:
    """Tell whether a channel is for us to follow: a leg of ours anywhere, a caller once in our application.

    An agent's phone that dialled a code is no leg of ours, and carries no agent's name: see `agent_menu_of`.
    """
    match data.channelvars.get(names.ROLE):
        case Role.CALLER:
            return data.dialplan.app_name == "Stasis"
        case Role.AGENT:
            return bool(data.channelvars.get(names.AGENT))
        case role:
            return role in {Role.CUSTOMER, Role.EXTERNAL}


def agent_menu_of(data: ChannelData) -> str | None:
    """Return the code that an agent dialled and waits for an answer to; None for every other channel."""
    if data.dialplan.app_name != "Stasis":
        return None
    match data.dialplan.app_data.split(","):
        case [_, names.AGENT_MENU, code, *_]:
            return code
        case _:
            return None


def in_talk(channels: Collection[ChannelData]) -> set[str]:
    """Return the ids of the channels whose marks say that two of them hear each other: nothing is played to these.

    The mark stands on the party for whom an agent or a number outside was rung, and is set once they are joined.
    """
    talking = [data for data in channels if data.channelvars.get(names.STAGE) == Stage.TALKING]
    parties = {data.id for data in talking}
    return parties | {data.id for data in channels if data.channelvars.get(names.CALL) in parties}


def described(call: AriOutboundCall, data: ChannelData, talks: list[set[str]]) -> FoundCall:
    """Return what the marks on a channel say of it; `talks` are the channels of each bridge in which people talk."""
    marks = data.channelvars
    stage = marks.get(names.STAGE)
    return FoundCall(
        call=call,
        role=Role(marks[names.ROLE]),
        stage=Stage(stage) if stage in set(Stage) else None,
        queue=marks.get(names.QUEUE) or None,
        urgent=bool(marks.get(names.URGENT)),
        agent=marks.get(names.AGENT) or None,
        for_call=marks.get(names.CALL) or None,
        attempt_id=marks.get(names.ATTEMPT) or None,
        joined_with=frozenset().union(*(talk - {call.id} for talk in talks if call.id in talk)),
    )


def facts_of(data: ChannelData, now: datetime, since_ms: str | None) -> CallFacts:
    """Return what a channel tells of its party. `since_ms`: when they came, as it says; never after `now`."""
    arrived_at = now
    if since_ms and since_ms.isdecimal() and len(since_ms) <= _LONGEST_MS:
        arrived_at = min(now, datetime.fromtimestamp(int(since_ms) / 1000, UTC))
    return CallFacts(
        number=names.digits_only(data.caller.number) or None,
        dialled=names.digits_only(data.channelvars.get(names.DIALLED) or data.dialplan.exten),
        arrived_at=arrived_at,
        endpoint=names.endpoint_of(data.name),
    )


def created_at(data: ChannelData) -> datetime | None:
    """Return when a channel was made, as far as the PBX tells."""
    with suppress(ValueError):
        return instant(data.creationtime)
    return None
