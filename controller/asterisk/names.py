"""The names that the controller and asterisk-conf/extensions.conf share. Changing one here means changing it there."""

from __future__ import annotations

import re

AGENT_CONTEXT = "orikaeshi-agent"
CUSTOMER_CONTEXT = "orikaeshi-customer"
EXTERNAL_CONTEXT = "orikaeshi-external"
MUSIC_CONTEXT = "orikaeshi-music"
"""Its extensions are classes of hold music, and play them."""
EXTENSION = "s"
SOUND_FOLDER = "orikaeshi"

INBOUND = "inbound"
"""First argument of Stasis() for a caller; the second is the dialled number."""
AGENT_MENU = "agent-menu"
"""First argument of Stasis() for an agent who dialled one of the codes for agents; the second is the code."""

ROLE = "ORI_ROLE"
ARRIVED_MS = "ORI_ARRIVED_MS"
DIALLED = "ORI_DIALLED"
QUEUE = "ORI_QUEUE"
CALL = "ORI_CALL"
PROMISE = "ORI_PROMISE"
ATTEMPT = "ORI_ATTEMPT"
AGENT = "ORI_AGENT"
SINCE_MS = "ORI_SINCE_MS"
STAGE = "ORI_STAGE"
LANGUAGE = "ORI_LANGUAGE"
URGENT = "ORI_URGENT"
DETECT_MACHINE = "ORI_DETECT_MACHINE"
"""`SWITCHED_ON`: the dialplan listens for an answering machine before the call comes to us."""
MACHINE_MESSAGE = "ORI_MACHINE_MESSAGE"
"""`SWITCHED_ON`: a machine is to be spoken to."""
ANSWERED_BY = "ORI_ANSWERED_BY"
"""Set by the dialplan to a word of `controller.domain.evidence.AnsweredBy`."""
SWITCHED_ON = "1"
CONSENT = "ORI_CONSENT"
"""What the party said to being recorded: a word of `controller.domain.recording.Consent`."""

LISTENING = "listen"
"""First argument of Stasis() for the two channels of somebody who hears a talk: their phone, and the ear in it."""
_HOLD = "hold-"
_PLAYBACKS = 4
"""More than one, so that the late end of a playback that was stopped is not taken for the end of the next."""
_UNSAFE = re.compile(r"[^0-9+]", re.ASCII)


def hold_bridge(queue: str) -> str:
    """Return the name of the bridges in which a queue's callers hear music."""
    return f"{_HOLD}{queue}"


def queue_of_hold_bridge(name: str) -> str | None:
    """Return the queue whose callers hold in a bridge of this name; None for another bridge."""
    return name.removeprefix(_HOLD) if name.startswith(_HOLD) else None


def talk_bridge(call_id: str) -> str:
    """Return the id of the bridge in which the call with this id talks with an agent."""
    return f"talk-{call_id}"


def playback(call_id: str, count: int) -> str:
    """Return the id of a call's next playback. One of a few, so that a later process knows what to stop."""
    return playbacks(call_id)[count % _PLAYBACKS]


def playbacks(call_id: str) -> list[str]:
    """Return the ids of all playbacks that a call can have."""
    return [f"play-{call_id}-{number}" for number in range(_PLAYBACKS)]


def ear_of(listening_id: str) -> str:
    """Return the id of the channel that hears a talk for somebody."""
    return f"{LISTENING}-{listening_id}-ear"


def phone_of(listening_id: str) -> str:
    """Return the id of the call to the phone of who listens."""
    return f"{LISTENING}-{listening_id}-phone"


def is_listening(channel_id: str) -> bool:
    """Tell whether a channel is one of somebody who hears a talk."""
    return channel_id.startswith(f"{LISTENING}-")


def call_of_talk(bridge_id: str) -> str:
    """Return the id of the call whose talk is in the bridge with this id."""
    return bridge_id.removeprefix("talk-")


def is_talk(bridge_id: str) -> bool:
    """Tell whether a bridge is one in which people talk."""
    return bridge_id.startswith("talk-")


def endpoint_of(channel_name: str) -> str | None:
    """Return the endpoint in a channel's name: `agent-1` for `PJSIP/agent-1-00000012`; None when there is none."""
    endpoint = channel_name.partition("/")[2].rpartition("-")[0]
    return endpoint or None


def digits_only(number: str | None) -> str:
    """Return a number with everything but digits and `+` taken out, fit for a dial string or a caller id."""
    return _UNSAFE.sub("", number or "")
