"""What is known of the agents' phones and of the PBX's start and stop. A hint: it alone changes no promise."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class DeviceState(StrEnum):
    """Asterisk's device states, by the names that its DEVICE_STATE function and events use."""

    UNKNOWN = "UNKNOWN"
    """Nothing heard yet, or a state that this version does not know."""
    NOT_INUSE = "NOT_INUSE"
    INUSE = "INUSE"
    BUSY = "BUSY"
    INVALID = "INVALID"
    """The PBX has no such endpoint."""
    UNAVAILABLE = "UNAVAILABLE"
    RINGING = "RINGING"
    RINGINUSE = "RINGINUSE"
    """In use, with a second call ringing."""
    ONHOLD = "ONHOLD"


class PbxNews(StrEnum):
    """What the PBX says of itself."""

    UP = "up"
    """Fully booted. Told after every (re)connect, also when it had been up all along."""
    DOWN = "down"
    """Announced that it is going down. One that dies announces nothing: see `PhoneWatcher.stale`."""


@dataclass(frozen=True, slots=True)
class PhoneStatus:
    """One endpoint: an agent's phone, or a trunk."""

    endpoint: str
    """The PJSIP endpoint's name, such as `agent-1`."""
    registered: bool
    """It has a contact that answers, or one that is not qualified and so cannot be known not to."""
    device: DeviceState

    @property
    def can_ring(self) -> bool:
        """Whether a call sent to it now would ring on an idle phone, as far as is known."""
        return self.registered and self.device is DeviceState.NOT_INUSE


class PhoneWatcher(Protocol):
    """Follows a fixed set of endpoints. Callbacks are called in the order of events, must be quick and not raise."""

    @property
    def stale(self) -> bool:
        """Whether the link to the PBX is down: the statuses are then the last ones known."""
        ...

    def statuses(self) -> Mapping[str, PhoneStatus]:
        """Return the status of every watched endpoint, by its name."""
        ...

    def subscribe(self, callback: Callable[[PhoneStatus], None]) -> None:
        """Call back with each status that changes from now on."""
        ...

    def subscribe_pbx(self, callback: Callable[[PbxNews], None]) -> None:
        """Call back when the PBX has booted, and when it says that it stops."""
        ...
