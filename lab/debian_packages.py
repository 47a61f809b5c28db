"""Debian's packages that a test or the demo cannot do without, installed when they are missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys


class PackageError(Exception):
    """The packages cannot be had here; the message says what to install by hand."""


def install(*packages: str) -> None:
    """Install packages with apt-get, saying so on stderr. Raises PackageError."""
    names = " ".join(packages)
    by_hand = f"do it by hand: apt-get install {names}"
    if not shutil.which("apt-get") or os.geteuid() != 0:
        raise PackageError(f"{names} missing, and only root on Debian or Ubuntu can install them here; {by_hand}")
    sys.stderr.write(f"installing {names}\n")
    sys.stderr.flush()
    command = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *packages]
    if _run(command).returncode == 0:
        return
    _run(["apt-get", "update", "--quiet"])
    done = _run(command)
    if done.returncode:
        last = "\n".join(done.stdout.strip().splitlines()[-8:])
        raise PackageError(f"{names} could not be installed; {by_hand}. apt-get said:\n{last}")


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(  # noqa: S603  fixed commands, no shell
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=environment,
        check=False,
    )
