"""The first start of a cluster: ports, passwords, site files and settings for several Asterisks behind one door."""

from __future__ import annotations

import json
import re
import socket
import stat
from typing import TYPE_CHECKING

import pytest

from controller.cli import main
from controller.first_cluster import cluster_text, first_cluster
from controller.provision import ProvisionError, provision
from controller.provision.cluster import provision_cluster
from controller.provision.files import read_secrets
from controller.settings import load_settings
from tests.adapters.test_provision import modes

if TYPE_CHECKING:
    from pathlib import Path

EVERYWHERE = "0.0.0.0"  # noqa: S104 - refused, nothing is bound to it


def text_of(folder: Path, name: str) -> str:
    """Return a file's text."""
    return (folder / name).read_text("utf-8")


def test_every_asterisk_has_ports_passwords_and_agents_of_its_own(tmp_path: Path) -> None:
    """What they share is the trunk's password, the simulated network, and the customers on it."""
    cluster = provision_cluster(tmp_path / "home", pbxs=3, agents=2)
    own = [
        port
        for site in cluster.pbxs
        for port in (site.ports.sip, site.ports.ari, site.ports.ami, site.ports.pbx_rtp_first, site.ports.pbx_rtp_last)
    ]
    assert len({*own, cluster.door_sip, cluster.pbxs[0].ports.carrier_sip}) == 3 * 5 + 2
    assert len({site.ports.carrier_sip for site in cluster.pbxs}) == 1
    passwords = [word for site in cluster.pbxs for word in (site.ari_password, site.ami_password)]
    passwords += [agent.password for agent, _ in cluster.agents]
    passwords += [cluster.pbxs[0].trunk_password, cluster.pbxs[0].door_password, cluster.db_password]
    assert len(set(passwords)) == len(passwords) == 6 + 6 + 3
    assert [(agent.user, site.name) for agent, site in cluster.agents] == [
        ("agent-1", "pbx-1"),
        ("agent-2", "pbx-1"),
        ("agent-3", "pbx-2"),
        ("agent-4", "pbx-2"),
        ("agent-5", "pbx-3"),
        ("agent-6", "pbx-3"),
    ]


def test_what_a_cluster_writes_is_for_its_owner_alone_and_shows_no_password(tmp_path: Path) -> None:
    """Mode 0600, whatever the umask; and a cluster that is printed has none in it."""
    cluster = provision_cluster(tmp_path / "home")
    assert set(modes(tmp_path / "home").values()) == {0o600}
    assert stat.S_IMODE((tmp_path / "home" / "postgres").stat().st_mode) == 0o700
    assert not [word for word in read_secrets(tmp_path / "home" / "secrets.env").values() if word in repr(cluster)]


def test_a_later_start_of_a_cluster_keeps_ports_secrets_and_the_list_of_carriers(tmp_path: Path) -> None:
    """The carriers are the admin's from the first start on; the list of Asterisks is not."""
    before = provision_cluster(tmp_path)
    carriers, targets = before.door_site / "carriers.list", before.door_site / "dispatcher.list"
    carriers.write_text("1 198.51.100.10 32\n", encoding="utf-8")
    targets.write_text("1 sip:198.51.100.99:5060 0 0\n", encoding="utf-8")
    untouched = (before.door_site / "site.cfg").stat()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as in_use:
        in_use.bind((before.bind, before.door_sip))
        assert provision_cluster(tmp_path) == before
    assert (before.door_site / "site.cfg").stat().st_ino == untouched.st_ino
    assert carriers.read_text("utf-8") == "1 198.51.100.10 32\n"
    assert "198.51.100.99" not in targets.read_text("utf-8")


def test_a_cluster_grows_by_one_asterisk_and_the_others_keep_what_they_have(tmp_path: Path) -> None:
    """Its ports are none that the others have, even while those are not in use."""
    before, after = provision_cluster(tmp_path, pbxs=2), provision_cluster(tmp_path, pbxs=3)
    assert after.pbxs[:2] == before.pbxs
    assert after.door_sip == before.door_sip
    third = after.pbxs[2].ports
    for site in before.pbxs:
        assert third.sip not in {site.ports.sip, site.ports.carrier_sip}
        assert third.pbx_rtp_first > site.ports.pbx_rtp_last or third.pbx_rtp_last < site.ports.pbx_rtp_first


def test_the_door_knows_every_asterisk_and_lets_in_one_port_of_one_address(tmp_path: Path) -> None:
    """The simulated network's; whoever else is on this machine is not a carrier."""
    cluster = provision_cluster(tmp_path)
    found = re.findall(
        r"^1 sip:127\.0\.0\.1:(\d+) 0 0 name=(\S+)$", text_of(cluster.door_site, "dispatcher.list"), re.MULTILINE
    )
    assert found == [(str(site.ports.sip), site.name) for site in cluster.pbxs]
    rules = [line for line in text_of(cluster.door_site, "carriers.list").splitlines() if not line.startswith("#")]
    assert rules == [f"1 127.0.0.1 32 {cluster.pbxs[0].ports.carrier_sip} simulated"]
    assert f"listen=udp:127.0.0.1:{cluster.door_sip}\n" in text_of(cluster.door_site, "site.cfg")


def test_the_network_sends_calls_to_the_door_and_tells_the_asterisks_apart_that_call_it(tmp_path: Path) -> None:
    """Each proves its own name; and each knows the door, which can ask and cannot call."""
    cluster = provision_cluster(tmp_path)
    network = text_of(cluster.pbxs[0].carrier_site, "pjsip.conf")
    assert f"[pbx](trunk-aor)\ncontact = sip:127.0.0.1:{cluster.door_sip}\n" in network
    for site in cluster.pbxs:
        assert f"[{site.name}-in](account)\nusername = {site.name}\n" in network
        own = text_of(site.pbx_site, "pjsip.conf")
        assert f"[carrier-out](account)\nusername = {site.name}\n" in own
        door = own[own.index("[kamailio](line)") :]
        assert "allow_unauthenticated_options = yes\ncontext = nowhere\n" in door
        assert f"password = {site.door_password}\n" in door
        assert site.door_password not in network


def test_the_calls_of_each_asterisk_have_ids_of_their_own(tmp_path: Path) -> None:
    """By its system name: without one, two that start in the same second hand out the same ids."""
    cluster = provision_cluster(tmp_path / "cluster")
    for site in cluster.pbxs:
        assert text_of(site.pbx_site, "asterisk.conf").endswith(f"[options](+)\nsystemname = {site.name}\n")
    assert not (provision(tmp_path / "site").pbx_site / "asterisk.conf").exists()


def test_the_settings_of_a_cluster_are_in_order_and_give_each_member_a_home(tmp_path: Path) -> None:
    """With the passwords of its secrets.env, as the controllers read them."""
    started = first_cluster(tmp_path, language="en", simulated_network=True)
    settings = load_settings(started.settings, read_secrets(tmp_path / "secrets.env"))
    homes = [(one.name, one.home, one.url, one.ami_port) for one in settings.asterisks]
    assert homes == [
        (site.name, f"controller-{place}", f"http://127.0.0.1:{site.ports.ari}", site.ports.ami)
        for place, site in enumerate(started.cluster.pbxs, start=1)
    ]
    for site in started.cluster.pbxs:
        assert [agent.endpoint for agent in settings.agents_of(site.name)] == [agent.user for agent in site.agents]
        assert settings.ari_password_of(site.name) == site.ari_password
        assert settings.ami_password_of(site.name) == site.ami_password
    assert settings.queues[0].language == "en"
    assert started.is_new
    started.settings.write_text(text := started.settings.read_text("utf-8") + "# ours\n", encoding="utf-8")
    assert not first_cluster(tmp_path).is_new
    assert started.settings.read_text("utf-8") == text


def test_the_command_makes_a_cluster_and_shows_its_accounts_only_when_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither as text nor as JSON is there a password in it otherwise."""
    command = ["provision", "--home", str(tmp_path), "--asterisks", "2", "--agents", "1"]
    assert main([*command, "--json"], {}) == 0
    data = capsys.readouterr().out
    assert json.loads(data)["asterisks"]["pbx-2"]["home"] == "controller-2"
    assert main(command, {}) == 0
    said = data + capsys.readouterr().out
    assert not [word for word in read_secrets(tmp_path / "secrets.env").values() if word in said]
    assert main([*command, "--show-accounts"], {}) == 0
    cluster = provision_cluster(tmp_path, agents=1)
    assert cluster_text(cluster) in capsys.readouterr().out


def test_a_cluster_needs_one_address_and_a_folder_of_its_own(tmp_path: Path) -> None:
    """Every address at once cannot stand in a SIP message; the folder of a single Asterisk has other files."""
    with pytest.raises(ProvisionError, match="needs one address"):
        provision_cluster(tmp_path / "cluster", bind=EVERYWHERE)
    provision(tmp_path / "site")
    with pytest.raises(ProvisionError, match="folder of a single Asterisk"):
        provision_cluster(tmp_path / "site")


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"door_sip": 5060, "pbx": {"pbx-1": {}}}', '{"door_sip": "x"}'])
def test_a_damaged_cluster_file_is_named_with_what_to_do(tmp_path: Path, text: str) -> None:
    """Ports are not chosen anew behind the back of whoever has set up phones."""
    (tmp_path / "cluster.json").write_text(text, encoding="utf-8")
    with pytest.raises(ProvisionError, match=r"cluster\.json is damaged .*Mend it, or delete it"):
        provision_cluster(tmp_path)
