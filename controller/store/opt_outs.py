"""How the do-not-call list is kept: as keyed hashes where there is a key, in clear where there is none.

The key goes with the engine, so that whoever asks inside a transaction has it. What stands there in clear is believed
too: an entry that was made without the key protects its number until it is converted.

One row of the list is no number: it says that the list is hashed, and by which key. Whoever has none, or another one,
finds it in the same look and refuses, whenever they were started: nobody is ever just not found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select

from controller.domain.opt_out import NumberKey, is_hashed
from controller.domain.phone_number import mask
from controller.ports.promises import StoreUnavailableError
from controller.store.dialect import NUMBER_KEY, insert_if_new, wait_for_other_bookings
from controller.store.tables import do_not_call

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Select
    from sqlalchemy.ext.asyncio import AsyncConnection

    from controller.store.engine import Database

CLAIMS = "claims"
"""What claims, the list and SMS wait for each other by, on a database with several writers. Taken before any row is
locked, everywhere, so that no two wait in a circle."""
_BATCH = 500
_SEAL = "h1"
"""The row that says that the list is hashed; its `shown` is the key's mark."""
_SEALED = "what follows are keyed hashes"
_OTHER_KEY = (
    "The do-not-call list is hashed with a key that is not the one in ORIKAESHI_NUMBER_KEY{where}: nobody could tell "
    "who asked never to be called. Set the key with which the list was made (secrets.env)."
)


def key_of(connection: AsyncConnection) -> NumberKey | None:
    """Return the key that the database was opened with; None: there is none."""
    found = connection.engine.get_execution_options().get(NUMBER_KEY)
    return found if isinstance(found, NumberKey) else None


def entries_for(connection: AsyncConnection, number: str) -> list[str]:
    """Return under what a number (E.164) may stand on the list: first, how it is written today."""
    key = key_of(connection)
    return [number] if key is None else [key.entry(number), number]


async def is_listed(connection: AsyncConnection, number: str) -> bool:
    """Tell whether a number is on the do-not-call list: one look by the primary key, hashed or not.

    Raises StoreUnavailableError where the list is hashed and there is no key: then nobody may be called.
    """
    entries = entries_for(connection, number)
    if key_of(connection) is None:
        entries.append(_SEAL)
    found = set(await connection.scalars(select(do_not_call.c.number).where(do_not_call.c.number.in_(entries))))
    if _SEAL in found:
        raise _refusal(None)
    return bool(found)


async def put(connection: AsyncConnection, number: str, reason: str, at: datetime) -> None:
    """Write an entry, in a transaction that has waited by `CLAIMS`; the first one of a number stays.

    Hashed where the list is: beside a controller without the key, a command that has it would hide the entry from it.
    """
    key = key_of(connection)
    entries = entries_for(connection, number)
    query = select(do_not_call.c.number).where(do_not_call.c.number.in_([*entries, _SEAL]))
    found = set(await connection.scalars(query))
    if found <= {_SEAL}:
        row = _row(key if found else None, number, reason, at)
        await connection.execute(insert(do_not_call).values(row))


async def take_off(connection: AsyncConnection, number: str) -> bool:
    """Delete the entry of a number, and tell whether there was one. Raises StoreUnavailableError for a wrong key."""
    await require_key(connection)
    entries = entries_for(connection, number)
    return (await connection.execute(delete(do_not_call).where(do_not_call.c.number.in_(entries)))).rowcount > 0


async def require_key(connection: AsyncConnection) -> None:
    """Raise StoreUnavailableError where the list is hashed with another key than ours, or we have none."""
    key = key_of(connection)
    mark = await connection.scalar(select(do_not_call.c.shown).where(do_not_call.c.number == _SEAL))
    if mark is not None and (key is None or mark != key.mark):
        raise _refusal(key)


async def take_up(database: Database, now: datetime) -> int:
    """See to it that the key is the right one, and hash what still stands in clear; return how many numbers that was.

    Sealed first: from then on whoever has no key refuses. Then in small transactions: whoever claims meanwhile finds a
    number under one of its two entries. Raises StoreUnavailableError.
    """

    async def seal(connection: AsyncConnection) -> bool:
        await require_key(connection)
        key = key_of(connection)
        if key is not None:
            row = {"number": _SEAL, "shown": key.mark, "reason": _SEALED, "blocked_at": now}
            await wait_for_other_bookings(connection, CLAIMS)
            await connection.execute(insert_if_new(connection, do_not_call).values(row))
        return key is not None

    if not await database.write(seal):
        return 0
    await database.read(require_key)  # Of two who seal at once, with two keys, one is second.
    done = 0
    while (converted := await database.write(_convert_some)) > 0:
        done += converted
    return done


async def _convert_some(connection: AsyncConnection) -> int:
    key = key_of(connection)
    if key is None:
        return 0
    await wait_for_other_bookings(connection, CLAIMS)
    in_clear = do_not_call.c.number.startswith("+", autoescape=True)
    found = (await connection.execute(select(do_not_call).where(in_clear).limit(_BATCH))).all()
    for row in found:
        hashed = _row(key, row.number, row.reason, row.blocked_at)
        await connection.execute(insert_if_new(connection, do_not_call).values(hashed))
        await connection.execute(delete(do_not_call).where(do_not_call.c.number == row.number))
    return len(found)


def _refusal(key: NumberKey | None) -> StoreUnavailableError:
    return StoreUnavailableError(_OTHER_KEY.format(where="" if key else ", which is not set"))


def _row(key: NumberKey | None, number: str, reason: str, at: datetime) -> dict[str, object]:
    """Return an entry. `shown` is what logs show of a number too: more, beside those, would make the number whole."""
    entry, shown = (number, "") if key is None else (key.entry(number), mask(number))
    return {"number": entry, "shown": shown, "reason": reason, "blocked_at": at}


def entries() -> Select[Any]:
    """Return the query for all that stands on the list."""
    return select(do_not_call).where(do_not_call.c.number != _SEAL)


def shown_of(entry: str, shown: str) -> str:
    """Return what people see of an entry: the number, or what is left of it."""
    return shown if is_hashed(entry) else entry
