"""Each fault is made for real: a wrong password, a lock, a right that is missing; and what sessions are like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from controller.domain.lifecycle import DeadlinePassed
from controller.ports.promises import StoreUnavailableError
from lab.postgres import USER, Postgres
from tests.adapters.postgres.messages import assert_one_line_for_a_person, open_and_close
from tests.contract.store_under_test import NOON, NUMBER, HandClock, make, rows, store_at, wanted

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from controller.store import Store


async def test_a_wrong_password_says_where_the_right_one_belongs(server: Postgres, name: str) -> None:
    """And does not repeat either."""
    url = server.url(name, by_tcp=True)
    await open_and_close(url)
    with pytest.raises(StoreUnavailableError) as raised:
        await open_and_close(url.replace("only", "wrong"))
    assert_one_line_for_a_person(raised, "refuses the password", "ORIKAESHI_DB_PASSWORD")
    assert "wrong" not in str(raised.value)


async def test_a_role_that_is_not_there_says_so(server: Postgres, name: str) -> None:
    """As before the first line of the set-up was run."""
    with pytest.raises(StoreUnavailableError) as raised:
        await open_and_close(server.url(name).replace(USER, "nobody", 1))
    assert_one_line_for_a_person(raised, "refuses this user", "CREATE ROLE", "pg_hba.conf")


async def test_a_database_that_is_not_there_says_how_to_make_it(server: Postgres) -> None:
    """As before the second line was run."""
    with pytest.raises(StoreUnavailableError) as raised:
        await open_and_close(server.url("missing"))
    assert_one_line_for_a_person(raised, "/missing?", "does not exist", "CREATE DATABASE")


@pytest.mark.parametrize(
    ("host", "said"), [("127.0.0.1:1", "cannot be reached"), ("nobody.invalid:5432", "nobody knows its name")]
)
async def test_a_server_that_is_not_there_says_so(host: str, said: str) -> None:
    """Not running, and misspelt."""
    with pytest.raises(StoreUnavailableError) as raised:
        await open_and_close(f"postgresql+asyncpg://user:secret@{host}/name")
    assert_one_line_for_a_person(raised, said)
    assert "secret" not in str(raised.value)


async def test_too_many_connections_say_so(server: Postgres, name: str) -> None:
    """The role may have none more."""
    server.sql(f"ALTER ROLE {USER} CONNECTION LIMIT 0")
    try:
        with pytest.raises(StoreUnavailableError) as raised:
            await open_and_close(server.url(name))
    finally:
        server.sql(f"ALTER ROLE {USER} CONNECTION LIMIT -1")
    assert_one_line_for_a_person(raised, "has no connection left", "max_connections")


async def test_a_database_that_can_only_be_read_is_found_out_at_the_start(server: Postgres, name: str) -> None:
    """As a standby, or after a failover."""
    await open_and_close(server.url(name))
    server.sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with pytest.raises(StoreUnavailableError) as raised:
        await open_and_close(server.url(name))
    assert_one_line_for_a_person(raised, "can be read but not written", "standby")


async def test_a_role_without_rights_says_so(server: Postgres, name: str) -> None:
    """The database is somebody else's."""
    server.sql(f"ALTER DATABASE {name} OWNER TO postgres; REVOKE ALL ON DATABASE {name} FROM PUBLIC")
    server.sql(f"GRANT CONNECT ON DATABASE {name} TO {USER}")
    server.sql("REVOKE ALL ON SCHEMA public FROM PUBLIC", database=name)
    with pytest.raises(StoreUnavailableError) as raised:
        await open_and_close(server.url(name))
    assert_one_line_for_a_person(raised, "Make our role its owner")


async def test_a_locked_table_says_so_and_works_again_once_it_is_free(store: Store) -> None:
    """The lock is another program's; what can be read is read meanwhile."""
    async with store.database.engine.connect() as other:
        await other.execute(text("LOCK TABLE promises IN EXCLUSIVE MODE"))
        with pytest.raises(StoreUnavailableError) as raised:
            await make(store, wanted())
        assert await store.promises.waiting() == []
    assert_one_line_for_a_person(raised, "is locked by another program", "pg_stat_activity")
    assert (await make(store, wanted())).is_new


FAULTS = {
    "53100": "the disk is full",
    "58030": "disk reports an error",
    "XX001": "is damaged",
    "53200": "short of memory",
    "57014": "took too long",
}


@pytest.mark.parametrize("code", FAULTS)
async def test_what_the_server_says_of_its_disk_and_memory_is_told(server: Postgres, name: str, code: str) -> None:
    """A trigger makes the server say it; what else it says is not repeated, since it may hold a number."""
    async with store_at(server.url(name), HandClock()) as store:
        server.sql(
            f"CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION "
            f"'because of %', NEW.number USING ERRCODE = '{code}'; END $$; "
            "CREATE TRIGGER fails BEFORE INSERT ON promises FOR EACH ROW EXECUTE FUNCTION fail()",
            database=name,
        )
        with pytest.raises(StoreUnavailableError) as raised:
            await make(store, wanted())
        assert_one_line_for_a_person(raised, FAULTS[code], code)
        assert await rows(store, "SELECT * FROM promise_requests") == []


async def test_every_session_is_set_up_alike(store: Store) -> None:
    """UTC whatever the server thinks; locks and transactions that end."""
    wanted_values = {
        "timezone": "UTC",
        "lock_timeout": "200ms",
        "statement_timeout": "5200ms",
        "idle_in_transaction_session_timeout": "4s",
        "application_name": "orikaeshi",
    }
    for setting, value in wanted_values.items():
        assert await rows(store, f"SHOW {setting}") == [{setting if setting != "timezone" else "TimeZone": value}]


async def test_a_read_writes_nothing_and_sees_one_state(store: Store) -> None:
    """Whatever is committed between two of its statements."""
    seen: list[int] = []

    async def work(connection: AsyncConnection) -> None:
        for n in range(2):
            seen.append((await connection.execute(text("SELECT count(*) FROM promises"))).scalar_one())
            await make(store, wanted(f"call-{n}", number=f"+8190000000{n:02}"))
        await connection.execute(text("DELETE FROM callers"))

    with pytest.raises(StoreUnavailableError, match="can be read but not written"):
        await store.database.read(work)
    assert seen == [0, 0]
    assert len(await store.promises.waiting()) == 2


async def test_a_number_stays_out_of_the_text_of_a_database_error(store: Store) -> None:
    """Such a text ends up in a log."""
    promise = (await make(store, wanted())).promise
    async with store.database.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE sms_outbox RENAME TO gone"))
    with pytest.raises(DBAPIError, match="sms_outbox") as raised:
        await store.promises.advance(promise.id, DeadlinePassed())
    assert NUMBER not in str(raised.value)


async def test_what_a_caller_shows_as_their_number_is_written_whatever_it_is(store: Store) -> None:
    """Too long for its column, with a zero byte, with half a character: a server refuses what a file takes."""
    await store.calls.arrived("one", dialled="1" * 200, number="\0\ud800" + "9" * 200, arrived_at=NOON)
    assert await rows(store, "SELECT dialled, number FROM calls") == [{"dialled": "1" * 64, "number": "?" + "9" * 63}]
