"""`python -m lab.sms_providers twilio`: a provider as a process of its own; its first line on stdout names its port.

Its secrets are the controller's, in ORIKAESHI_SMS_SECRET and ORIKAESHI_SMS_WEBHOOK_SECRET.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import os
import random
import signal
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

from lab.sms_providers.provider import Fault
from lab.sms_providers.server import Faults, Manners, ProviderServer

if TYPE_CHECKING:
    from lab.sms_providers.provider import Provider

CLASSES = {"twilio": "TwilioProvider", "vonage": "VonageProvider", "json_http": "BearerJsonProvider"}
"""By module beside this one: the class, which has `from_environment`."""


def main(argv: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT."""
    asyncio.run(_serve(_parser().parse_args(argv)))
    return 0


async def _serve(arguments: argparse.Namespace) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    server = ProviderServer(
        _provider(arguments),
        faults=Faults(
            deque(arguments.faults),
            rate=arguments.fault_rate,
            dice=random.Random(arguments.seed),  # noqa: S311 - it has to be repeatable
            retry_after_s=arguments.retry_after_s,
        ),
        manners=Manners(
            delivered=not arguments.undelivered,
            copies=arguments.copies,
            backwards=arguments.backwards,
            early=arguments.early,
            forged=arguments.forged,
        ),
        reached_at=arguments.reached_at,
        out=arguments.out,
    )
    async with server.serving(arguments.port):
        print(json.dumps({"port": server.port}), flush=True)
        await stopped.wait()


def _provider(arguments: argparse.Namespace) -> Provider:
    module = importlib.import_module(f"lab.sms_providers.{arguments.provider}")
    made: Provider = getattr(module, CLASSES[arguments.provider]).from_environment(
        os.environ, account=arguments.account, public_url=arguments.public_url
    )
    return made


def _faults(names: str) -> list[Fault]:
    return [Fault(name) for name in names.split(",") if name]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab.sms_providers", description="An SMS provider that misbehaves.")
    parser.add_argument("provider", choices=sorted(CLASSES))
    parser.add_argument("--port", type=int, default=0, help="0 is any that is free")
    parser.add_argument("--account", required=True, help="the account SID, or the API key")
    parser.add_argument("--public-url", required=True, help="where webhooks go: the controller's public address")
    parser.add_argument("--reached-at", help="where the controller is really reached, if not there")
    parser.add_argument("--out", type=Path, help="what happens is written there, one JSON line each")
    parser.add_argument("--faults", type=_faults, default=[], help=f"one a request, of: {', '.join(Fault)}")
    parser.add_argument("--fault-rate", type=float, default=0.0, help="after those: the part of all requests")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--retry-after-s", type=int, default=1)
    parser.add_argument("--copies", type=int, default=1, help="how often each webhook is brought")
    parser.add_argument("--backwards", action="store_true", help="receipts come in the wrong order")
    parser.add_argument("--early", action="store_true", help="receipts come before the answer")
    parser.add_argument("--forged", action="store_true", help="a forged webhook before each genuine one")
    parser.add_argument("--undelivered", action="store_true", help="no phone gets anything")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
