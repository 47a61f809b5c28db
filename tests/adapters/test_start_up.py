"""Callers wait for `controller run`: a start imports nothing that its site does not use."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest

from controller.settings.first_file import DEFAULT_TEMPLATE, with_value
from tests.adapters.command_line import ENV

if TYPE_CHECKING:
    from pathlib import Path

NOT_NEEDED = {"alembic", "mako", "jwt", "cryptography", "jinja2", "aiosmpplib", "holidays", "controller.doctor"}
PROGRAM = """
import atexit, gc, json, runpy, sys

def tell():
    print(json.dumps({"modules": list(sys.modules), "collects": gc.isenabled(), "frozen": gc.get_freeze_count()}))

atexit.register(tell)
runpy.run_module("controller", run_name="__main__", alter_sys=True)
"""


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """Write the default settings, for a PBX that is not there."""
    text = with_value(DEFAULT_TEMPLATE.read_text("utf-8"), "asterisk", "url", '"http://127.0.0.1:1"')
    path = tmp_path / "controller.toml"
    path.write_text(with_value(text, "asterisk", "ami_port", "1"), encoding="utf-8")
    return path


async def ran(settings: Path) -> dict[str, Any]:
    """Run the controller until it waits for the PBX; return what was imported, and how it collects garbage."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM, "run", "--settings", str(settings)),
        env={**os.environ, **ENV},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    while b'"mail"' not in (line := await process.stderr.readline()):  # its lease is taken last
        assert line, "it ended before it worked"
    process.send_signal(signal.SIGTERM)
    out, _ = await process.communicate()
    assert process.returncode == 0
    found: dict[str, Any] = json.loads(out)
    return found


async def test_the_second_start_imports_nothing_that_the_site_does_not_use(settings: Path) -> None:
    """The first makes the tables; from then on nobody migrates. There are no pages, providers, or public holidays."""
    assert NOT_NEEDED & set((await ran(settings))["modules"]) == {"alembic", "mako"}
    assert NOT_NEEDED & set((await ran(settings))["modules"]) == set()


async def test_garbage_is_collected_once_everything_is_imported(settings: Path) -> None:
    """And what was imported is looked through no more."""
    found = await ran(settings)
    assert found["collects"] is True
    assert found["frozen"] > 0
