"""Which addresses may be connected to: whoever may write a hook's address is not to reach all that we reach.

It is asked of the very address that a socket is opened to, not of a name that may lead elsewhere a moment later.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

_METADATA = frozenset(
    map(
        ip_address,
        (
            "169.254.169.254",  # AWS, Azure, Google, OpenStack and most others
            "169.254.170.2",  # AWS ECS: credentials of a task
            "169.254.170.23",  # AWS EKS: credentials of a pod
            "168.63.129.16",  # Azure's wire server
            "100.100.100.200",  # Alibaba
            "192.0.0.192",  # Oracle
            "fd00:ec2::254",  # AWS
            "fd00:ec2::23",
            "fd20:ce::254",  # Google
        ),
    )
)
"""Where clouds hand out credentials to whoever asks."""
_NAT64 = IPv6Network("64:ff9b::/96")
"""RFC 6052: the last four bytes are an IPv4 address."""
_LOW = (IPv6Network("::/96"), _NAT64)
"""The parts of the reserved ::/8 that lead somewhere."""
_SITE_LOCAL = IPv6Network("fec0::/10")


class ForbiddenAddressError(OSError):
    """An address that is not connected to. `strerror` says why."""

    def __init__(self, why: str) -> None:
        super().__init__(1, why)


def objection(host: str, *, allow_private: bool) -> str | None:
    """Return why an address (as a socket takes it, not a name) may not be connected to; None: it may be."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return "this is no address"
    for one in _meant_by(address):
        if one in _METADATA:
            return "this is where a cloud keeps its credentials"
        if one.is_unspecified or one.is_multicast or (one.is_reserved and not any(one in low for low in _LOW)):
            return "nobody is reached at this address"
        if not allow_private and (not one.is_global or one in _SITE_LOCAL):
            return "the address is private; write allow_private = true if the receiver is in the house"
    return None


def _meant_by(address: IPv4Address | IPv6Address) -> tuple[IPv4Address | IPv6Address, ...]:
    """Return an address, and the IPv4 address that is reached by it, if there is one in it."""
    if isinstance(address, IPv4Address):
        return (address,)
    inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
    if inner is None and address in _NAT64:
        inner = IPv4Address(address.packed[-4:])
    if address.ipv4_mapped is not None:  # The socket connects by IPv4: nothing else is meant.
        return (address.ipv4_mapped,)
    return (address,) if inner is None else (address, inner)
