"""The console: the API and the pages for those who work here. Who they are is in the database: `controller person`."""

from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from controller.settings.values import Host, Network, Port, PublicUrl, Section, is_loopback
from controller.settings.web import Rate

_USUAL_PORTS = {"https": 443, "http": 80}


class Console(Section):
    """Where it is served, as who, and how long somebody stays signed in."""

    enabled: bool = False
    host: Host = "127.0.0.1"
    port: Port = 8083
    public_url: PublicUrl | None = None
    """The address that browsers ask for, without a path; None: that of host and port, on this machine alone."""
    trusted_proxies: tuple[Network, ...] = ()
    """Whose word is taken for the address of the one who asks (X-Forwarded-For)."""
    idle_min: Annotated[float, Field(ge=1, le=24 * 60, allow_inf_nan=False)] = 30
    """Minutes without a request after which somebody has to sign in again."""
    longest_session_h: Annotated[float, Field(gt=0, le=7 * 24, allow_inf_nan=False)] = 12
    """Hours after which they have to in any case."""
    per_address_per_minute: Rate = 30
    """Sign-ins, and requests with a key that is none; five times as many from a subnet."""

    @model_validator(mode="after")
    def _has_an_address(self) -> Self:
        if self.enabled and self.public_url is None and not is_loopback(self.host):
            raise ValueError('needs public_url, the address that browsers ask for, as "https://orikaeshi.example.jp"')
        return self

    @property
    def address(self) -> str:
        """The address that browsers ask for, as they write it: without the port that is usual."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        url = urlsplit(self.public_url or f"http://{name}:{self.port}")
        if url.port == _USUAL_PORTS.get(url.scheme):
            return f"{url.scheme}://{url.netloc.rpartition(':')[0]}"
        return f"{url.scheme}://{url.netloc}"
