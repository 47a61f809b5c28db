"""How often somebody may ask: by address, subnet, number and link. What is kept for it is bounded."""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from ipaddress import IPv4Network, IPv6Network

    from controller.ports.clock import Clock

MOST_KEYS = 20_000
"""So many askers are remembered; beyond, whoever was seen the longest ago is forgotten."""
MINUTE_S, HOUR_S = 60.0, 3600.0
_LONGEST_ADDRESS = 45
_SUBNET_BITS = {4: 24, 6: 64}
"""What one customer of a network is commonly given, or shares with neighbours."""


@dataclass(frozen=True, slots=True)
class RateLimits:
    """How much is allowed in any minute or hour, wherever it begins."""

    per_address_per_minute: int = 60
    per_subnet_per_minute: int = 300
    per_number_per_hour: int = 5
    """Codes that are asked for one number."""
    per_link_per_minute: int = 30
    forged_per_minute: int = 600
    """Requests from one address that claim to be a provider's and are not. Real ones are not counted."""


class Rates:
    """Counts who asks; each method returns None, or the whole seconds after which it may be asked again.

    A moving window: the instants of what was let through. One request costs the same however many askers there are.
    """

    def __init__(self, limits: RateLimits, clock: Clock, *, most_keys: int = MOST_KEYS) -> None:
        self._limits = limits
        self._clock = clock
        self._most_keys = most_keys
        self._let_through: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    @property
    def kept(self) -> int:
        """How many askers are remembered."""
        return len(self._let_through)

    def visit(self, address: str) -> int | None:
        """Count one request from an address: of its subnet first, so that one subnet cannot fill the memory."""
        limits = self._limits
        wait_s = self._hit(("subnet", subnet_of(address)), limits.per_subnet_per_minute, MINUTE_S)
        return wait_s or self._hit(("address", address), limits.per_address_per_minute, MINUTE_S)

    def code_for(self, number: str) -> int | None:
        """Count one code that is asked for a number, whether or not it is one that gets a code."""
        return self._hit(("number", number), self._limits.per_number_per_hour, HOUR_S)

    def link(self, an_id: str) -> int | None:
        """Count one request for a link, by its id."""
        return self._hit(("link", an_id), self._limits.per_link_per_minute, MINUTE_S)

    def forger(self, address: str) -> int | None:
        """Tell whether an address has sent too much that was forged, without counting."""
        return self._wait_s(("forged", address), self._limits.forged_per_minute, MINUTE_S)

    def forged(self, address: str) -> None:
        """Count one forged request."""
        self._hit(("forged", address), self._limits.forged_per_minute, MINUTE_S)

    def _hit(self, key: tuple[str, str], limit: int, period_s: float) -> int | None:
        wait_s = self._wait_s(key, limit, period_s)
        if wait_s is None:
            self._let_through.setdefault(key, deque()).append(self._now_s())
            self._let_through.move_to_end(key)
            while len(self._let_through) > self._most_keys:
                self._let_through.popitem(last=False)
        return wait_s

    def _wait_s(self, key: tuple[str, str], limit: int, period_s: float) -> int | None:
        times, now_s = self._let_through.get(key, ()), self._now_s()
        while isinstance(times, deque) and times and times[0] <= now_s - period_s:
            times.popleft()
        if len(times) < limit:
            return None
        return min(max(1, math.ceil(times[0] + period_s - now_s)), math.ceil(period_s)) if times else int(period_s)

    def _now_s(self) -> float:
        return self._clock.now().timestamp()


def client_address(peer: str, forwarded: Iterable[str], trusted: Iterable[IPv4Network | IPv6Network]) -> str:
    """Return who asks: the peer, or, where that is a proxy of ours, the last address in X-Forwarded-For that is not.

    `forwarded` are the values of all headers of that name, in order. What stands left of a stranger is the stranger's
    own claim. An entry that is no address ends the search: the proxy that vouches for it is taken instead.
    """
    proxies = tuple(trusted)
    claimed = [part.strip() for value in forwarded for part in value.split(",")]
    at = _address(peer)
    while at is not None and claimed and any(at in proxy for proxy in proxies):
        before = _address(claimed.pop())
        if before is None:
            break
        at = before
    return str(at) if at is not None else "unknown"


def subnet_of(address: str) -> str:
    """Return the subnet of an address: /24, or /64 of IPv6; what is no address as it is."""
    at = _address(address)
    return address if at is None else str(ip_network(f"{at}/{_SUBNET_BITS[at.version]}", strict=False))


def _address(text: str) -> IPv4Address | IPv6Address | None:
    text = text.partition("%")[0].strip("[]")
    if len(text) > _LONGEST_ADDRESS:
        return None
    try:
        at = ip_address(text)
    except ValueError:
        return None
    return at.ipv4_mapped if isinstance(at, IPv6Address) and at.ipv4_mapped is not None else at
