"""Which databases the settings may name, and where the password of a server comes from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import make_url

from controller.settings import SettingsError, load_settings
from controller.settings.database import database_address, needs_password, with_password
from tests.adapters.test_settings import ENV, SMALL

if TYPE_CHECKING:
    from controller.settings import Settings

SERVER = "postgresql+asyncpg://orikaeshi@db.example:5432/orikaeshi"
SOCKET = "postgresql+asyncpg://orikaeshi@/orikaeshi?host=/var/run/postgresql"
PASSWORD = {"ORIKAESHI_DB_PASSWORD": "a b@c/d:e%"}


def of_file(folder: Path, url: str, env: dict[str, str], *, needs_secrets: bool = True) -> Settings:
    """Load a small file with this database."""
    path = folder / "controller.toml"
    path.write_text(f'[store]\nurl = "{url}"\n{SMALL}', encoding="utf-8")
    return load_settings(path, env, needs_secrets=needs_secrets)


@pytest.mark.parametrize("url", [SERVER, SOCKET, f"{SERVER}?sslmode=verify-full&sslrootcert=/etc/ssl/ca.pem"])
def test_a_server_is_opened_with_the_password_and_shown_without_it(tmp_path: Path, url: str) -> None:
    """Whatever characters it has."""
    settings = of_file(tmp_path, url, ENV | PASSWORD)
    opened = make_url(settings.database_url)
    assert (opened.password, opened.username, opened.database) == ("a b@c/d:e%", "orikaeshi", "orikaeshi")
    assert settings.store.url == url
    assert settings.store.path is None
    assert "a b@c" not in repr(settings)


def test_a_server_across_the_network_needs_a_password_and_one_beside_us_does_not(tmp_path: Path) -> None:
    """By a Unix socket it knows its users."""
    with pytest.raises(SettingsError, match=r"ORIKAESHI_DB_PASSWORD.* is not set \(it is the password"):
        of_file(tmp_path, SERVER, ENV)
    assert "ORIKAESHI_DB_PASSWORD" in of_file(tmp_path, SERVER, ENV | PASSWORD).needed_secrets
    beside_us = of_file(tmp_path, SOCKET, ENV)
    assert beside_us.database_url == SOCKET
    assert "ORIKAESHI_DB_PASSWORD" not in beside_us.needed_secrets


def test_whoever_only_looks_into_the_database_has_its_password_too(tmp_path: Path) -> None:
    """And needs no other; without it the file can still be checked."""
    looking = of_file(tmp_path, SERVER, PASSWORD, needs_secrets=False)
    assert make_url(looking.database_url).password == PASSWORD["ORIKAESHI_DB_PASSWORD"]
    assert of_file(tmp_path, SERVER, {}, needs_secrets=False).database_url == SERVER


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (SERVER.replace("orikaeshi@", "orikaeshi:hunter2@"), "must not hold a password.*ORIKAESHI_DB_PASSWORD"),
        (SERVER.replace("orikaeshi@", ""), "must be as"),
        (SERVER.removesuffix("/orikaeshi"), "must be as"),
        (SERVER.replace("5432", "99999"), "must be as"),
        (SERVER + "/more", "must be as"),
        ("postgresql+asyncpg://orikaeshi@/orikaeshi", "must be as"),
        (SERVER + "?password=hunter2", 'may have the options .*not "password"'),
        (SERVER + "?sslmode=yes", "an sslmode that is none of"),
        (SERVER + "?sslmode=require&sslmode=disable", "an option twice"),
        ("postgresql://orikaeshi@db/orikaeshi", "must be a SQLite file, .* or a PostgreSQL database"),
        ("postgresql+psycopg://u:hunter2@db/orikaeshi", "must be a SQLite file"),
    ],
)
def test_an_address_that_cannot_be_used_is_a_mistake(tmp_path: Path, url: str, said: str) -> None:
    """Told with what to write, and without repeating a password."""
    with pytest.raises(SettingsError, match=said) as raised:
        of_file(tmp_path, url, ENV | PASSWORD)
    assert "hunter2" not in str(raised.value)


def test_a_password_beside_the_address_is_a_secret_out_of_place(tmp_path: Path) -> None:
    """It names the variable of the database alone."""
    path = tmp_path / "controller.toml"
    path.write_text(f'[store]\nurl = "{SERVER}"\npassword = "hunter2"\n{SMALL}', encoding="utf-8")
    with pytest.raises(SettingsError, match=r"into the environment \(ORIKAESHI_DB_PASSWORD\)") as raised:
        load_settings(path, ENV | PASSWORD)
    assert "hunter2" not in str(raised.value)


@given(password=st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=40))
def test_every_password_comes_out_as_it_went_in(password: str) -> None:
    """Into the address, and out of it again as the driver reads it."""
    for url in (SERVER, SOCKET):
        assert make_url(with_password(url, password)).password == password
        assert unquote(with_password(url, password)).count("@") == 1 + password.count("@")


@given(st.text(max_size=80))
def test_whatever_is_written_there_is_an_address_or_a_mistake(text: str) -> None:
    """Nothing else is raised."""
    url = f"postgresql+asyncpg://{text}"
    needs_password(url)
    try:
        found = database_address(url, Path("/"))
    except ValueError:
        return
    assert found == url
