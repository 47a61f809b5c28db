"""The web pages: the booking page, and the addresses at which SMS providers report."""

from typing import Annotated

from pydantic import Field

from controller.settings.values import Host, Network, Port, PublicUrl, Section

Rate = Annotated[int, Field(ge=1, le=100_000)]


class Web(Section):
    """Where the pages are served, as who, and how often one may ask."""

    enabled: bool = False
    host: Host = "127.0.0.1"
    port: Port = 8090
    public_url: PublicUrl | None = None
    """The address that links lead to and that providers sign, without a path; needed when enabled."""
    trusted_proxies: tuple[Network, ...] = ()
    """Whose word is taken for the address of the one who asks (X-Forwarded-For)."""
    link_lifetime_h: Annotated[float, Field(gt=0, le=30 * 24, allow_inf_nan=False)] = 48
    open_page: bool = False
    """A page without a link: a number, a code by SMS, a time."""
    per_address_per_minute: Rate = 60
    per_subnet_per_minute: Rate = 300
    per_number_per_hour: Rate = 5
    """Codes that are asked for on the page without a link."""
