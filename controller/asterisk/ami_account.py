"""An account on Asterisk's manager interface, and a session on it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from controller.asterisk.ami_errors import AmiLoginRefusedError
from controller.asterisk.ami_wire import checked_text, header, open_ami

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from controller.asterisk.ami_wire import AmiConnection, Headers


@dataclass(frozen=True, slots=True)
class AmiAccount:
    """Where AMI is and who logs in. Raises ValueError for a name or a secret that cannot stand in a header."""

    host: str
    port: int
    username: str
    secret: str = field(repr=False)
    action_timeout_s: float = 3

    def __post_init__(self) -> None:
        """Check what will stand in headers, before anything is sent."""
        checked_text("the AMI username", self.username)
        checked_text("the AMI secret", self.secret)

    @asynccontextmanager
    async def session(
        self, *, on_event: Callable[[Headers], None] = lambda _event: None, events: Literal["on", "off"] = "off"
    ) -> AsyncIterator[AmiConnection]:
        """Connect and log in; the connection is cut when the context is left.

        Raises AmiUnreachableError, AmiConnectionLostError, AmiLoginRefusedError.
        """
        async with open_ami(
            self.host, self.port, on_event=on_event, action_timeout_s=self.action_timeout_s
        ) as connection:
            answer, *_ = await connection.act("Login", Username=self.username, Secret=self.secret, Events=events)
            if header(answer, "Response") != "Success":
                raise AmiLoginRefusedError(
                    f"AMI at {connection.where}: login of user {self.username!r} refused "
                    f"({header(answer, 'Message')}): compare username, secret and permit with manager.conf"
                )
            yield connection
