"""The doctor's look at Asterisk's configuration files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from controller.doctor import Finding, Level, has_fault
from controller.doctor.asterisk_conf import ConfError, read_conf
from controller.doctor.conf_rules import check_conf
from controller.doctor.passwords import weakness
from controller.provision import provision
from controller.settings import Asterisk

CONF = Path(__file__).parents[2] / "asterisk-conf"


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    """Copy the project's own configuration, with a site in it, to be spoiled."""
    folder = tmp_path / "conf"
    shutil.copytree(CONF, folder, ignore=shutil.ignore_patterns("prompts"))
    site = provision(tmp_path / "home", port_offset=31)
    shutil.copytree(site.pbx_site, folder / "site")
    return folder


def faults(findings: list[Finding]) -> dict[str, str]:
    """Return what is not in order: check to what was found."""
    return {one.check: one.found for one in findings if one.level is not Level.OK}


def spoil(file: Path, section: str, line: str) -> None:
    """Put `line` first into `[section]` of `file`; where a key stands twice, Asterisk takes the last."""
    text = file.read_text(encoding="utf-8")
    assert f"[{section}]" in text
    file.write_text(f"{text}\n[{section}](+)\n{line}\n", encoding="utf-8")


def test_the_projects_own_configuration_is_found_in_order(conf: Path) -> None:
    """What is shipped passes its own doctor."""
    assert faults(check_conf((conf,), Asterisk())) == {}


def test_a_site_folder_beside_the_configuration_is_looked_into(conf: Path, tmp_path: Path) -> None:
    """In the source tree the two lie apart."""
    shutil.rmtree(conf / "site")
    assert "which is not there" in faults(check_conf((conf,), Asterisk()))["ari.conf"]
    assert faults(check_conf((conf, tmp_path / "home" / "pbx"), Asterisk())) == {}


@pytest.mark.parametrize(
    ("file", "section", "line", "level", "told"),
    [
        ("asterisk.conf", "options", "live_dangerously = yes", "fault", "live_dangerously is on"),
        ("asterisk.conf", "options", "execincludes = yes", "warning", "execincludes is on"),
        ("http.conf", "general", "bindaddr = 0.0.0.0", "fault", "ARI listens on 0.0.0.0 without TLS"),
        ("http.conf", "general", "bindaddr =", "fault", "no bindaddr"),
        ("http.conf", "general", "enabled = no", "fault", "the web server that carries ARI is off"),
        ("http.conf", "general", "enable_static = yes", "warning", "enable_static is on"),
        ("ari.conf", "general", "enabled = no", "fault", "ARI is off"),
        ("ari.conf", "general", "websocket_write_timeout = 100", "fault", "websocket_write_timeout is 100 ms"),
        ("ari.conf", "general", "websocket_write_timeout = soon", "fault", "websocket_write_timeout is soon ms"),
        ("ari.conf", "general", "allowed_origins = http://a,*", "fault", "allowed_origins = *"),
        ("ari.conf", "orikaeshi", "password = asterisk", "fault", "[orikaeshi]: the password is a default"),
        ("ari.conf", "orikaeshi", "password = aB3$x", "fault", "[orikaeshi]: the password has 5 characters"),
        ("ari.conf", "orikaeshi", "password =", "fault", "[orikaeshi]: there is no password"),
        ("ari.conf", "orikaeshi", "read_only = yes", "fault", "[orikaeshi] is read_only"),
        ("manager.conf", "general", "enabled = no", "fault", "AMI is off"),
        ("manager.conf", "general", "bindaddr = 192.0.2.1", "fault", "AMI listens on 192.0.2.1 without TLS"),
        ("manager.conf", "general", "webenabled = yes", "warning", "AMI answers on the web server too"),
        ("manager.conf", "orikaeshi", "secret = orikaeshi", "fault", "[orikaeshi]: the password is a default"),
        ("manager.conf", "orikaeshi", "write = system, Command,originate", "fault", "may write command, originate"),
        ("logger.conf", "general", "queue_log = no", "warning", "queue_log is off"),
    ],
)
def test_a_dangerous_setting_is_found_with_what_to_do(
    conf: Path, file: str, section: str, line: str, level: str, told: str
) -> None:
    """Each of them has let strangers in, or has lost calls, somewhere."""
    target = conf / file
    if f"[{section}]" not in target.read_text(encoding="utf-8"):
        target = conf / "site" / file
    spoil(target, section, line)
    (found,) = [one for one in check_conf((conf,), Asterisk()) if one.level is not Level.OK]
    assert (found.check, found.level.value) == (file, level)
    assert told in found.found
    assert found.remedy


def test_an_application_that_asterisk_connects_elsewhere_is_found(conf: Path) -> None:
    """Our own connection would get no events; subscribe_all can wedge ARI."""
    more = "\n[other]\ntype = outbound_websocket\napps = x, orikaeshi\nsubscribe_all = yes\n"
    with (conf / "ari.conf").open("a", encoding="utf-8") as file:
        file.write(more)
    found = [one.found for one in check_conf((conf,), Asterisk()) if one.level is Level.FAULT]
    assert [text.partition(" ")[0] for text in found] == ["[other]:", "[other]:"]
    assert "another's" in found[0]
    assert "wedge" in found[1]


def test_other_accounts_with_power_are_a_warning(conf: Path) -> None:
    """They may be meant; the admin decides."""
    with (conf / "manager.conf").open("a", encoding="utf-8") as file:
        file.write("\n[wallboard]\nsecret = 4Fq-92ksL_pppW3x\nwrite = command\n")
    with (conf / "ari.conf").open("a", encoding="utf-8") as file:
        file.write("\n[crm]\ntype = user\npassword = 4Fq-92ksL_pppW3x\n")
    findings = check_conf((conf,), Asterisk())
    assert not has_fault(findings)
    assert faults(findings) == {
        "ari.conf": "[crm] can steer every call too",
        "manager.conf": "[wallboard] may write command: with the password one can place calls or run programs",
    }


def test_an_account_or_a_context_that_is_missing_is_found(conf: Path) -> None:
    """The names in the settings and on the PBX must be the same."""
    text = (conf / "extensions.conf").read_text(encoding="utf-8")
    (conf / "extensions.conf").write_text(text.replace("[orikaeshi-agent]", "[other]"), encoding="utf-8")
    found = faults(check_conf((conf,), Asterisk(ari_username="ctl", ami_username="ctl")))
    assert found["extensions.conf"] == "no context orikaeshi-agent"
    assert {"ari.conf", "manager.conf"} <= found.keys()


def test_a_folder_without_asterisks_files_is_told(tmp_path: Path) -> None:
    """A wrong folder must not look like a healthy PBX."""
    assert set(faults(check_conf((tmp_path,), Asterisk()))) == {
        "asterisk.conf",
        "http.conf",
        "ari.conf",
        "manager.conf",
        "extensions.conf",
        "logger.conf",
    }


def test_asterisks_configuration_language_is_read_as_asterisk_reads_it(tmp_path: Path) -> None:
    """Templates, additions, comments, includes within a section, wildcards."""
    (tmp_path / "a.conf").write_text(
        "[base](!)\nx = 1\ny = 2 ; comment\n"
        "[one](base)\nY=>3\nz = a\\;b\n;-- hidden = 1\nhidden = 2 --;\n#include part.conf\nafter = yes\n"
        "#tryinclude nothing.conf\n#include d/*.conf\n#exec /bin/false\n"
        "[one](+)\nz += ,c\nnonsense\n"
    )
    (tmp_path / "part.conf").write_text("inside = on\n[two]\nk = v\n")
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "1.conf").write_text("[three]\n")
    conf = read_conf((tmp_path,), "a.conf")
    assert conf is not None
    one = conf.section("one")
    assert dict(one.pairs) == {"x": "1", "y": "3", "z": "a;b,c", "inside": "on", "after": "yes"}
    assert (one.is_true("inside"), one.is_true("nothing"), one.is_true("nothing", default=True)) == (True, False, True)
    assert [section.name for section in conf.others("one")] == ["two", "three"]
    assert not conf.has("base")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x = 1\n", "line 1: stands before the first"),
        ("[a\n", r"line 1: a section must be written as \[name\]"),
        ("\n[a](b)\n", r"line 2: there is no template \[b\]"),
        ("[a](+)\n", r"line 1: \[a\]\(\+\) adds to a section that is not there"),
        ("[a]\n#include b.conf\n", "line 2: includes b.conf, which is not there"),
        ("[a]\n#include a.conf\n", "includes itself"),
    ],
)
def test_a_file_that_asterisk_would_refuse_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    """Half a file read must not pass for a whole one."""
    (tmp_path / "a.conf").write_text(text)
    with pytest.raises(ConfError, match=told):
        read_conf((tmp_path,), "a.conf")


@pytest.mark.parametrize("password", ["", "asterisk", "Orikaeshi", "admin123", "12345678", "short", "a" * 30, "ctl"])
def test_a_weak_password_is_known_as_one(password: str) -> None:
    """Empty, default, the user's own name, only digits, short, one letter many times."""
    assert weakness(password, "ctl") is not None


def test_a_drawn_password_is_strong() -> None:
    """As `secrets.token_urlsafe` draws them."""
    assert weakness("nR2mZ0bqT7sVbK1xAqf3l9Yw", "ctl") is None
