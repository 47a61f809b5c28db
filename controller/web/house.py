"""What the web room is handed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from controller.journeys.prove_number import Prover

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from ipaddress import IPv4Network, IPv6Network

    from controller.domain.signed import Signer
    from controller.journeys.house import House, Queue
    from controller.ports.links import NumberProofs
    from controller.ports.sms import SmsInbox, Webhook
    from controller.web.rates import Rates

LANGUAGES = ("ja", "en")
FALLBACK = "en"
"""For whoever heard us in a language that the pages are not written in."""


@dataclass(frozen=True, slots=True)
class WebHouse:
    """The collaborators of the pages and of the webhooks."""

    house: House
    signer: Signer
    titles: Mapping[str, Mapping[str, str]]
    """The title of each queue, by language."""
    shown_number: str
    """Where customers can call us, as they write it: `03-1234-5678`."""
    public_url: str
    """The address that the world knows us by, `https://callback.example.jp`; without a path."""
    inbox: SmsInbox
    proofs: NumberProofs
    rates: Rates
    objection: Callable[[str], str | None]
    """Why the settings do not let a number (E.164) have an SMS; None: they do."""
    new_challenge_id: Callable[[], str]
    """Gives 18 hexadecimal digits that nobody can guess."""
    webhooks: Mapping[str, Webhook] = field(default_factory=dict)
    """By the name in their path."""
    open_page: bool = False
    """Whoever has no link can prove a number with a code, and book."""
    link_lifetime_s: float = 48 * 3600.0
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    body_timeout_s: float = 10.0
    """How long somebody may take to send a form or a provider's news."""

    @property
    def prover(self) -> Prover:
        """What it takes to have a number proved."""
        return Prover(self.proofs, self.signer, self.objection, self.new_challenge_id, self.link_lifetime_s)

    @property
    def now(self) -> datetime:
        """The time, aware UTC."""
        return self.house.clock.now()

    @property
    def origin(self) -> str:
        """The public address as a browser names where a form came from: `https://callback.example.jp`."""
        address = urlsplit(self.public_url)
        return f"{address.scheme}://{self.host}"

    @property
    def host(self) -> str:
        """The public address as a browser asks for it: the name, and the port where it is not the usual one."""
        address = urlsplit(self.public_url)
        usual = {"https": 443, "http": 80}.get(address.scheme)
        name = address.hostname or ""
        name = f"[{name}]" if ":" in name else name
        return name if address.port in {None, usual} else f"{name}:{address.port}"

    @property
    def is_encrypted(self) -> bool:
        """Browsers reach us by https."""
        return self.public_url.lower().startswith("https:")

    def title(self, queue: str, language: str) -> str:
        """Return what customers know a queue by."""
        titles = self.titles.get(queue, {})
        return titles.get(language) or titles.get(FALLBACK) or next(iter(titles.values()), queue)

    def queue(self, name: str) -> Queue | None:
        """Return a queue; None when it is not configured any more."""
        return self.house.queues.get(name)
