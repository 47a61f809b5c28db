"""The command line, run in this process."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from controller.cli import main

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

ENV = {"ORIKAESHI_ARI_PASSWORD": "k3T-lq0_Wz7pXv2m", "ORIKAESHI_AMI_PASSWORD": "p9S_vb4-Jr1nYc8d"}


@dataclass(frozen=True)
class Said:
    """What one run of the command line printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """The JSON on stdout."""
        return json.loads(self.out)


class CommandLine:
    """Runs commands in this process; each has an event loop of its own, hence a thread."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *argv: str | Path, env: dict[str, str] | None = None) -> Said:
        """Run one command to its end."""
        self._capsys.readouterr()
        with ThreadPoolExecutor(1) as thread:
            try:
                code = thread.submit(main, [str(word) for word in argv], ENV if env is None else env).result()
            except SystemExit as leaving:  # argparse's way out
                code = int(leaving.code or 0)
        said = self._capsys.readouterr()
        return Said(code, said.out, said.err)
