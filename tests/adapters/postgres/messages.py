"""What a message has to be, for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.postgres import PASSWORD
from tests.contract.store_under_test import NUMBER, HandClock, store_at

if TYPE_CHECKING:
    import pytest

    from controller.ports.promises import StoreUnavailableError
    from controller.store import Store


async def open_and_close(url: str) -> None:
    """Start on a database, as the controller does."""
    async with store_at(url, HandClock(), busy_timeout_s=0.2):
        pass


def assert_one_line_for_a_person(raised: pytest.ExceptionInfo[StoreUnavailableError], *said: str) -> None:
    """Check that a message has what it should, in one line, with no number and no password."""
    message = str(raised.value)
    for words in ("\n", NUMBER, "sqlalche", PASSWORD, PASSWORD.replace(" ", "%20")):
        assert words not in message
    for words in said:
        assert words in message


def str_url(store: Store) -> str:
    """Return where a store is."""
    return store.database.engine.url.render_as_string(hide_password=False)
