"""An environment for each ARI client, alone with it: made once under build/, of the versions that stand here."""

from __future__ import annotations

import asyncio
import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

HERE: Final = Path(__file__).resolve().parent
BUILD: Final = HERE.parents[1] / "build" / "bench-rivals"


class NoEnvironmentError(Exception):
    """A client cannot be installed here; the message says what failed."""


@dataclass(frozen=True, slots=True)
class Client:
    """One ARI client: how its program is started."""

    name: str
    command: tuple[str, ...]
    environment: dict[str, str]
    events: int
    """How many it is given at a time: so many that it takes some seconds."""
    only_events: bool = False
    """Another way of a client whose requests are measured already."""


def ours() -> list[Client]:
    """Return our own, by both of its ways."""
    program = str(HERE / "run_ours.py")
    return [
        Client("WebSocket", (sys.executable, program), {}, events=60_000),
        Client("HTTP", (sys.executable, program, "http"), {}, events=0),
    ]


async def rivals(tell: Callable[[str], None]) -> list[Client]:
    """Return the others, installed. Without a Python 2.7 there is no `ari`, which is told.

    Raises NoEnvironmentError.
    """
    aioari = await _on_python_3("aioari", events=30_000)
    found = [
        aioari,
        replace(aioari, name="aioari, dicts", command=(*aioari.command, "dicts"), only_events=True),
        await _on_python_3("ari_client", events=10_000),
        await _on_python_3("asyncari", events=3_000),
    ]
    python = python_2()
    if python is None:
        tell("no Python 2.7 on this machine (python2.7, or one of pyenv's): ari is left out")
    else:
        found.append(await _on_python_2(python))
    return found


def python_2() -> str | None:
    """Return the path of a Python 2.7, None when there is none. Debian has had none since 2023."""
    of_pyenv = sorted(Path.home().glob(".pyenv/versions/2.7*/bin/python2.7"))
    return str(of_pyenv[-1]) if of_pyenv else shutil.which("python2.7")


async def _on_python_3(name: str, *, events: int) -> Client:
    folder = BUILD / name
    python = folder / "bin" / "python"
    done = folder / "versions.txt"
    wanted = (HERE / f"{name}.txt").read_text("utf-8")
    if not done.exists() or done.read_text("utf-8") != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        await _run(sys.executable, "-m", "venv", str(folder))
        await _install(str(python), name)
        done.write_text(wanted, "utf-8")
    return Client(name.replace("_", "-"), (str(python), str(HERE / f"run_{name}.py")), {}, events)


async def _on_python_2(python: str) -> Client:
    """Python 2.7's pip installs into a folder; it knows no virtual environments of its own."""
    folder = BUILD / "ari"
    done = folder / "versions.txt"
    wanted = (HERE / "ari.txt").read_text("utf-8")
    if not done.exists() or done.read_text("utf-8") != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        await _install(python, "ari", "--target", str(folder))
        done.write_text(wanted, "utf-8")
    return Client("ari", (python, str(HERE / "run_ari.py")), {"PYTHONPATH": str(folder)}, events=5_000)


async def _install(python: str, name: str, *more: str) -> None:
    quiet = ("--quiet", "--disable-pip-version-check")
    await _run(python, "-m", "pip", "install", *quiet, *more, "--requirement", str(HERE / f"{name}.txt"))


async def _run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    if process.returncode:
        raise NoEnvironmentError(f"{' '.join(command)} failed:\n{said.decode(errors='replace')[-2000:]}")
