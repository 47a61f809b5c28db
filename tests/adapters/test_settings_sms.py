"""SMS and the web pages in the settings file: what they become, which secrets they need, and how mistakes are told."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from controller.domain.phone_number import DialableNumber, Refusal, check
from controller.domain.sms_limits import Breaker, SmsLimits
from controller.settings import load_settings
from controller.settings.first_file import DEFAULT_TEMPLATE
from controller.sms.smpp_account import LongTexts, MessageIds, SmppAccount
from controller.sms.twilio import TwilioAccount
from controller.sms.vonage import VonageAccount
from tests.adapters.test_settings import ENV, SMALL, load, mistakes

if TYPE_CHECKING:
    from controller.settings import Settings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "sms-json.md"
BEARER, FORM = re.findall(r"^```toml\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
WEB = '[web]\nenabled = true\npublic_url = "https://callback.example.jp"\n'
TWILIO = '[sms]\ngateway = "twilio"\n[sms.twilio]\naccount_sid = "AC1"\n'
VONAGE = '[sms]\ngateway = "vonage"\n[sms.vonage]\napi_key = "0a1b2c3d"\n'
SMPP = '[sms]\ngateway = "smpp"\n[sms.smpp]\nhost = "smsc.example.jp"\nsystem_id = "me"\n'
JSON = """\
[sms]
gateway = "json_http"
[sms.json_http]
url = "https://sms.example.jp/send"
body = { to = "{number}", text = "{text}" }
"""
ALL_SECRETS = {
    **ENV,
    "ORIKAESHI_SMS_SECRET": "pr0v1der",
    "ORIKAESHI_SMS_WEBHOOK_SECRET": "s1gned-by-the-provider",
    "ORIKAESHI_WEB_SECRET": "w3b-0123456789abcdef0123456789abcdef",
}


def of_file(folder: Path, text: str) -> Settings:
    """Load `SMALL` and `text`, with every secret there is."""
    return load(folder, SMALL + text, ALL_SECRETS)


def test_without_a_word_sms_are_logged_and_no_page_is_served(tmp_path: Path) -> None:
    """Limits hold all the same; no secret is asked for."""
    settings = load(tmp_path, SMALL)
    assert (settings.sms.gateway, settings.web.enabled, settings.sms_two_way) == ("log", False, False)
    assert settings.sms.limits == SmsLimits(per_number=10, breaker=Breaker())
    assert settings.sms_senders == {"support": "+81312345678"}
    (queue,) = settings.queues
    assert (queue.confirm_sms, queue.sms_sender, queue.late_notice_s) == (False, None, 300)


def test_limits_and_tariffs_become_what_the_domain_counts(tmp_path: Path) -> None:
    """Money in thousandths, as for calls."""
    settings = of_file(
        tmp_path,
        """
[sms]
max_per_number = 4
max_per_prefix = { "+8190" = 7 }
max_cost = 12.5
[[sms.tariffs]]
prefix = "+81"
per_segment = 8.25
[sms.breaker]
min_sent = 30
min_rate = 0.5
window_s = 600
range_digits = 7
""",
    )
    breaker = Breaker(window_s=600, min_sent=30, min_rate=0.5, range_digits=7)
    assert settings.sms.limits == SmsLimits(4, {"+8190": 7}, 12_500, breaker)
    assert settings.sms.tariffs_milli == {"+81": 8250}
    assert of_file(tmp_path, "[sms.breaker]\nenabled = false\n").sms.limits.breaker is None


def test_sms_go_to_the_countries_of_the_dialer_or_to_fewer(tmp_path: Path) -> None:
    """Denied prefixes and our own numbers hold for both."""
    text = SMALL.replace("[dialer]", '[dialer]\ncountries = ["JP", "US"]\ndenied_prefixes = ["+8170"]')
    wide, narrow = (load(tmp_path, text + more, ALL_SECRETS) for more in ("", '[sms]\ncountries = ["JP"]\n'))
    assert isinstance(check("+12025550123", wide.sms_plan), DialableNumber)
    assert check("+12025550123", narrow.sms_plan) is Refusal.COUNTRY
    assert check("07012345678", wide.sms_plan) is Refusal.PREFIX
    assert check("0312345678", wide.sms_plan) is Refusal.OWN


def test_accounts_become_what_their_gateways_know(tmp_path: Path) -> None:
    """With the secret that comes from the environment."""
    twilio = of_file(tmp_path, TWILIO + 'messaging_service_sid = "MG1"\n').sms.twilio
    assert twilio is not None
    assert twilio.account("s") == TwilioAccount("AC1", "s", messaging_service_sid="MG1")
    vonage = of_file(tmp_path, VONAGE).sms.vonage
    assert vonage is not None
    assert vonage.account("s") == VonageAccount("0a1b2c3d", "s")
    smpp = of_file(
        tmp_path,
        SMPP + 'tls = true\nca_file = "ca.pem"\nlong_texts = "payload"\nmessage_ids = "decimal"\nvalidity_h = 2\n',
    ).sms.smpp
    assert smpp is not None
    assert smpp.account("s", home="JP") == SmppAccount(
        "smsc.example.jp",
        2775,
        "me",
        "s",
        tls=True,
        ca_file=tmp_path / "ca.pem",
        long_texts=LongTexts.PAYLOAD,
        message_ids=MessageIds.DECIMAL,
        validity_s=7200,
    )


def test_an_account_that_leaves_all_else_out_is_as_its_gateway_has_it(tmp_path: Path) -> None:
    """The defaults stand in two places, and are the same."""
    smpp = of_file(tmp_path, SMPP).sms.smpp
    assert smpp is not None
    assert smpp.account("s", home="JP") == SmppAccount("smsc.example.jp", 2775, "me", "s")


def test_what_is_shown_of_an_account_in_the_default_file_is_in_order(tmp_path: Path) -> None:
    """One provider after the other, with the blank and # taken away in front of it."""
    lines = DEFAULT_TEMPLATE.read_text("utf-8")
    for name in ("twilio", "vonage", "json_http", "smpp"):
        block = re.search(rf"^# \[sms\.{name}\].*?\n\n", lines, re.MULTILINE | re.DOTALL)
        assert block is not None
        shown = re.sub(r"^# ", "", block[0], flags=re.MULTILINE)
        if name == "json_http":
            shown = shown.replace('user = "account"\nheader = "X-Key"\n', "")
        settings = of_file(tmp_path, f'{WEB}[sms]\ngateway = "{name}"\nsender = "05012345678"\n{shown}')
        assert settings.sms_two_way


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("", set()),
        (WEB, {"WEB"}),
        (TWILIO, {"SMS"}),
        (TWILIO + WEB, {"SMS", "WEB"}),
        (TWILIO + 'api_key_sid = "SK1"\n', {"SMS"}),
        (TWILIO + 'api_key_sid = "SK1"\n' + WEB, {"SMS", "SMS_WEBHOOK", "WEB"}),
        (VONAGE, {"SMS"}),
        (VONAGE + WEB, {"SMS", "SMS_WEBHOOK", "WEB"}),
        (SMPP, {"SMS"}),
        (JSON, set()),
        (JSON + 'auth = "bearer"\n', {"SMS"}),
        (JSON + 'headers = { X-Key = "{secret}" }\n', {"SMS"}),
        (BEARER + WEB, {"SMS", "SMS_WEBHOOK", "WEB"}),
        (FORM + WEB, {"SMS", "SMS_WEBHOOK", "WEB"}),
    ],
)
def test_exactly_the_secrets_that_a_file_needs_are_asked_for(tmp_path: Path, text: str, needed: set[str]) -> None:
    """And with them it is complete."""
    variables = {f"ORIKAESHI_{name}_SECRET" for name in needed}
    settings = of_file(tmp_path, text)
    assert set(settings.needed_secrets) == set(ENV) | variables
    complete = load(tmp_path, SMALL + text, {**ENV, **{name: ALL_SECRETS[name] for name in variables}})
    assert complete.sms == settings.sms
    for missing in variables:
        env = {name: value for name, value in ALL_SECRETS.items() if name != missing}
        (line,) = mistakes(tmp_path, SMALL + text, env)
        assert line.startswith(f"environment: {missing}: is not set (")


@pytest.mark.parametrize(
    ("variable", "value", "told_of_it"),
    [
        ("WEB", "0123456789012345678901234567890", "is too short to be a secret: 32 characters or more"),
        ("SMS_WEBHOOK", "0123456789abcde", "is too short to be a secret: 16 characters or more"),
        ("SMS", "a\nb", "holds a line break or another control character"),
    ],
)
def test_a_secret_that_is_none_is_told_without_being_shown(
    tmp_path: Path, variable: str, value: str, told_of_it: str
) -> None:
    """Its length is what can be known of it."""
    name = f"ORIKAESHI_{variable}_SECRET"
    lines = mistakes(tmp_path, SMALL + VONAGE + WEB, {**ALL_SECRETS, name: value})
    assert lines == [f"environment: {name}: {told_of_it}"]
    too_long = {**ALL_SECRETS, "ORIKAESHI_SMS_SECRET": "123456789"}
    (line,) = mistakes(tmp_path, SMALL + SMPP, too_long)
    assert "in SMPP 3.4 a password has 8 characters at most" in line


def test_no_secret_is_shown_and_one_that_is_not_needed_is_not_even_read(tmp_path: Path) -> None:
    """Settings may be logged or printed without harm."""
    settings = of_file(tmp_path, VONAGE + WEB)
    assert settings.secrets.sms_webhook.get_secret_value() == ALL_SECRETS["ORIKAESHI_SMS_WEBHOOK_SECRET"]
    assert not [value for value in ALL_SECRETS.values() if value in repr(settings)]
    assert of_file(tmp_path, TWILIO + WEB).secrets.sms_webhook.get_secret_value() == ""


@pytest.mark.parametrize(
    ("text", "sender", "two_way"),
    [
        (TWILIO + WEB, "05012345678", True),
        (TWILIO, "05012345678", False),
        (TWILIO + WEB, "Example", False),
        (TWILIO + WEB, None, False),
        (TWILIO + 'messaging_service_sid = "MG1"\n' + WEB, None, True),
        (VONAGE + WEB, "05012345678", True),
        (SMPP, "20012", True),
        (SMPP, "Example", False),
        (BEARER.replace('sender = "05012345678"\n', "") + WEB, "05012345678", True),
        (BEARER.replace('sender = "05012345678"\n', "") + WEB, None, False),
        (FORM.replace('sender = "20012"\n', "") + WEB, "20012", False),
        ("[sms]\n", "05012345678", False),
    ],
)
def test_customers_can_reply_where_the_sender_is_a_number_and_we_hear_of_it(
    tmp_path: Path, text: str, sender: str | None, *, two_way: bool
) -> None:
    """The texts say so only then. The number of the trunk, without a word on it, takes no SMS."""
    named = text.replace("[sms]\n", f'[sms]\nsender = "{sender}"\n', 1) if sender else text
    assert of_file(tmp_path, named).sms_two_way is two_way


def test_each_queue_has_its_sender(tmp_path: Path) -> None:
    """Its own, that of the house, or the number that is called; numbers as E.164 where they are one."""
    text = SMALL.replace("[[agents]]", 'sms_sender = "ExampleCo"\n[[agents]]') + '[sms]\nsender = "20012"\n'
    assert load(tmp_path, text).sms_senders == {"support": "ExampleCo"}
    assert load(tmp_path, SMALL + '[sms]\nsender = "20012"\n').sms_senders == {"support": "20012"}
    assert load(tmp_path, SMALL + '[sms]\nsender = "05012345678"\n').sms_senders == {"support": "+815012345678"}


def test_loopback_needs_no_tls(tmp_path: Path) -> None:
    """For a first look, and for tests."""
    for url in ("http://127.0.0.1:8090/", "http://localhost:8090", "http://[::1]:8090"):
        assert of_file(tmp_path, f'[web]\nenabled = true\npublic_url = "{url}"\n').web.public_url == url.rstrip("/")


def test_the_file_alone_can_be_checked_without_any_secret(tmp_path: Path) -> None:
    """As `controller check` does."""
    path = tmp_path / "controller.toml"
    path.write_text(SMALL + BEARER + WEB, encoding="utf-8")
    assert load_settings(path, {}, needs_secrets=False).secrets.web.get_secret_value() == ""
