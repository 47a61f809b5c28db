"""Which promise somebody means: by the first characters of its id, or by a phone number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.phone_number import as_e164

if TYPE_CHECKING:
    from controller.domain.promise import Promise
    from controller.ports.history import Found, HistoryBook

_MOST = 10
"""So many are named when there are several."""


class NoSuchPromiseError(Exception):
    """No promise is meant, or several are; the text says which there are."""


async def search(book: HistoryBook, wanted: str, *, home: str) -> tuple[Promise, tuple[Promise, ...]]:
    """Return the promise that is meant (of a number the newest), and others of the same number, newest first.

    `wanted` is a phone number, E.164 or as written in the country `home`, or the first characters of an id. Raises
    NoSuchPromiseError, whose text does not repeat a phone number; StoreUnavailableError.
    """
    number = as_e164(wanted, home)
    if number is not None:
        found = await book.of_number(number, _MOST)
        if found.promises:
            return found.promises[0], found.promises[1:]
    # An id may be all digits, too; nobody looks for "".
    beginning = wanted.strip().lower()
    by_id = await book.with_id(beginning, _MOST) if beginning else None
    if by_id is None or not by_id.promises:
        what = "of that number" if number is not None else "whose id begins so"
        raise NoSuchPromiseError(f"there is no promise {what}; `controller promises` lists them")
    first = by_id.promises[0]
    if len(by_id.promises) > 1 and first.id != beginning:
        raise NoSuchPromiseError(f"several promises begin so, newest first: {_ids(by_id)}; write more of the id")
    return first, ()


def _ids(found: Found) -> str:
    return ", ".join(one.id for one in found.promises) + ("" if found.is_all else ", and more")
