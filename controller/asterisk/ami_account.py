"""An account on Asterisk's manager interface, a session on it, and how one is tried again and again."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from controller.asterisk.ami_errors import AmiError, AmiLoginRefusedError, AmiRefusedError
from controller.asterisk.ami_wire import checked_text, header, open_ami

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from typing import NoReturn

    from controller.asterisk.ami_wire import AmiConnection, Headers
    from controller.ports.clock import Clock


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


@dataclass(frozen=True, slots=True)
class Retries:
    """How long to wait before the next connection: longer each time, from the beginning after one that worked."""

    first_s: float = 0.5
    longest_s: float = 30
    refused_s: float | None = None
    """After a refusal, which only a person can change; None: as after any failure."""


async def connect_for_ever(
    one_connection: Callable[[], Awaitable[NoReturn]],
    *,
    clock: Clock,
    retries: Retries,
    worked: Callable[[], bool],
    on_failure: Callable[[AmiError, float], None],
) -> NoReturn:
    """Run `one_connection`, which ends by raising AmiError, again and again.

    `worked` says whether it was of use since it was last asked; `on_failure` is told what ended it, and the wait (s)
    that follows.
    """
    retry_s = retries.first_s
    while True:
        try:
            await one_connection()
        except AmiError as failure:
            if worked():
                retry_s = retries.first_s
            is_refusal = isinstance(failure, AmiRefusedError)
            wait_s = retries.refused_s if is_refusal and retries.refused_s is not None else retry_s
            on_failure(failure, wait_s)
            await clock.sleep(wait_s)
            retry_s = min(retry_s * 2, retries.longest_s)
