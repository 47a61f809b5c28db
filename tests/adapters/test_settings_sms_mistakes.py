"""How mistakes in the settings of SMS and of the web pages are told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.adapters.test_settings import SMALL, load, mistakes, only_mistake
from tests.adapters.test_settings_sms import ALL_SECRETS, BEARER, JSON, SMPP, TWILIO, VONAGE, WEB, of_file

if TYPE_CHECKING:
    from pathlib import Path

MENU = """\
[[menus]]
name = "m"
prompts = ["p"]
keys = { "1" = { booking_link = "support" } }
[[entrances]]
name = "e"
dialled_numbers = ["0120123456"]
leads_to = { menu = "m" }
"""
BASE_LINES = SMALL.count("\n")


def told(folder: Path, text: str) -> list[str]:
    """Return the mistakes of `text`, which stands behind `SMALL`, each with its line in `text`."""
    found = (
        re.fullmatch(r"controller\.toml:(\d+): (.*)", line) for line in mistakes(folder, SMALL + text, ALL_SECRETS)
    )
    return [f"{int(one[1]) - BASE_LINES}: {one[2]}" for one in found if one]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ('[sms]\ngateway = "twilio"\n', "2: sms.gateway: needs [sms.twilio]: the account there"),
        (
            '[sms]\ngateway = "pigeon"\n',
            '2: sms.gateway: must be "log", "twilio", "vonage", "json_http" or "smpp", not "pigeon"',
        ),
        (
            "[sms.twilio]\naccount_sid = 'AC1'\n",
            '1: sms.twilio: is not used: the gateway is "log"; write gateway = "twilio", or take this away',
        ),
        ('[sms]\ngateway = "vonage"\n[sms.vonage]\n', "3: sms.vonage.api_key: is missing"),
        (
            TWILIO.replace("AC1", "AC/1"),
            "4: sms.twilio.account_sid: must be as the provider shows it: letters, digits,",
        ),
        (TWILIO + "auth_token = 'x'\n", "5: sms.twilio.auth_token: is a secret and must not stand in this file"),
        (VONAGE + "api_secret = 'x'\n", "5: sms.vonage.api_secret: is a secret and must not stand in this file"),
        (SMPP + "password = 'x'\n", "6: sms.smpp.password: is a secret and must not stand in this file"),
        (SMPP + "window = 0\n", "6: sms.smpp.window: must be 1 or more, not 0"),
        (SMPP.replace("me", "mé"), "5: sms.smpp.system_id: must be plain ASCII letters, digits and signs"),
        (
            '[sms]\nsender = "Very long name"\n',
            '2: sms.sender: must be a phone number, or a name of up to 11 Latin letters and digits, as "Example"',
        ),
        ("[sms]\nmax_per_number = 0\n", "2: sms.max_per_number: must be 1 or more, not 0"),
        ("[sms]\nmax_cost = 9\n", "2: sms.max_cost: needs [[sms.tariffs]]: an SMS that costs nothing never reaches it"),
        (
            '[[sms.tariffs]]\nprefix = "+81"\nper_segment = 1\n[[sms.tariffs]]\nprefix = "+81"\nper_segment = 2\n',
            '5: sms.tariffs[2].prefix: "+81" stands there twice: one block for each prefix',
        ),
        (
            '[sms]\ncountries = ["US"]\n',
            '2: sms.countries[1]: no number of "US" is dialled: it is not in dialer.countries',
        ),
        ("[sms.breaker]\nmin_rate = 0\n", "2: sms.breaker.min_rate: must be more than 0, not 0"),
        (
            "[web]\nenabled = true\n",
            '1: web: needs public_url, the address that links lead to, as "https://callback.example.jp"',
        ),
        (
            WEB.replace("https", "http"),
            '3: web.public_url: must begin with https://, as "https://callback.example.jp":',
        ),
        (WEB.replace(".jp", ".jp/callback"), "3: web.public_url: must end after the host or port"),
        (WEB.replace(".jp", ".jp?x"), "3: web.public_url: must end after the host or port"),
        (WEB.replace("//", "//me:pw@"), "3: web.public_url: must not hold a name or password"),
        (WEB.replace("https://", ""), '3: web.public_url: must be an address, as "https://callback.example.jp", not'),
        (WEB + 'trusted_proxies = ["proxy"]\n', "4: web.trusted_proxies[1]: must be a network or an address, as"),
        (WEB + "link_lifetime_h = 0\n", "4: web.link_lifetime_h: must be more than 0, not 0"),
        ("[web]\nopen_page = true\n[sms]\nmax_per_prefix = { '+81' = 9 }\n", "2: web.open_page: needs enabled = true"),
        (
            WEB + "open_page = true\n",
            '4: web.open_page: needs a limit on SMS to JP: sms.max_cost, or sms.max_per_prefix with "+81"',
        ),
        (
            WEB + 'open_page = true\n[sms]\nmax_per_prefix = { "+8190" = 9 }\n',
            '4: web.open_page: needs a limit on SMS to JP: sms.max_cost, or sms.max_per_prefix with "+81"',
        ),
        (
            WEB + 'open_page = true\n[sms]\nmax_per_prefix = { "+81" = 9 }\n[sms.breaker]\nenabled = false\n',
            "8: sms.breaker.enabled: must be true with web.open_page: strangers can have codes sent to numbers",
        ),
        (
            BEARER,
            "19: sms.json_http.receipts: needs enabled = true in [web]: receipts and replies come in by it",
        ),
        (
            BEARER.replace("05012345678", "ExampleCo") + WEB,
            '3: sms.sender: "ExampleCo": a name cannot be replied to, and other texts say what can be replied; ',
        ),
        (
            MENU,
            "4: menus.m.keys.1: needs enabled = true in [web]: the link leads to its booking page",
        ),
        (
            '[[entrances]]\nname = "e"\ndialled_numbers = ["0120123456"]\nleads_to = { booking_link = "suport" }\n'
            + WEB,
            '4: entrances.e.leads_to: there is no queue "suport"; did you mean "support"?',
        ),
    ],
)
def test_each_mistake_is_told_with_its_line_and_what_to_do(tmp_path: Path, text: str, wrong: str) -> None:
    """Alone, but for what follows from having no provider at all."""
    lines = told(tmp_path, text)
    assert lines
    assert lines[0].startswith(wrong)
    if text != BEARER:
        assert len(lines) == 1, lines


def test_what_is_shown_for_an_open_page_is_in_order(tmp_path: Path) -> None:
    """Either limit will do."""
    by_prefix = '[sms]\nmax_per_prefix = { "+81" = 9 }\n'
    by_cost = '[sms]\nmax_cost = 9\n[[sms.tariffs]]\nprefix = "+81"\nper_segment = 3\n'
    for limit in (by_prefix, by_cost):
        assert of_file(tmp_path, f"{WEB}open_page = true\n{limit}").web.open_page


def test_a_sender_by_name_is_a_mistake_only_beside_numbers_that_can_be_replied_to(tmp_path: Path) -> None:
    """One way for all is a decision; both is a promise that one of them breaks."""
    text = SMALL.replace("[[agents]]", 'sms_sender = "ExampleCo"\n[[agents]]')
    two_way = (TWILIO + WEB).replace("[sms]\n", '[sms]\nsender = "05012345678"\n')
    (line,) = mistakes(tmp_path, text + two_way, ALL_SECRETS)
    assert 'queues.support.sms_sender: "ExampleCo": a name cannot be replied to' in line
    assert load(tmp_path, text + TWILIO + WEB, ALL_SECRETS).sms_two_way is False
    assert load(tmp_path, text + '[sms]\nsender = "05012345678"\n', ALL_SECRETS).sms_two_way is False


def test_a_secret_among_the_fields_of_a_provider_is_written_as_a_word(tmp_path: Path) -> None:
    """The word is no secret; what else stands in its place may be one."""
    fields = JSON.replace("{number}", '{number}", token = "{secret}')
    assert of_file(tmp_path, fields).needed_secrets[-1] == "ORIKAESHI_SMS_SECRET"
    line = only_mistake(tmp_path, SMALL + fields.replace("{secret}", "hunter2"))
    assert "sms.json_http.body.token: is a secret and must not stand in this file" in line
    assert 'write "{secret}" here' in line
    assert "hunter2" not in line
