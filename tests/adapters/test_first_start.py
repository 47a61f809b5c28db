"""The first start of an installation: what it writes, what it shows, and secrets that are read from their file."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from controller.cli import main
from controller.first_start import accounts_text, first_start
from controller.settings import load_settings
from controller.settings.first_file import with_value

if TYPE_CHECKING:
    from pathlib import Path

EVERYWHERE = "0.0.0.0"  # noqa: S104 - shown as text, nothing is bound to it


def command_line(*argv: object, env: dict[str, str]) -> int:
    """Run one command, in a thread of its own for its event loop; return the exit code."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(main, [str(word) for word in argv], env).result()


@pytest.mark.parametrize(
    ("simulated", "hours"), [(True, "00:00-24:00"), (False, "09:00-20:00")], ids=["simulated", "real"]
)
def test_only_the_simulated_network_is_dialled_at_night(tmp_path: Path, hours: str, *, simulated: bool) -> None:
    """A trunk to real telephones keeps to daytime from the first start on."""
    started = first_start(tmp_path, simulated_network=simulated)
    assert load_settings(started.settings, {}, needs_secrets=False).dialer.calling_hours == hours


def test_the_language_is_that_of_the_queue_and_of_the_dialplan(tmp_path: Path) -> None:
    """Whoever sets up an English site hears English everywhere."""
    started = first_start(tmp_path, language="en")
    (queue,) = load_settings(started.settings, {}, needs_secrets=False).queues
    assert (queue.language, started.site.language) == ("en", "en")


def test_settings_that_an_admin_has_changed_are_never_written_over(tmp_path: Path) -> None:
    """The second start finds them and leaves them."""
    path = first_start(tmp_path).settings
    path.write_text(with_value(path.read_text("utf-8"), "dialer", "max_concurrent_calls", "3"), "utf-8")
    again = first_start(tmp_path, simulated_network=True, language="en")
    assert not again.is_new
    dialer = load_settings(path, {}, needs_secrets=False).dialer
    assert (dialer.max_concurrent_calls, dialer.calling_hours) == (3, "09:00-20:00")


def test_the_accounts_say_all_that_a_softphone_asks_for(tmp_path: Path) -> None:
    """Server, port, user, password and transport of each agent and of one caller; and the number to dial."""
    site = first_start(tmp_path).site
    words = [line.split() for line in accounts_text(site).splitlines()]
    for agent in site.agents:
        assert [agent.user, "127.0.0.1", str(site.ports.sip), agent.user, agent.password, "UDP"] in words
    caller = site.customers[0]
    assert ["a", "caller", "127.0.0.1", str(site.ports.carrier_sip), caller.user, caller.password, "UDP"] in words
    assert f"dials {site.service_number}" in accounts_text(site)
    assert "must be on this machine" in accounts_text(site)


def test_a_phone_is_never_told_to_register_at_every_address(tmp_path: Path) -> None:
    """0.0.0.0 is what Asterisk listens on; no phone can reach it."""
    site = first_start(tmp_path).site
    assert EVERYWHERE not in accounts_text(replace(site, bind=EVERYWHERE))
    assert " 192.0.2.7 " in accounts_text(replace(site, bind="192.0.2.7"))


def test_passwords_are_printed_only_when_they_are_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The option is called what it does."""
    command_line("provision", "--home", tmp_path, env={})
    password = first_start(tmp_path).site.agents[0].password
    assert password not in capsys.readouterr().out
    command_line("provision", "--home", tmp_path, "--show-accounts", env={})
    assert password in capsys.readouterr().out


@pytest.mark.parametrize("named_by", ["option", "environment"])
def test_the_controller_reads_its_passwords_from_the_secrets_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], named_by: str
) -> None:
    """With the file, the settings are complete; what is wrong then is the PBX that is not there."""
    started = first_start(tmp_path)
    path = tmp_path / "secrets.env"
    option, env = (["--secrets", path], {}) if named_by == "option" else ([], {"ORIKAESHI_SECRETS": str(path)})
    assert command_line("doctor", "--settings", started.settings, env={}) == 1
    assert "ORIKAESHI_ARI_PASSWORD" in capsys.readouterr().out
    assert command_line("doctor", "--settings", started.settings, *option, env=env) == 1
    out = capsys.readouterr().out
    assert "ORIKAESHI_ARI_PASSWORD" not in out
    assert started.site.ari_password not in out


def test_a_secrets_file_that_is_not_there_is_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says which command makes it."""
    settings = first_start(tmp_path).settings
    assert command_line("run", "--settings", settings, "--secrets", tmp_path / "gone.env", env={}) == 1
    assert capsys.readouterr().err == (
        f"there is no {tmp_path}/gone.env; `controller provision` makes it, as secrets.env\n"
    )
