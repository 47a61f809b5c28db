"""The commands about SMS: texts as they would be sent, what became of those that were, and what customers wrote."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from controller.domain.effects import SendSms, SmsTemplate
from controller.domain.sms_limits import SmsBill, SmsLimits
from controller.ports.sms import Accepted, IncomingSms, Refused, Unclear
from controller.settings.first_file import DEFAULT_TEMPLATE, with_value
from controller.store import open_store
from tests.adapters.command_line import CommandLine
from tests.contract.store_under_test import HandClock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from controller.ports.sms import SendResult
    from controller.store import Store

NUMBER, MASKED = "+819012345678", "+81901234****"
OTHER, OTHER_MASKED = "+818011112222", "+81801111****"
REFUSAL = f"the provider does not know {OTHER}"
BOTH_WAYS = """
[sms.smpp]
host = "127.0.0.1"
system_id = "orikaeshi"
"""
PAGES = """
[[web_pages]]
name = "hours"
url = "https://example.jp/hours"
title_ja = "営業時間のご案内"
title_en = "Opening hours"
"""
TARIFFS = """
[[sms.tariffs]]
prefix = "+81"
per_segment = 8

[[sms.tariffs]]
prefix = "+8190"
per_segment = 9.5
"""


@pytest.fixture
def controller(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """Give the command line."""
    return CommandLine(capsys)


def written(folder: Path, more: str = "", **values: dict[str, str]) -> Path:
    """Write the default settings with a database beside them, other values, and something more behind."""
    text = DEFAULT_TEMPLATE.read_text("utf-8")
    for table, keys in values.items():
        for key, value in keys.items():
            text = with_value(text, table, key, value)
    path = folder / "controller.toml"
    path.write_text(f"{text}\n{more}", encoding="utf-8")
    return path


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """Write the default settings: no provider, no pages."""
    return written(tmp_path)


@pytest.fixture
def linked(tmp_path: Path) -> Path:
    """Write settings with the booking page, a provider that brings replies, tariffs, and a page of the site."""
    more = f"{BOTH_WAYS}{PAGES}{TARIFFS}"
    path = written(tmp_path, more, sms={"gateway": '"smpp"'}, web={"enabled": "true", "open_page": "true"})
    text = path.read_text("utf-8")
    text = text.replace('#sender = "05012345678"', 'sender = "05012345678" #').replace("#public_url", "public_url")
    text = text.replace("#max_cost", "max_cost", 1)
    path.write_text(text, encoding="utf-8")
    return path


def in_store(folder: Path, work: Callable[[Store], Awaitable[None]]) -> None:
    """Do something in the database, as a controller would."""
    ids = iter(f"{number:016x}" for number in range(100))

    async def go() -> None:
        url = f"sqlite+aiosqlite:///{folder}/orikaeshi.db"
        async with open_store(url, policies={}, clock=HandClock(), new_id=lambda: next(ids)) as store:
            await work(store)

    asyncio.run(go())


async def send(store: Store, template: SmsTemplate, number: str, result: SendResult | None) -> None:
    """Owe an SMS, and hand it over with this result; None: nobody has yet."""
    clock = HandClock()
    await store.texts.owe(SendSms(f"{template}:{number}", template, number, "ja", "support"))
    if result is None:
        return
    sms = await store.outbox.due(clock.now())
    assert sms is not None
    await store.outbox.claim(sms, SmsBill(1), SmsLimits(), clock.now())
    await store.outbox.record(sms, result, clock.now())


@pytest.fixture
def outbox(tmp_path: Path, settings: Path) -> Path:
    """Fill the outbox: one that was sent, one that may have been, one that was refused, one that nobody sent yet."""

    async def fill(store: Store) -> None:
        await send(store, SmsTemplate.EXPIRED, NUMBER, Unclear("it answered nothing"))
        await send(store, SmsTemplate.GAVE_UP, OTHER, Refused(REFUSAL, None))
        await send(store, SmsTemplate.NOT_REACHED, NUMBER, Accepted("r-1"))
        await send(store, SmsTemplate.MISSED_YOU, OTHER, None)

    in_store(tmp_path, fill)
    return settings


def column(said: Any, name: str) -> list[Any]:
    """Return one field of each SMS."""
    return [one[name] for one in said.data["sms"]]


def test_a_preview_shows_each_text_that_can_be_sent(controller: CommandLine, settings: Path) -> None:
    """In both languages, with its length, as the first queue signs; without what the settings never send."""
    shown = controller("sms", "preview", "--settings", settings, "--json").data["texts"]
    never = {SmsTemplate.WEB_PAGE, SmsTemplate.BOOKING_LINK, SmsTemplate.CODE}
    assert {(one["template"], one["language"]) for one in shown} == {
        (template, language) for template in SmsTemplate if template not in never for language in ("ja", "en")
    }
    first = shown[0]
    assert first == {
        "template": "not_reached",
        "language": "ja",
        "queue": "support",
        "alphabet": "UCS-2",
        "units": len(first["text"]),
        "segments": 1,
        "left_in_segment": 70 - len(first["text"]),
        "text": "【サポート窓口】折り返しお電話しましたが、つながりませんでした。"
        "改めておかけします。お急ぎの方は03-1234-5678まで。",
    }


def test_a_preview_for_a_person_is_a_table(controller: CommandLine, settings: Path) -> None:
    """Of one text in one language, and what the texts count with."""
    said = controller("sms", "preview", "expired", "--language", "en", "--settings", settings)
    lines = said.out.splitlines()
    assert lines[0].split() == ["template", "language", "alphabet", "units", "segments", "text"]
    assert lines[2].startswith("expired   en        GSM-7     102    1         Support: we are sorry, we could not")
    assert lines[-1] == "replies are not read; there is no booking page"


def test_a_preview_has_the_links_and_the_prices_of_the_settings(controller: CommandLine, linked: Path) -> None:
    """A link as long as a real one, what can be replied, and the tariff of a mobile phone at home."""
    said = controller("sms", "preview", "--settings", linked, "--json").data
    assert said["two_way"] is True
    shown = {(one["template"], one["language"]): one for one in said["texts"]}
    assert {template for template, _ in shown} == set(SmsTemplate)
    unreached = shown["not_reached", "ja"]
    assert unreached["text"].endswith(f"または https://callback.example.jp/l/{'x' * 24}")
    assert unreached["segments"] == 2
    assert unreached["cost"] == 2 * 9.5
    assert shown["web_page", "en"]["page"] == "hours"
    assert "https://example.jp/hours" in shown["web_page", "en"]["text"]
    assert "確認コード 123456(10分間有効)" in shown["code", "ja"]["text"]
    table = controller("sms", "preview", "web_page", "--settings", linked).out
    assert "cost" in table.splitlines()[0]
    assert "web_page hours" in table
    assert table.splitlines()[-1] == "replies are read; texts carry a link"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["preview", "--queue", "sales"], 'there is no queue "sales"; there are: support'),
        (["preview", "code"], "it needs [web] enabled = true, open_page = true"),
        (["preview", "booking_link"], "it needs [web] enabled = true"),
        (["preview", "web_page"], "it needs [[web_pages]]"),
        (["preview", "--status", "sent"], "`controller sms preview` does not take --status"),
        (["list", "expired", "--needs-person"], "does not take --needs-person, template"),
        (["replies", "--number", "090-1234-5678"], "does not take --number"),
    ],
)
def test_what_makes_no_sense_is_refused(controller: CommandLine, settings: Path, words: list[str], why: str) -> None:
    """With the exit code of wrong usage, and why."""
    said = controller("sms", *words, "--settings", settings)
    assert (said.code, said.out) == (2, "")
    assert why in said.err


def test_what_did_not_arrive_is_listed_first(controller: CommandLine, outbox: Path) -> None:
    """With the reason; then all else, newest first."""
    said = controller("sms", "list", "--settings", outbox, "--json")
    assert column(said, "status") == ["failed", "unknown", "queued", "sent"]
    assert column(said, "error") == [REFUSAL.replace(OTHER, OTHER_MASKED), "it answered nothing", "", ""]
    assert column(controller("sms", "list", "--limit", "3", "--settings", outbox, "--json"), "status") == [
        "failed",
        "unknown",
        "queued",
    ]
    assert column(controller("sms", "list", "--limit", "1", "--settings", outbox, "--json"), "status") == ["failed"]


def test_a_list_can_be_of_some_states_and_of_one_number(controller: CommandLine, outbox: Path) -> None:
    """Written as at home, or with its country."""
    some = controller("sms", "list", "--status", "sent", "--status", "queued", "--settings", outbox, "--json")
    assert column(some, "template") == ["missed_you", "not_reached"]
    for number in ("090-1234-5678", "+819012345678"):
        said = controller("sms", "list", "--number", number, "--settings", outbox, "--json")
        assert column(said, "template") == ["expired", "not_reached"]
    assert controller("sms", "list", "--number", "+447400123456", "--settings", outbox).out == "no SMS\n"
    wrong = controller("sms", "list", "--number", "nobody", "--settings", outbox)
    assert (wrong.code, wrong.err) == (2, "this is no phone number\n")


def test_numbers_are_masked_unless_they_are_asked_for(controller: CommandLine, outbox: Path) -> None:
    """Also in what a provider said, and for a program."""
    for form in ([], ["--json"]):
        masked = controller("sms", "list", "--settings", outbox, *form).out
        assert NUMBER not in masked.replace(f":{NUMBER}", "")  # the key of this test's SMS is made of its number
        assert MASKED in masked
        assert f"does not know {OTHER_MASKED}" in masked
        whole = controller("sms", "list", "--show-numbers", "--settings", outbox, *form).out
        assert NUMBER in whole
        assert f"does not know {OTHER}" in whole


LONG = "明日の午後は会議ですので、その後でお願いしたいのですが、" * 5


@pytest.fixture
def replied(tmp_path: Path, settings: Path) -> Path:
    """Let three customers reply: one was understood, one was not, and one nobody has read yet."""

    async def write(store: Store) -> None:
        now = HandClock().now()
        for event, text in (("e-1", "1"), ("e-2", LONG), ("e-3", f"\x1b[2Jcall {OTHER} instead")):
            await store.inbox.note_reply(IncomingSms("smpp", event, NUMBER, "+815012345678", text), now)
        understood, unclear, _ = await store.inbox.unhandled()
        await store.inbox.settle(understood.id, "call_now", needs_person=False, now=now)
        await store.inbox.settle(unclear.id, "not_understood", needs_person=True, now=now)

    in_store(tmp_path, write)
    return settings


def test_replies_are_listed_with_what_they_were_taken_for(controller: CommandLine, replied: Path) -> None:
    """Newest first; for a person a long one is cut, and what could turn over a terminal is shown as question marks."""
    lines = controller("sms", "replies", "--settings", replied).out.splitlines()
    assert lines[0].split("  ")[0] == "received"
    assert [MASKED in line for line in lines[2:]] == [True, True, True]
    assert f"?[2Jcall {OTHER_MASKED} instead" in lines[2]
    assert "not yet" in lines[2]
    assert lines[3].endswith(f"{LONG[:79]}…")
    assert "not_understood" in lines[3]
    assert "needed" in lines[3]
    assert "call_now" in lines[4]


def test_replies_for_a_program_are_whole(controller: CommandLine, replied: Path) -> None:
    """As they were written, but for the numbers in them."""
    found = controller("sms", "replies", "--settings", replied, "--json").data["replies"]
    assert [one["text"] for one in found] == [f"\x1b[2Jcall {OTHER_MASKED} instead", LONG, "1"]
    assert [one["number"] for one in found] == [MASKED] * 3
    assert [one["handled_at"] is None for one in found] == [True, False, False]
    whole = controller("sms", "replies", "--show-numbers", "--settings", replied, "--json").data["replies"]
    assert whole[0]["text"] == f"\x1b[2Jcall {OTHER} instead"


def test_only_replies_that_a_person_has_to_read_can_be_asked_for(controller: CommandLine, replied: Path) -> None:
    """And so many of them."""
    found = controller("sms", "replies", "--needs-person", "--settings", replied, "--json").data["replies"]
    assert [one["meaning"] for one in found] == ["not_understood"]
    newest = controller("sms", "replies", "--limit", "1", "--settings", replied, "--json").data["replies"]
    assert [one["meaning"] for one in newest] == [None]


def test_a_look_needs_a_database(controller: CommandLine, settings: Path) -> None:
    """And makes none."""
    said = controller("sms", "list", "--settings", settings)
    assert (said.code, "There is no database" in said.err) == (1, True)
