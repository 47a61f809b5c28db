import re
import socket
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from controller.provision import ProvisionError, Site, choose_ports, provision
from controller.provision.files import read_secrets
from controller.provision.render import carrier_files, pbx_files

EVERYWHERE = "0.0.0.0"  # noqa: S104 - rendered as text, nothing is bound to it


def modes(folder: Path) -> dict[str, int]:
    """Every file below a folder and its permission bits."""
    return {
        str(path.relative_to(folder)): stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*") if path.is_file()
    }


def test_the_first_start_draws_a_password_of_its_own_for_every_account(tmp_path: Path) -> None:
    """None is short, none is used twice, none comes back on another site."""
    one, other = provision(tmp_path / "one"), provision(tmp_path / "other")
    drawn = [
        password
        for site in (one, other)
        for password in (
            site.ari_password,
            site.ami_password,
            site.trunk_password,
            *(account.password for account in (*site.agents, *site.customers)),
        )
    ]
    assert len(drawn) == len(set(drawn)) == 2 * (3 + 2 + 20)
    assert min(len(password) for password in drawn) >= 24


def test_everything_that_holds_a_secret_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Mode 0600, whatever the umask; and no half-written file is left over."""
    home = tmp_path / "home"
    provision(home)
    assert set(modes(home).values()) == {0o600}
    assert not [name for name in modes(home) if "/." in f"/{name}"]
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert stat.S_IMODE((home / "pbx" / "site").stat().st_mode) == 0o700


def test_a_later_start_keeps_secrets_and_ports_and_mends_the_rendered_files(tmp_path: Path) -> None:
    """Phones that were set up go on working; an edit in a rendered file does not last."""
    before = provision(tmp_path)
    (tmp_path / "pbx/site/ari.conf").write_text("[evil]\n", encoding="utf-8")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as in_use:
        in_use.bind((before.bind, before.ports.sip))
        after = provision(tmp_path)
    assert after == before
    assert after.ari_password in (tmp_path / "pbx/site/ari.conf").read_text(encoding="utf-8")


def test_a_site_of_an_earlier_version_gets_the_secrets_that_it_lacks_and_keeps_its_file(tmp_path: Path) -> None:
    """Comments, the order of lines, and a provider's secret that an admin has added stay as they are."""
    before = provision(tmp_path)
    path = tmp_path / "secrets.env"
    drawn = [line for line in path.read_text("utf-8").splitlines() if not line.startswith("ORIKAESHI_WEB_SECRET")]
    old = "\n".join(
        ["# ours", *reversed(drawn), "", "ORIKAESHI_SMS_SECRET='p&ss w/rd'", "ORIKAESHI_SMS_WEBHOOK_SECRET=x+/="]
    )
    path.write_text(old, encoding="utf-8")
    assert provision(tmp_path) == before
    text = path.read_text("utf-8")
    assert text.startswith(f"{old}\nORIKAESHI_WEB_SECRET=")
    assert text.count("\n") == old.count("\n") + 2
    secrets = read_secrets(path)
    assert len(secrets["ORIKAESHI_WEB_SECRET"]) >= 32
    assert (secrets["ORIKAESHI_SMS_SECRET"], secrets["ORIKAESHI_SMS_WEBHOOK_SECRET"]) == ("p&ss w/rd", "x+/=")
    assert provision(tmp_path) == before
    assert path.read_text("utf-8") == text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("value", ["two words", "$HOME", "a'b'c", "'open", "", "''", "パスワード", "`id`"])
def test_a_providers_secret_that_a_shell_would_misread_is_refused_without_showing_it(
    tmp_path: Path, value: str
) -> None:
    """`set -a; . secrets.env` is one of the ways to read the file."""
    (tmp_path / "secrets.env").write_text(f"ORIKAESHI_SMS_SECRET={value}\n", encoding="utf-8")
    with pytest.raises(ProvisionError, match="line 1, ORIKAESHI_SMS_SECRET: put it in single quotes") as refusal:
        provision(tmp_path)
    assert len(value) < 3 or value not in str(refusal.value)


def test_one_more_agent_gets_a_password_and_the_others_keep_theirs(tmp_path: Path) -> None:
    """A call centre grows."""
    before = provision(tmp_path, agents=2)
    after = provision(tmp_path, agents=3)
    assert after.agents[:2] == before.agents
    assert after.agents[2].user == "agent-3"
    assert after.agents[2].password
    members = (tmp_path / "pbx/site/queue-members.conf").read_text(encoding="utf-8")
    assert re.findall(r"^member => (\S+)$", members, re.MULTILINE) == [
        "PJSIP/agent-1,0,agent-1",
        "PJSIP/agent-2,0,agent-2",
        "PJSIP/agent-3,0,agent-3",
    ]


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_a_port_that_is_taken_for_udp_or_tcp_is_passed_over(kind: socket.SocketKind) -> None:
    """Whether another PBX holds SIP's UDP port or a web server ARI's TCP port."""
    usual = choose_ports("127.0.0.1", 300)
    with socket.socket(socket.AF_INET, kind) as other, socket.socket(socket.AF_INET, kind) as sound:
        other.bind(("127.0.0.1", usual.sip))
        sound.bind(("127.0.0.1", usual.pbx_rtp_first + 7))
        plan = choose_ports("127.0.0.1", 300)
    assert plan.sip != usual.sip
    assert plan.ari == usual.ari
    assert usual.pbx_rtp_first + 7 not in range(plan.pbx_rtp_first, plan.pbx_rtp_last + 1)


def test_no_port_is_given_twice_and_none_is_one_that_linux_hands_out() -> None:
    """RTP ranges of 200 even ports each; all below the ephemeral ports."""
    plan = choose_ports("127.0.0.1")
    pbx = range(plan.pbx_rtp_first, plan.pbx_rtp_last + 1)
    carrier = range(plan.carrier_rtp_first, plan.carrier_rtp_last + 1)
    single = [plan.sip, plan.ari, plan.ami, plan.carrier_sip]
    every = [*single, *pbx, *carrier]
    assert len(every) == len(set(every)) == 4 + 800
    assert max(every) < 32_768
    assert pbx[0] % 2 == carrier[0] % 2 == 0


def test_the_rendered_files_listen_on_loopback_unless_told_otherwise(tmp_path: Path) -> None:
    """SIP, ARI, AMI and sound."""
    site = provision(tmp_path)
    text = "".join([*pbx_files(site).values(), *carrier_files(site).values()])
    assert set(re.findall(r"^bind(?:addr)? = ([\d.]+)", text, re.MULTILINE)) == {"127.0.0.1"}
    assert text.count("media_address = 127.0.0.1") == text.count("bind_rtp_to_media_address = yes") == 24
    everywhere = "".join(pbx_files(replace(site, bind=EVERYWHERE)).values())
    assert "media_address" not in everywhere
    assert f"contact = sip:127.0.0.1:{site.ports.carrier_sip}" in everywhere


def test_ami_may_neither_place_calls_nor_run_commands(tmp_path: Path) -> None:
    """Whoever steals the AMI password finds an account that reads, and writes reports."""
    manager = pbx_files(provision(tmp_path))["manager.conf"]
    granted = re.findall(r"^write = (.*)$", manager, re.MULTILINE)
    assert granted == ["system,reporting,agent"]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("ORIKAESHI_ARI_PASSWORD=abc;def;ghi;jkl;mno", "line 1, ORIKAESHI_ARI_PASSWORD: only letters"),
        ("ORIKAESHI_ARI_PASSWORD=0123456789#0123456789", "line 1, ORIKAESHI_ARI_PASSWORD: only letters"),
        ("ORIKAESHI_ARI_PASSWORD=with a space in it all", "only letters"),
        ("ORIKAESHI_ARI_PASSWORD=tiny-1", "shorter than 16"),
        ("ORIKAESHI_ARI_PASSWORD=", "only letters"),
        ("a line of prose", "not KEY=VALUE"),
    ],
)
def test_a_password_that_asterisk_would_misread_is_refused_without_showing_it(
    tmp_path: Path, line: str, complaint: str
) -> None:
    """`;` begins a comment there: the password would silently be a shorter one."""
    (tmp_path / "secrets.env").write_text(line + "\n", encoding="utf-8")
    with pytest.raises(ProvisionError, match=re.escape(complaint)) as refusal:
        provision(tmp_path)
    value = line.partition("=")[2]
    assert not value or value not in str(refusal.value)
    assert "delete the line" in str(refusal.value)


def test_all_mistakes_in_the_secrets_are_named_at_once(tmp_path: Path) -> None:
    """Not one at every start."""
    (tmp_path / "secrets.env").write_text("# mine\n\nA=x\nnonsense\nB=;;;\n", encoding="utf-8")
    with pytest.raises(ProvisionError) as refusal:
        provision(tmp_path)
    assert [f"line {n}" in str(refusal.value) for n in (1, 2, 3, 4, 5)] == [False, False, True, True, True]


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"ports": {"sip": 5060}}', '{"ports": null}'])
def test_a_damaged_site_file_is_named_with_what_to_do(tmp_path: Path, text: str) -> None:
    """Ports are not silently changed under phones that are set up."""
    (tmp_path / "site.json").write_text(text, encoding="utf-8")
    with pytest.raises(ProvisionError, match=r"site\.json is damaged .* delete it"):
        provision(tmp_path)


def test_an_address_that_is_not_this_machines_is_one_clear_message(tmp_path: Path) -> None:
    """192.0.2.1 is nobody's (RFC 5737)."""
    with pytest.raises(ProvisionError, match=r"cannot bind 192\.0\.2\.1.*ip -4 address"):
        provision(tmp_path, bind="192.0.2.1")


def test_a_folder_that_cannot_be_written_is_one_clear_message(tmp_path: Path) -> None:
    """Here a file stands where the folder should be."""
    (tmp_path / "pbx").write_text("", encoding="utf-8")
    with pytest.raises(ProvisionError, match=r"cannot write .*pbx"):
        provision(tmp_path)


@pytest.mark.parametrize("number", ["", "03-1234-5678", "0312345678;x", "٠٣", "${EXTEN}"])
def test_a_service_number_is_digits(tmp_path: Path, number: str) -> None:
    """It stands in the dialplan as an extension."""
    with pytest.raises(ProvisionError, match="digits only"):
        provision(tmp_path, service_number=number)


def test_no_password_shows_when_a_site_is_printed(tmp_path: Path) -> None:
    """A log line or a traceback may hold a Site."""
    site: Site = provision(tmp_path)
    for password in (site.ari_password, site.trunk_password, site.agents[0].password):
        assert password not in repr(site)
