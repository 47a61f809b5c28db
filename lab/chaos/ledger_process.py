"""The ledger as the process of its own that it is, and its facts as they come."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from lab.ledger.facts import Fact, from_line

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from controller.provision import Site

LOOK_S = 0.05


class LedgerDiedError(Exception):
    """The ledger ended: what it has seen cannot be judged."""


class LedgerProcess:
    """`python -m lab.ledger`, followed by the file that it writes."""

    def __init__(self, out: Path, process: asyncio.subprocess.Process) -> None:
        self._out = out
        self._process = process
        self._read = 0
        self._facts: list[Fact] = []

    def facts(self) -> list[Fact]:
        """Return everything that was written down so far. Raises LedgerDiedError."""
        if self._process.returncode is not None:
            raise LedgerDiedError(f"the ledger ended with {self._process.returncode}")
        if self._out.exists():
            with self._out.open("rb") as file:
                file.seek(self._read)
                text = file.read()
            whole = text[: text.rfind(b"\n") + 1]
            self._read += len(whole)
            self._facts += [from_line(line) for line in whole.decode().splitlines()]
        return self._facts


@asynccontextmanager
async def running_ledger(
    site: Site, post: Sequence[Path], out: Path, *, among: Sequence[Site] = ()
) -> AsyncIterator[LedgerProcess]:
    """Run it for the length of the block. `post` are the records of what was written.

    `among`: all Asterisks on the telephone network of `site`, with itself, where there are several.
    """
    pbxs = {f"{one.name}={one.ari_url}": one for one in among} or {site.ari_url: site}
    ends = {f"_{one.name.upper().replace('-', '_')}" if among else "": one for one in pbxs.values()}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "lab.ledger", "--carrier-site", str(site.carrier_site), "--ari-user", site.ari_user),
        *(word for pbx in pbxs for word in ("--pbx-ari", pbx)),
        *("--out", str(out), *(word for path in post for word in ("--post", str(path)))),
        env={**os.environ, **{f"ORIKAESHI_ARI_PASSWORD{end}": one.ari_password for end, one in ends.items()}},
        stdin=asyncio.subprocess.DEVNULL,
    )
    try:
        yield LedgerProcess(out, process)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
