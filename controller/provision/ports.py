"""Ports that are free, for UDP and TCP both; the usual ones first."""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING, Final

from controller.provision.site import PortPlan, ProvisionError

if TYPE_CHECKING:
    from collections.abc import Iterable

RTP_SPAN: Final = 400  # 200 even ports for sound, the odd ones for RTCP (RFC 3550, section 11)
# Ports above this are handed out by Linux to outgoing connections, and would be gone at some later start.
LAST_PORT: Final = 32_767


class FreePorts:
    """Gives out ports that are free on `bind`, none of them twice.

    `offset` is added to the usual ports, so that many sites on one machine seldom meet.
    """

    def __init__(self, bind: str, offset: int = 0) -> None:
        self._bind = bind
        self._offset = offset
        self._taken: set[int] = set()

    def keep(self, ports: Iterable[int]) -> None:
        """Never give these out: they are somebody's already, whether they are in use just now or not."""
        self._taken.update(ports)

    def take(self, usual: int, *, span: int = 1) -> int:
        """Return the first of `span` ports in a row, from the usual one on.

        Raises ProvisionError: the address is not this machine's, or there is no free port left.
        """
        step = max(span, 20)
        start = usual + (self._offset * step) % 8000
        candidates: list[int] = [*range(start, LAST_PORT - span, step), *range(usual, start, step)]
        for first in candidates:
            wanted = range(first, first + span)
            if self._taken.isdisjoint(wanted) and all(_is_free(self._bind, port) for port in wanted):
                self._taken.update(wanted)
                return first
        raise ProvisionError(
            f"no free port on {self._bind} from {usual} up to {LAST_PORT}. "
            "Stop what holds them (see: ss -lntup), or bind another address."
        )


def choose_ports(bind: str, offset: int = 0) -> PortPlan:
    """Find the ports of a site with one Asterisk. Raises ProvisionError, as `FreePorts`."""
    free = FreePorts(bind, offset)
    return PortPlan(
        sip=free.take(5060),
        ari=free.take(8088),
        ami=free.take(5038),
        carrier_sip=free.take(5070),
        pbx_rtp_first=(pbx_rtp := free.take(18_000, span=RTP_SPAN)),
        pbx_rtp_last=pbx_rtp + RTP_SPAN - 1,
        carrier_rtp_first=(carrier_rtp := free.take(18_000, span=RTP_SPAN)),
        carrier_rtp_last=carrier_rtp + RTP_SPAN - 1,
    )


def _is_free(bind: str, port: int) -> bool:
    """Whether nothing is bound to the port, for UDP and for TCP. Raises ProvisionError for a foreign address."""
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind((bind, port))
            except PermissionError:
                return False
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    return False
                raise ProvisionError(
                    f"cannot bind {bind}: {error.strerror or error}. "
                    "Give an IPv4 address that this machine has (see: ip -4 address), or 0.0.0.0 for all."
                ) from error
    return True
