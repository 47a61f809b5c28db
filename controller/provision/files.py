"""Files that hold secrets: written whole or not at all, for their owner alone, and checked when read."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from controller.provision.site import ProvisionError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

_HEAD: Final = "# Drawn at the first start. Keep this file to yourself.\n"

# In Asterisk's files `;` begins a comment and `\` escapes, in .env files `#`, `$` and quotes mean something.
_SAFE_SECRET: Final = re.compile(r"[A-Za-z0-9_.~+-]+")
_SHORTEST_SECRET: Final = 16

# Drawn by a provider, not by us: as it comes. A shell that reads the file too needs quotes around the rest.
_GIVEN: Final = "ORIKAESHI_SMS_"
_GIVEN_SECRET: Final = re.compile(r"[A-Za-z0-9_.~+/=:@%,-]+|'[ -&(-~]+'")


def write_private(path: Path, text: str) -> None:
    """Write `text` with mode 0600; a reader sees the old file or the new one, never half of it.

    Raises:
        OSError: the disc is full, or the folder is not ours to write.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def read_secrets(path: Path) -> dict[str, str]:
    """Read lines of KEY=VALUE; empty lines and lines that begin with `#` are skipped. No file: no secrets.

    An SMS provider's secret (`ORIKAESHI_SMS_...`) is taken as the provider gave it, and may stand in single quotes.

    Raises:
        ProvisionError: a line is not KEY=VALUE, or a value is short or has a character that Asterisk's
            configuration files, or a shell, would read as something else. The message names the line, not the value.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError as error:
        raise ProvisionError(f"{path} is not text (UTF-8): {error}") from error
    found: dict[str, str] = {}
    faults: list[str] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        key, sign, value = line.strip().partition("=")
        fault = _fault(key, value) if sign and key else ": not KEY=VALUE"
        if fault:
            faults.append(f"line {number}{fault}")
        else:
            found[key] = value.strip("'")
    if faults:
        raise ProvisionError(
            f"{path}: " + "; ".join(faults) + ". Correct it, or delete the line: then a new password is drawn."
        )
    return found


def drawn_secrets(path: Path, keys: Collection[str], new_secret: Callable[[], str]) -> dict[str, str]:
    """Read the secrets that exist, draw the ones of `keys` that do not, and add these to `path` (mode 0600).

    What stands in the file stays as it is: comments, and what an admin has added. Returns all of them. Raises
    ProvisionError, OSError.
    """
    found = read_secrets(path)
    missing = sorted(set(keys) - found.keys())
    if missing:
        found |= {key: new_secret() for key in missing}
        before = path.read_text(encoding="utf-8") if path.exists() else _HEAD
        drawn = "".join(f"{key}={found[key]}\n" for key in missing)
        write_private(path, before + ("" if before.endswith("\n") or not before else "\n") + drawn)
    return found


def _fault(key: str, value: str) -> str | None:
    """Return what is wrong with a secret, without showing it; None: nothing."""
    if key.startswith(_GIVEN):
        fits = _GIVEN_SECRET.fullmatch(value)
        return None if fits else f", {key}: put it in single quotes; it can hold ASCII characters but '"
    if not _SAFE_SECRET.fullmatch(value):
        return f", {key}: only letters, digits and _ . ~ + - may stand in a password"
    return f", {key}: shorter than {_SHORTEST_SECRET} characters" if len(value) < _SHORTEST_SECRET else None
