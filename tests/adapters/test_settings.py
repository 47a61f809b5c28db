"""The settings file: what is taken, and how every mistake in it is told."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING

import pytest

from controller.domain.outcome import Outcome
from controller.domain.phone_number import DialableNumber
from controller.domain.retry_policy import Wait
from controller.settings import SettingsError, load_settings
from controller.settings.first_file import DEFAULT_TEMPLATE, first_settings

if TYPE_CHECKING:
    from pathlib import Path

    from controller.settings import Settings

ENV = {"ORIKAESHI_ARI_PASSWORD": "k3T-lq0_Wz7pXv2m", "ORIKAESHI_AMI_PASSWORD": "p9S_vb4-Jr1nYc8d"}

SMALL = """\
[dialer]
trunk = "carrier"
caller_id = "0312345678"

[[queues]]
name = "support"
title_ja = "サポート窓口"
title_en = "Support"
dialled_numbers = ["0312345678"]

[[agents]]
name = "agent-1"
endpoint = "agent-1"
queues = ["support"]
"""


def load(tmp_path: Path, text: str, env: dict[str, str] | None = None) -> Settings:
    """Write `text` as controller.toml and load it."""
    path = tmp_path / "controller.toml"
    path.write_text(text, encoding="utf-8")
    return load_settings(path, ENV if env is None else env)


def mistakes(tmp_path: Path, text: str, env: dict[str, str] | None = None) -> list[str]:
    """Return the lines of the SettingsError that `text` gives, without the folder."""
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, text, env)
    return [line.replace(f"{tmp_path}/", "") for line in caught.value.lines()]


def only_mistake(tmp_path: Path, text: str) -> str:
    """Return the one mistake that `text` has."""
    (line,) = mistakes(tmp_path, text)
    return line


def test_the_default_file_is_in_order_and_says_what_the_defaults_are(tmp_path: Path) -> None:
    """What the shipped file shows as a default is what a file without it gets."""
    shipped = load(tmp_path, DEFAULT_TEMPLATE.read_text(encoding="utf-8"))
    small = load(tmp_path, SMALL)
    assert shipped.dialer == small.dialer
    assert shipped.asterisks == small.asterisks
    assert (shipped.store, shipped.sms, shipped.web, shipped.log) == (small.store, small.sms, small.web, small.log)
    assert (shipped.line, shipped.agents_by_phone, shipped.agi) == (small.line, small.agents_by_phone, small.agi)
    assert (shipped.callers, shipped.entrances, shipped.menus) == (small.callers, small.entrances, small.menus)
    assert shipped.queues[0].model_copy(update={"retry_gap_s": {}}) == small.queues[0]


def test_files_lie_beside_the_settings_file_unless_their_path_is_absolute(tmp_path: Path) -> None:
    """Wherever the controller is started from, it finds the same database."""
    settings = load(tmp_path, SMALL)
    assert settings.store.url == f"sqlite+aiosqlite:///{tmp_path}/orikaeshi.db"
    assert settings.store.path == tmp_path / "orikaeshi.db"
    assert settings.sms.outbox_path == tmp_path / "sms-outbox.jsonl"
    assert settings.log.path is None
    absolute = load(tmp_path, SMALL + '[store]\nurl = "sqlite+aiosqlite:////var/lib/o.db"\n[log]\npath = "o.log"\n')
    assert absolute.store.url == "sqlite+aiosqlite:////var/lib/o.db"
    assert absolute.log.path == tmp_path / "o.log"


def test_the_domain_gets_its_own_values(tmp_path: Path) -> None:
    """Hours become seconds, texts become outcomes and times of day; the gate refuses what it must."""
    text = SMALL.replace(
        "[[agents]]", "max_attempts = 5\npromise_lifetime_h = 2\nretry_gap_s = { busy = 7 }\n[[agents]]"
    )
    text = text.replace("[dialer]", '[dialer]\ncalling_hours = "10:00-24:00"\ndenied_prefixes = ["+8190"]')
    settings = load(tmp_path, text)
    policy = settings.retry_policies["support"]
    assert (policy.max_attempts, policy.lifetime_s, policy.rule(Outcome.BUSY).gap) == (5, 7200, Wait(7))
    assert policy.rule(Outcome.NO_ANSWER).gap == Wait(600)
    assert (settings.gate.hours.opens, settings.gate.hours.closes) == (time(10), time(0))
    noon_in_tokyo = datetime(2026, 4, 1, 3, tzinfo=UTC)
    assert isinstance(settings.gate.clear("08012345678", noon_in_tokyo), DialableNumber)
    assert settings.gate.clear("09012345678", noon_in_tokyo) is Outcome.NOT_ALLOWED


def test_nothing_can_be_changed_and_no_password_is_shown(tmp_path: Path) -> None:
    """Settings may be logged or printed without harm."""
    settings = load(tmp_path, SMALL)
    with pytest.raises(ValueError, match="frozen"):
        settings.dialer.trunk = "other"  # type: ignore[misc]  # that is what is tested
    assert ENV["ORIKAESHI_ARI_PASSWORD"] not in repr(settings)
    assert settings.secrets.ari_password.get_secret_value() == ENV["ORIKAESHI_ARI_PASSWORD"]


def test_all_mistakes_are_told_at_once_each_with_its_line_and_key(tmp_path: Path) -> None:
    """An admin corrects a file once, not once for each mistake."""
    text = """\
[asterisk]
ami_prot = 5038
ami_port = "5038"
[dialer]
trunk = "carrier"
caller_id = "call me"
time_zone = "Asia/Tokio"
countries = [
  "JP",
  "XX",
]
[[queues]]
name = "support"
title_ja = "窓口"
title_en = "Support"
dialled_numbers = ["0312345678"]
agent_ring_timeout_s = -5
[queues.retry_gap_s]
busyy = 3
[[queues]]
name = "sales"
title_ja = "営業"
dialled_numbers = ["0387654321", "+81312345678"]
[[agents]]
name = "agent-1"
endpoint = "agent-1"
queues = ["suport", "sales"]
"""
    wrong_number = 'must be a phone number: 3 to 20 digits, with + in front if international, as "0312345678"'
    wrong_zone = 'must be a time zone as "Asia/Tokyo", not "Asia/Tokio"; did you mean "Asia/Tokyo"?'
    wrong_country = 'must be the two capital letters of a country (ISO 3166), as "JP", not "XX"'
    unstaffed = "has no agents: nobody would ever answer; name it in the queues of an agent"
    shared = '"+81312345678" already leads to queue "support": a number can lead to one place only'
    assert mistakes(tmp_path, text, {}) == [
        'controller.toml:2: asterisk.ami_prot: is not a setting; did you mean "ami_port"?',
        'controller.toml:3: asterisk.ami_port: must be a whole number: write 5038, not "5038"',
        f"controller.toml:6: dialer.caller_id: {wrong_number}",
        f"controller.toml:7: dialer.time_zone: {wrong_zone}",
        f"controller.toml:10: dialer.countries[2]: {wrong_country}",
        f"controller.toml:12: queues.support: {unstaffed}",
        "controller.toml:17: queues.support.agent_ring_timeout_s: must be more than 0, not -5",
        'controller.toml:19: queues.support.retry_gap_s.busyy: is not an outcome of a call; did you mean "busy"?',
        "controller.toml:20: queues.sales.title_en: is missing",
        f"controller.toml:23: queues.sales.dialled_numbers[2]: {shared}",
        'controller.toml:27: agents.agent-1.queues[1]: there is no queue "suport"; did you mean "support"?',
        "environment: ORIKAESHI_AMI_PASSWORD: is not set (`controller provision` makes one in secrets.env)",
        "environment: ORIKAESHI_ARI_PASSWORD: is not set (`controller provision` makes one in secrets.env)",
    ]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            '"0312345678"\n\n',
            "0312345678\n\n",
            "3: is not TOML here: .*; a number that begins with 0 must stand in quotes",
        ),
        ('"0312345678"\n\n', "312345678\n\n", '3: dialer.caller_id: must be text in quotes: write "312345678"'),
        ("[dialer]", "[dialer", "1: is not TOML here: "),
        ("[[agents]]", "[agents]", "11: agents: must be a list in"),
        ('["support"]', "[]", "queues: must have at least one"),
        ('["support"]', '"support"', r'14: agents.agent-1.queues: must be a list, as \["support"\]'),
        ('name = "agent-1"', "", "11: agents.*name: is missing"),
        ('trunk = "carrier"', 'trunk = "a/b"', "2: dialer.trunk: must be 1 to 64 letters"),
        ('trunk = "carrier"', 'trunk = "agent-1"', "is the trunk"),
        ("[dialer]", '[dialer]\ncalling_hours = "9-20"', "2: dialer.calling_hours: must be two times of day"),
        ("[dialer]", '[dialer]\ncalling_hours = "09:00-25:00"', "2: dialer.calling_hours: must be times between"),
        (
            "[dialer]",
            '[dialer]\ncalling_hours = "09:00-09:00"',
            "2: dialer.calling_hours: opens and closes at the same",
        ),
        (
            "[dialer]",
            "[dialer]\nmax_concurrent_calls = 2.5",
            "2: dialer.max_concurrent_calls: must be a whole number, not 2.5",
        ),
        ("[dialer]", "[dialer]\nmax_concurrent_calls = true", "2: .*must be a whole number, not true"),
        (
            "[dialer]",
            '[dialer]\nnumber_format = "local"',
            '2: dialer.number_format: must be "national" or "e164", not "local"',
        ),
        ("[dialer]", '[dialer]\nhome_country = "jp"', "2: dialer.home_country: must be the two capital letters"),
        ("[dialer]", '[dialer]\ndenied_prefixes = ["0990"]', r"2: dialer.denied_prefixes\[1\]: must be the beginning"),
        ("[[agents]]", 'language = "JP"\n[[agents]]', "11: queues.support.language: must be the code of a language"),
        ("[[agents]]", "wrap_up_s = nan\n[[agents]]", "11: queues.support.wrap_up_s: must be a number, not nan"),
        (
            "[[agents]]",
            "retry_gap_s = { declined = 5 }\n[[agents]]",
            "11: .*declined: is an outcome that ends the promise",
        ),
        ("[[agents]]", "retry_gap_s = { busy = -1 }\n[[agents]]", "11: .*busy: must be 0 or more, not -1"),
        ("[dialer]", '[store]\nurl = "mysql://localhost/o"\n[dialer]', "2: store.url: must be a SQLite file"),
        ("[dialer]", '[store]\nurl = "sqlite+aiosqlite:///:memory:"\n[dialer]', "2: store.url: must name a file"),
        ("[dialer]", '[asterisk]\nurl = "http://u:p@host"\n[dialer]', "2: asterisk.url: must not hold a password"),
        ("[dialer]", '[asterisk]\nurl = "127.0.0.1:8088"\n[dialer]', "2: asterisk.url: must be an address"),
        ("[dialer]", '[sms]\noutbox_path = ""\n[dialer]', "2: sms.outbox_path: must name a file"),
        ("[dialer]", "[telephone]\n[dialer]", "1: telephone: is not a setting"),
        ("[dialer]", "secrets = 1\n[dialer]", "1: secrets: is a secret and must not stand in this file"),
    ],
)
def test_each_kind_of_mistake_has_words_of_its_own(tmp_path: Path, old: str, new: str, told: str) -> None:
    """Each says what must stand there."""
    assert old in SMALL
    lines = mistakes(tmp_path, SMALL.replace(old, new, 1))
    assert any(re.search(told, line) for line in lines), lines


def test_a_secret_in_the_file_is_a_mistake_and_is_not_repeated(tmp_path: Path) -> None:
    """The message may end up in a log."""
    line = only_mistake(tmp_path, '[asterisk]\nari_password = "hunter2-hunter2"\n' + SMALL)
    assert line.startswith("controller.toml:2: asterisk.ari_password: is a secret and must not stand in this file")
    assert "hunter2" not in line


def test_a_name_that_stands_twice_is_told_at_the_second_place(tmp_path: Path) -> None:
    """That is the one somebody copied."""
    again = '\n[[agents]]\nname = "agent-1"\nendpoint = "agent-2"\nqueues = ["support"]\n'
    assert only_mistake(tmp_path, SMALL + again) == (
        'controller.toml:17: agents.agent-1.name: "agent-1" is used twice: each of [[agents]] needs its own name'
    )


def test_a_file_that_is_not_there_says_how_to_make_one(tmp_path: Path) -> None:
    """The first start of a new admin."""
    with pytest.raises(SettingsError, match=r"there is no such file; `controller provision --home DIR` makes one"):
        load_settings(tmp_path / "controller.toml", ENV)


def test_a_file_that_is_not_text_is_told_with_its_line(tmp_path: Path) -> None:
    """A Japanese editor on Windows may save Shift JIS."""
    path = tmp_path / "controller.toml"
    path.write_bytes(SMALL.encode("cp932"))
    with pytest.raises(SettingsError, match=r"controller.toml:7: is not UTF-8 text"):
        load_settings(path, ENV)


def test_a_folder_in_the_place_of_the_file_is_told(tmp_path: Path) -> None:
    """Docker makes a folder of a mounted file that is missing."""
    with pytest.raises(SettingsError, match="is a folder"):
        load_settings(tmp_path, ENV)


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    """Both come from Windows editors."""
    path = tmp_path / "controller.toml"
    path.write_bytes(b"\xef\xbb\xbf" + SMALL.replace("\n", "\r\n").encode())
    assert load_settings(path, ENV).queues[0].title_ja == "サポート窓口"


def test_a_password_with_a_line_break_is_refused(tmp_path: Path) -> None:
    """In AMI a line break begins a command."""
    lines = mistakes(tmp_path, SMALL, {**ENV, "ORIKAESHI_AMI_PASSWORD": "a\r\nAction: Command"})
    assert lines == ["environment: ORIKAESHI_AMI_PASSWORD: holds a line break or another control character"]


def test_where_secrets_lie_beside_the_file_the_message_says_how_to_load_them(tmp_path: Path) -> None:
    """`controller provision` puts them there."""
    (tmp_path / "secrets.env").write_text("")
    assert "(set -a; . secrets.env; set +a)" in mistakes(tmp_path, SMALL, {})[0]


def test_secrets_are_not_needed_to_check_the_file_alone(tmp_path: Path) -> None:
    """Nor to list what the database holds."""
    path = tmp_path / "controller.toml"
    path.write_text(SMALL, encoding="utf-8")
    assert load_settings(path, {}, needs_secrets=False).dialer.trunk == "carrier"


def test_the_first_file_of_a_site_has_its_ports_number_and_agents_and_keeps_the_comments(tmp_path: Path) -> None:
    """The file an admin begins with fits the site and still explains itself."""
    text = first_settings(
        DEFAULT_TEMPLATE.read_text(encoding="utf-8"),
        ari_url="http://10.0.0.5:18088",
        ami_host="10.0.0.5",
        ami_port=15038,
        service_number="0398765432",
        agents=["agent-1", "agent-2", "agent-3"],
    )
    settings = load(tmp_path, text)
    (asterisk,) = settings.asterisks
    assert (asterisk.url, asterisk.ami_host, asterisk.ami_port) == ("http://10.0.0.5:18088", "10.0.0.5", 15038)
    assert settings.queues[0].dialled_numbers == (settings.dialer.caller_id,) == ("0398765432",)
    assert [agent.endpoint for agent in settings.agents] == ["agent-1", "agent-2", "agent-3"]
    assert text.count("#") == DEFAULT_TEMPLATE.read_text(encoding="utf-8").count("#")
