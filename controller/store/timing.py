"""How long transactions take, for whoever measures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import event

from controller.store.sqlite import WRITES

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from controller.store.engine import Database

_BEGAN_S = "orikaeshi_began_s"


def time_transactions(database: Database, tell: Callable[[str, float], None], monotonic_s: Callable[[], float]) -> None:
    """Have `tell` called with `read` or `write` and the seconds from begin to end of each transaction.

    In whichever thread it runs: it has to be quick, and safe there.
    """

    def begin(connection: Connection) -> None:
        connection.info[_BEGAN_S] = monotonic_s()

    def end(connection: Connection) -> None:
        began_s: Any = connection.info.pop(_BEGAN_S, None)
        if began_s is not None:
            tell("write" if connection.get_execution_options().get(WRITES) else "read", monotonic_s() - began_s)

    event.listen(database.sync_engine, "begin", begin)
    event.listen(database.sync_engine, "commit", end)
    event.listen(database.sync_engine, "rollback", end)
