"""Several Asterisks in the settings: which agent is where, whose home is what, and each mistake with its line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.adapters.test_settings import ENV, SMALL, load, mistakes, only_mistake

if TYPE_CHECKING:
    from pathlib import Path

TWO = """\
[store]
url = "postgresql+asyncpg://orikaeshi@127.0.0.1:5432/orikaeshi"

[[asterisk]]
name = "pbx-1"
url = "http://10.0.0.1:8088"
home = "controller-1"

[[asterisk]]
name = "pbx-2"
url = "http://10.0.0.2:8088"
home = "controller-2"

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
endpoint = "phone-1"
queues = ["support"]

[[agents]]
name = "agent-2"
endpoint = "phone-1"
asterisk = "pbx-2"
queues = ["support"]
"""
DATABASE = {"ORIKAESHI_DB_PASSWORD": "Vn3-rTq8_LxZ5wKc"}
"""What the server of `TWO` needs."""
OWN = {
    "ORIKAESHI_ARI_PASSWORD_PBX_1": "k3T-lq0_Wz7pXv21",
    "ORIKAESHI_ARI_PASSWORD_PBX_2": "k3T-lq0_Wz7pXv22",
    "ORIKAESHI_AMI_PASSWORD": "p9S_vb4-Jr1nYc8d",
}


def test_one_table_is_one_asterisk_with_a_name_of_its_own(tmp_path: Path) -> None:
    """Whatever the file says nothing of is as it always was."""
    settings = load(tmp_path, SMALL)
    assert [(each.name, each.home) for each in settings.asterisks] == [("asterisk", None)]
    assert [agent.name for agent in settings.agents_of("asterisk")] == ["agent-1"]
    assert settings.ari_password_of("asterisk") == ENV["ORIKAESHI_ARI_PASSWORD"]


def test_several_tables_are_several_asterisks_and_each_agent_is_at_one_of_them(tmp_path: Path) -> None:
    """An agent of whom nothing is said is at the first; the same endpoint at another Asterisk is another phone."""
    settings = load(tmp_path, TWO, ENV | DATABASE)
    assert [(each.name, each.url, each.home) for each in settings.asterisks] == [
        ("pbx-1", "http://10.0.0.1:8088", "controller-1"),
        ("pbx-2", "http://10.0.0.2:8088", "controller-2"),
    ]
    assert [agent.name for agent in settings.agents_of("pbx-1")] == ["agent-1"]
    assert [agent.name for agent in settings.agents_of("pbx-2")] == ["agent-2"]


def test_each_asterisk_may_have_passwords_of_its_own(tmp_path: Path) -> None:
    """By its name in capitals; the common one is for those that have none."""
    settings = load(tmp_path, TWO, OWN | DATABASE)
    assert settings.ari_password_of("pbx-1") == OWN["ORIKAESHI_ARI_PASSWORD_PBX_1"]
    assert settings.ari_password_of("pbx-2") == OWN["ORIKAESHI_ARI_PASSWORD_PBX_2"]
    assert settings.ami_password_of("pbx-1") == settings.ami_password_of("pbx-2") == OWN["ORIKAESHI_AMI_PASSWORD"]
    mixed = load(tmp_path, TWO, ENV | DATABASE | {"ORIKAESHI_ARI_PASSWORD_PBX_2": "k3T-lq0_Wz7pXv22"})
    assert mixed.ari_password_of("pbx-1") == ENV["ORIKAESHI_ARI_PASSWORD"]
    assert mixed.ari_password_of("pbx-2") == "k3T-lq0_Wz7pXv22"


def test_an_asterisk_without_a_password_is_told_of(tmp_path: Path) -> None:
    """One of two has its own, and there is no common one."""
    env = {key: value for key, value in OWN.items() if key != "ORIKAESHI_ARI_PASSWORD_PBX_2"} | DATABASE
    (line,) = mistakes(tmp_path, TWO, env)
    assert line.startswith("environment: ORIKAESHI_ARI_PASSWORD: is not set")
    assert load(tmp_path, TWO, OWN | DATABASE).unset_secrets(env) == ["ORIKAESHI_ARI_PASSWORD"]
    assert load(tmp_path, TWO, OWN | DATABASE).unset_secrets(OWN | DATABASE) == []


def test_a_password_of_one_asterisk_with_a_line_break_is_told_of_by_its_own_name(tmp_path: Path) -> None:
    """And not shown."""
    (line,) = mistakes(tmp_path, TWO, OWN | DATABASE | {"ORIKAESHI_ARI_PASSWORD_PBX_2": "secret\n"})
    assert line == "environment: ORIKAESHI_ARI_PASSWORD_PBX_2: holds a line break or another control character"


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ('name = "pbx-2"', 'name = "pbx-1"', ['asterisk.pbx-1.name: "pbx-1" is used twice', "there is no Asterisk"]),
        (
            'name = "pbx-2"',
            'name = "pbx.1"',
            ['"pbx.1" and "pbx-1" are the same in the environment', "there is no Asterisk", "has no agents"],
        ),
        ('asterisk = "pbx-2"', 'asterisk = "pbx-3"', ['there is no Asterisk "pbx-3"; did you mean', "has no agents"]),
        ('asterisk = "pbx-2"\n', 'asterisk = "pbx-1"\n', ["pbx-2: has no agents", '"phone-1" is used twice']),
        ("10.0.0.2", "10.0.0.1", ['asterisk.pbx-2.url: is the address of "pbx-1" too']),
        ("10.0.0.2", "10.0.0.2:88088", ["asterisk.pbx-2.url: must be an address as"]),
        ('home = "controller-2"', 'homes = "controller-2"', ["is not a setting; did you mean"]),
        ('[[agents]]\nname = "agent-2"', '[[agents]]\nname = "agent-1"', ['"agent-1" is used twice']),
        ("postgresql+asyncpg://orikaeshi@127.0.0.1:5432/orikaeshi", "sqlite+aiosqlite:///a.db", ["need PostgreSQL"]),
    ],
)
def test_what_does_not_fit_together_is_told_with_its_line(
    tmp_path: Path, before: str, after: str, told: list[str]
) -> None:
    """Each in words that say what to do."""
    assert before in TWO
    found = mistakes(tmp_path, TWO.replace(before, after), ENV | DATABASE)
    assert len(found) == len(told)
    for words in told:
        (line,) = [each for each in found if words in each]
        assert line.startswith("controller.toml:")


def test_a_mistake_in_the_only_asterisk_is_told_as_it_is_written(tmp_path: Path) -> None:
    """Without a number: there is one."""
    line = only_mistake(tmp_path, "[asterisk]\nami_prot = 5038\n\n" + SMALL)
    assert line == 'controller.toml:2: asterisk.ami_prot: is not a setting; did you mean "ami_port"?'


def test_no_asterisk_at_all_is_told(tmp_path: Path) -> None:
    """An empty list is no default."""
    assert "must have at least one" in only_mistake(tmp_path, "asterisk = []\n" + SMALL)


def test_the_plural_is_no_setting(tmp_path: Path) -> None:
    """It is written as it is in the file's own examples."""
    line = only_mistake(tmp_path, '[[asterisks]]\nname = "pbx-1"\n\n' + SMALL)
    assert line == 'controller.toml:1: asterisks: is not a setting; did you mean "asterisk"?'


def test_one_controller_may_serve_several_asterisks_from_a_file(tmp_path: Path) -> None:
    """With a database that others cannot reach, all must have one home, or none."""
    text = TWO.replace("postgresql+asyncpg://orikaeshi@127.0.0.1:5432/orikaeshi", "sqlite+aiosqlite:///a.db")
    assert len(load(tmp_path, text.replace("controller-2", "controller-1")).asterisks) == 2
