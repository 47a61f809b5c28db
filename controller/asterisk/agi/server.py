"""The door for FastAGI: who may come in, how many at once, and for how long somebody may stand there silently."""

from __future__ import annotations

import asyncio
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

import structlog

from controller.asterisk.agi.commands import AgiCommands
from controller.asterisk.agi.conversation import AgiConversation
from controller.asterisk.agi.wire import LONGEST_LINE_BYTES, NotAgiError, arrival, read_environment, read_request

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter, Task
    from collections.abc import Awaitable, Callable, Iterable
    from datetime import datetime

    from controller.ports.clock import Clock

log = structlog.get_logger(__name__)

DEFAULT_PORT = 4573
"""Asterisk's own default for `agi://`."""
LOOPBACK = ("127.0.0.0/8", "::1/128")
MOST_CALLS = 100
MOST_STRANGERS = 64
"""Connections that have not yet said who calls. Asterisk says it within milliseconds."""
STRANGER_TIMEOUT_S = 5.0
CALL_TIMEOUT_S = 1800.0
"""Leaving a number takes a few minutes at most: what lasts longer is no caller."""
LOG_PAUSE_S = 1.0
"""Refusals are logged no more often, with their count: a port scan must not fill the disc."""
BACKLOG = 512


class AgiServer:
    """Listens for FastAGI, and hands each call on.

    AGI knows no password. So only addresses in `allowed` (networks, as `192.0.2.0/24`) are let in; and whoever has
    been silent the longest makes room for the next: an Asterisk that speaks at once is served however many do not.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        clock: Clock,
        on_call: Callable[[AgiConversation], Awaitable[None]],
        allowed: Iterable[str] = LOOPBACK,
        most_calls: int = MOST_CALLS,
        most_strangers: int = MOST_STRANGERS,
        stranger_timeout_s: float = STRANGER_TIMEOUT_S,
    ) -> None:
        self._host, self._port = host, port
        self._clock = clock
        self._on_call = on_call
        self._allowed = [ip_network(network) for network in allowed]
        self._most_calls, self._most_strangers = most_calls, most_strangers
        self._stranger_timeout_s = stranger_timeout_s
        self._strangers: dict[Task[None], StreamWriter] = {}
        self._calls: set[Task[None]] = set()
        self._refused = 0
        self._refusal_logged_at = float("-inf")
        self.listening = asyncio.Event()
        self.bound_port = port
        """The port that is listened on; of meaning once `listening` is set. Differs for port 0."""

    async def run(self) -> None:
        """Serve until cancelled; calls then go back to their dialplan. Raises OSError when the port cannot be had."""
        server = await asyncio.start_server(
            self._arrived, self._host, self._port, limit=LONGEST_LINE_BYTES, backlog=BACKLOG
        )
        try:
            self.bound_port = server.sockets[0].getsockname()[1]
            self.listening.set()
            log.info("listening for FastAGI", host=self._host, port=self.bound_port)
            await server.serve_forever()
        finally:
            server.close()
            self.listening.clear()
            tasks = [*self._strangers, *self._calls]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _arrived(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Let a new connection in as a stranger, at the cost of the oldest one when there are too many."""
        if not self._may_come_in(writer):
            self._refuse(writer, "its address is not on the list of those that may ask")
            return
        if len(self._strangers) >= self._most_strangers:
            oldest, silent = next(iter(self._strangers.items()))
            self._forget(oldest)
            oldest.cancel()
            self._refuse(silent, "it was silent for longest, and room was needed")
        task = asyncio.get_running_loop().create_task(self._receive(reader, writer), name="FastAGI")
        self._strangers[task] = writer
        task.add_done_callback(self._forget)

    async def _receive(self, reader: StreamReader, writer: StreamWriter) -> None:
        """See one connection through, whatever comes of it, and close it."""
        try:
            async with asyncio.timeout(self._stranger_timeout_s):
                request = read_request(await read_environment(reader))
            self._take_for_call()
            commands = AgiCommands(reader, writer, request.call_id)
            async with asyncio.timeout(CALL_TIMEOUT_S):
                await self._on_call(AgiConversation(commands, request, self._since(request.parameters.get("since"))))
        except TimeoutError:
            self._refuse(writer, "it did not say in time who calls, or the call never came to an end")
        except (NotAgiError, ConnectionError) as reason:
            self._refuse(writer, str(reason))
        except Exception:
            log.exception("a FastAGI call failed; other calls go on")
        finally:
            # Nothing is left to be sent: each command was answered before the next.
            writer.transport.abort()

    def _take_for_call(self) -> None:
        """Count the current task among the calls. Raises NotAgiError when there are as many as may be."""
        if len(self._calls) >= self._most_calls:
            raise NotAgiError(f"{self._most_calls} calls are being served: no more at once")
        task = asyncio.current_task()
        if task is not None and self._strangers.pop(task, None) is not None:
            self._calls.add(task)

    def _since(self, text: str | None) -> datetime:
        now = self._clock.now()
        try:
            return arrival(text, now)
        except ValueError as error:
            log.warning("the caller stands in line from now on", reason=str(error))
            return now

    def _may_come_in(self, writer: StreamWriter) -> bool:
        peer = writer.get_extra_info("peername")
        if not peer:
            return False  # Gone again already.
        address = ip_address(peer[0].partition("%")[0])
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._allowed if network.version == address.version)

    def _refuse(self, writer: StreamWriter, reason: str) -> None:
        writer.transport.abort()
        self._refused += 1
        now_s = asyncio.get_running_loop().time()
        if now_s - self._refusal_logged_at >= LOG_PAUSE_S:
            peer = writer.get_extra_info("peername")
            log.warning(
                "a FastAGI connection is closed", peer=peer[0] if peer else "", reason=reason, count=self._refused
            )
            self._refused, self._refusal_logged_at = 0, now_s

    def _forget(self, task: Task[None]) -> None:
        self._strangers.pop(task, None)
        self._calls.discard(task)
