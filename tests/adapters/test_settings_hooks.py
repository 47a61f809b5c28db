"""Webhooks in the settings file: what they become, which secrets they need, and how mistakes are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from controller.ports.hooks import HookWish
from controller.settings import load_settings
from tests.adapters.hook_receiver import OLD_SECRET, SECRET
from tests.adapters.test_settings import ENV, SMALL, load, mistakes

if TYPE_CHECKING:
    from pathlib import Path

CRM = '[[hooks]]\nname = "crm"\nurl = "https://crm.example.jp/in?token=s3cr3t"\n'
CHAT = '[[hooks]]\nname = "chat-tool"\nurl = "https://chat.example.jp/in"\nevents = ["call.ended", "sms.*"]\n'
WITH_SECRETS = {**ENV, "ORIKAESHI_HOOK_CRM": SECRET, "ORIKAESHI_HOOK_CHAT_TOOL": f"{SECRET},{OLD_SECRET}"}


def only_mistake(folder: Path, hook: str) -> str:
    """Return the one mistake of a file with this hook, without where it is."""
    (line,) = mistakes(folder, SMALL + hook, WITH_SECRETS)
    return line.partition(": ")[2]


def test_without_a_word_nobody_hears_of_anything(tmp_path: Path) -> None:
    """And no secret is asked for."""
    settings = load(tmp_path, SMALL)
    assert (settings.hooks, settings.hook_wishes) == ((), ())


def test_hooks_become_what_the_house_knows(tmp_path: Path) -> None:
    """What is not said is careful: promises alone, numbers masked, https, nobody in the house."""
    settings = load(tmp_path, SMALL + CRM + CHAT, WITH_SECRETS)
    assert settings.hook_wishes == (
        HookWish("crm", "https://crm.example.jp/in?token=s3cr3t", ("promise.*",)),
        HookWish("chat-tool", "https://chat.example.jp/in", ("call.ended", "sms.*")),
    )
    (crm, _) = settings.hooks
    assert (crm.with_numbers, crm.enabled, crm.allow_http, crm.allow_private) == (False, True, False, False)
    assert settings.secrets.hooks["crm"].get_secret_value() == SECRET
    assert settings.needed_secrets[-2:] == ("ORIKAESHI_HOOK_CRM", "ORIKAESHI_HOOK_CHAT_TOOL")
    assert settings.unset_secrets(ENV) == ["ORIKAESHI_HOOK_CRM", "ORIKAESHI_HOOK_CHAT_TOOL"]
    assert SECRET not in repr(settings)


def test_the_address_may_be_a_secret_and_is_not_shown(tmp_path: Path) -> None:
    """Only who is there."""
    (wish,) = load(tmp_path, SMALL + CRM, WITH_SECRETS).hook_wishes
    assert wish.shown_url == "https://crm.example.jp"
    assert "s3cr3t" not in repr(wish)


def test_a_hook_that_is_off_needs_no_secret(tmp_path: Path) -> None:
    """Nothing is sent to it."""
    settings = load(tmp_path, SMALL + CRM + "enabled = false\n")
    assert not settings.hook_wishes[0].enabled


def test_a_command_that_only_reads_the_file_needs_none_either(tmp_path: Path) -> None:
    """`check`, and whatever changes a promise from outside, which owes hooks all the same."""
    (tmp_path / "controller.toml").write_text(SMALL + CRM, encoding="utf-8")
    settings = load_settings(tmp_path / "controller.toml", {}, needs_secrets=False)
    assert [wish.name for wish in settings.hook_wishes] == ["crm"]


@pytest.mark.parametrize(
    ("secret", "told"),
    [
        (None, "is not set: `echo whsec_$(openssl rand -base64 32)` makes one, for both sides"),
        ("hunter2-hunter2-hunter2", 'must begin with "whsec_"'),
        ("whsec_c2hvcnQ=", "must be 24 to 64 random bytes in Base64"),
        ("whsec_***", 'must be Base64 after "whsec_"'),
        (f"{SECRET} {SECRET} {SECRET}", "must be one secret, or two apart by a comma"),
    ],
)
def test_a_secret_that_is_missing_or_weak_is_told_and_not_repeated(
    tmp_path: Path, secret: str | None, told: str
) -> None:
    """By the name of its variable."""
    env = dict(ENV) if secret is None else {**ENV, "ORIKAESHI_HOOK_CRM": secret}
    (line,) = mistakes(tmp_path, SMALL + CRM, env)
    assert "ORIKAESHI_HOOK_CRM" in line
    assert told in line
    assert secret is None or secret not in line


@pytest.mark.parametrize(
    ("hook", "told"),
    [
        ('[[hooks]]\nname = "crm"\nurl = "crm.example.jp"\n', "hooks.crm.url: must be an address"),
        ('[[hooks]]\nname = "crm"\nurl = "https://u:p@crm.example.jp/"\n', "must not hold a name or password"),
        ('[[hooks]]\nname = "crm"\nurl = "http://crm.example.jp/"\n', "must begin with https://"),
        (CRM + 'events = ["promise.maid"]\n', 'did you mean "promise.made"?'),
        (CRM + "events = []\n", "hooks.crm.events: "),
        (CRM + 'secret = "whsec_x"\n', "is a secret and must not stand in this file"),
        ('[[hooks]]\nname = "crm"\nurl = "https://10.0.0.5/in"\n', "write allow_private = true"),
        ('[[hooks]]\nname = "crm"\nurl = "https://[::1]/in"\n', "write allow_private = true"),
        (
            '[[hooks]]\nname = "crm"\nurl = "https://169.254.169.254/in"\nallow_private = true\n',
            "this is where a cloud keeps its credentials",
        ),
        ('[[hooks]]\nname = "crm"\nurl = "https://2130706433/in"\nallow_private = true\n', "this is no address"),
        (CRM + CRM.replace('"crm"', '"CRM"'), 'is too much like "crm": both would have the same secret'),
    ],
)
def test_a_mistake_is_told_with_what_to_write(tmp_path: Path, hook: str, told: str) -> None:
    """One line each; an address with a secret in it is not repeated."""
    line = only_mistake(tmp_path, hook)
    assert told in line
    assert "s3cr3t" not in line


def test_a_name_stands_there_once(tmp_path: Path) -> None:
    """Deliveries go by it."""
    (line,) = mistakes(tmp_path, SMALL + CRM + CRM, WITH_SECRETS)
    assert "hooks" in line
    assert "crm" in line


def test_a_receiver_in_the_house_is_allowed_by_name(tmp_path: Path) -> None:
    """Without encryption only where that is said too."""
    hook = '[[hooks]]\nname = "crm"\nurl = "http://192.168.1.5:8080/in"\nallow_http = true\nallow_private = true\n'
    (crm,) = load(tmp_path, SMALL + hook, WITH_SECRETS).hooks
    assert crm.allow_http
    assert crm.allow_private
