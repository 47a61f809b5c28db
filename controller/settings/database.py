"""Which database `store.url` may name: a SQLite file, or a PostgreSQL server whose password stands elsewhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from controller.settings.values import is_loopback

if TYPE_CHECKING:
    from pathlib import Path
    from urllib.parse import SplitResult

SQLITE: Final = "sqlite+aiosqlite:///"
POSTGRESQL: Final = "postgresql+asyncpg://"
DB_PASSWORD: Final = "ORIKAESHI_DB_PASSWORD"  # noqa: S105 - where it comes from

_OPTIONS: Final = frozenset({"host", "port", "sslmode", "sslrootcert", "sslcert", "sslkey"})
_SSL_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_NAME: Final = re.compile(r"[^\x00-\x1f\x7f]{1,63}")


def database_address(text: str, folder: Path) -> str:
    """Return an address as the database is opened by; a file's counts from `folder`. Raises ValueError, for a person.

    Text that may hold a password is not repeated.
    """
    if text.startswith(POSTGRESQL):
        return _server(text)
    if not text.startswith(SQLITE) or "?" in text:
        raise ValueError(
            f'must be a SQLite file, as "{SQLITE}orikaeshi.db", or a PostgreSQL database, as '
            f'"{POSTGRESQL}user@host:5432/name", not "{text.partition(":")[0][:40]}:..."'
        )
    file_name = text.removeprefix(SQLITE)
    if not file_name or ":memory:" in file_name:
        raise ValueError("must name a file: a promise in memory is lost at the first restart")
    return f"{SQLITE}{folder / file_name}"


def is_server(url: str) -> bool:
    """Tell whether an address is a server's, and not a file's."""
    return url.startswith(POSTGRESQL)


def needs_password(url: object) -> bool:
    """Tell whether an address is of a server that is reached by TCP; by a Unix socket it knows its users (`peer`)."""
    if not isinstance(url, str) or not is_server(url):
        return False
    try:
        return not _host(url).startswith("/")
    except ValueError:
        return False


def is_local_server(url: str) -> bool:
    """Tell whether a server's address that is in order is on this machine, where nobody listens in."""
    host = _host(url)
    return host.startswith("/") or is_loopback(host)


def _host(url: str) -> str:
    parts = urlsplit(url)
    return dict(parse_qsl(parts.query)).get("host", parts.hostname or "")


def with_password(url: str, password: str) -> str:
    """Return a server's address with a password in it: to be opened, never to be shown. A file's as it is."""
    if not is_server(url) or not password:
        return url
    user, at, rest = url.removeprefix(POSTGRESQL).partition("@")
    return f"{POSTGRESQL}{user}:{quote(password, safe='')}{at}{rest}"


def _server(text: str) -> str:
    shape = f'must be as "{POSTGRESQL}user@host:5432/name", or by a Unix socket "{POSTGRESQL}user@/name?host=/folder"'
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(shape) from None
    if parts.password is not None:
        raise ValueError(f"must not hold a password: it belongs in the environment, {DB_PASSWORD}")
    options = parse_qsl(parts.query, keep_blank_values=True)
    for name, _ in options:
        if name not in _OPTIONS:
            raise ValueError(f"may have the options {', '.join(sorted(_OPTIONS))} after its '?', not \"{name[:40]}\"")
    given = dict(options)
    if len(given) != len(options):
        raise ValueError("has an option twice")
    if given.get("sslmode", "disable") not in _SSL_MODES:
        raise ValueError(f"has an sslmode that is none of {', '.join(_SSL_MODES)}")
    if not _names_a_database(parts) or port == 0 or not (parts.hostname or given.get("host")):
        raise ValueError(shape)
    return text


def _names_a_database(parts: SplitResult) -> bool:
    name = unquote(parts.path.removeprefix("/"))
    return bool(parts.username and not parts.fragment and "/" not in name and _NAME.fullmatch(name))
