from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.effects import SmsTemplate
from controller.domain.menu import WebPage
from controller.domain.replies import CallAt, CallNow, CancelIt, Stop, understand
from controller.sms.templates import FIELDS, PHRASES, TEMPLATES, WITH_LINK
from controller.sms.texts import LANGUAGES, Signature, UnknownTextError, render, renderer, window
from tests.adapters.sms_writing import ALL, HOURS, LINK, NOW, ONE_WAY, SALES, SHOWN, TIMES, TOKYO, TWO_WAY, queued


@pytest.mark.parametrize(("template", "language"), ALL)
def test_a_link_is_in_each_text_that_can_carry_one_and_in_no_other(template: SmsTemplate, language: str) -> None:
    """Once, and set apart by blanks, so that a phone sees where it ends."""
    for write in (ONE_WAY, TWO_WAY):
        text = write(queued(template, language), LINK)
        assert text.count(LINK) == (template in WITH_LINK)
        behind = text.partition(LINK)[2]
        assert behind == "" or behind.startswith(" ")


TELL_HOW = {SmsTemplate.NOT_REACHED, SmsTemplate.RUNNING_LATE, SmsTemplate.GAVE_UP, SmsTemplate.TIME_TAKEN}


@pytest.mark.parametrize(("template", "language"), ALL)
@pytest.mark.parametrize("link", [None, LINK])
def test_only_where_replies_are_read_is_one_asked_for(template: SmsTemplate, language: str, link: str | None) -> None:
    """A reply that nobody reads would be a promise broken."""
    if template is SmsTemplate.BOOKING_LINK and link is None:
        return
    asks = ("返信ください", "とご返信", "のご返信か", "「停止」", "reply", "Reply")
    sms = queued(template, language)
    said = [
        any(word in write(sms, link).replace("understand your reply", "") for word in asks)
        for write in (ONE_WAY, TWO_WAY)
    ]
    assert said == [False, template in {*TELL_HOW, SmsTemplate.REPLY_HELP}]


@pytest.mark.parametrize(("template", "language"), ALL)
def test_each_text_names_the_number_except_where_none_calls(template: SmsTemplate, language: str) -> None:
    """A page and a code are not about a call."""
    silent = {SmsTemplate.WEB_PAGE, SmsTemplate.CODE}
    for write in (ONE_WAY, TWO_WAY):
        assert (SHOWN in write(queued(template, language), LINK)) == (template not in silent)


def test_what_our_texts_say_can_be_replied_is_understood() -> None:
    """Word for word, in both languages."""
    said = {
        "1": CallNow(),
        "2": CancelIt(),
        "停止": Stop(),
        "STOP": Stop(),
        "16時": CallAt(datetime(2026, 11, 24, 7, tzinfo=UTC)),
        "4pm": CallAt(datetime(2026, 11, 24, 7, tzinfo=UTC)),
        "17時": CallAt(datetime(2026, 11, 24, 8, tzinfo=UTC)),
        "5pm": CallAt(datetime(2026, 11, 24, 8, tzinfo=UTC)),
        "明日15時": CallAt(datetime(2026, 11, 25, 6, tzinfo=UTC)),
        "tomorrow 3pm": CallAt(datetime(2026, 11, 25, 6, tzinfo=UTC)),
    }
    assert {text: understand(text, NOW, TOKYO) for text in said} == said
    shown = " ".join(TWO_WAY(queued(template, language), LINK) for template, language in ALL)
    shown += " ".join(TWO_WAY(queued(template, language), None) for template, language in ALL if template in TELL_HOW)
    nowhere = [text for text in said if text not in shown]
    assert nowhere == []


@given(st.integers(0, 2 * 365 * 24 * 60), st.integers(1, 28 * 24 * 12))
def test_the_reply_that_takes_the_nearest_time_is_understood_as_that_time(minutes: int, steps: int) -> None:
    """Whatever is shown as what to reply, and the window itself as it is shown."""
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    starts_at = now.replace(minute=0, second=0, microsecond=0) + steps * timedelta(minutes=5)
    ends_at = starts_at + timedelta(minutes=30)
    if starts_at <= now:
        return
    sms = replace(
        queued("time_taken"),
        details={"starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat()},
        queued_at=now,
    )
    reply = TWO_WAY(sms, None).partition("「")[2].partition("」")[0]
    assert understand(reply, now, TOKYO) == CallAt(starts_at)
    since, until = starts_at.astimezone(TOKYO), ends_at.astimezone(TOKYO)
    if since.hour >= 8 and since.date() == until.date():  # 1:00 alone is one o'clock in the afternoon
        for language in LANGUAGES:
            assert understand(window(starts_at, ends_at, language, TOKYO), now, TOKYO) == CallAt(starts_at, ends_at)


def test_a_promise_as_soon_as_possible_is_confirmed_without_a_time() -> None:
    """It has its place in line, and no window."""
    ja, en = (ONE_WAY(queued("confirmed", language, {}), None) for language in LANGUAGES)
    assert ja == "【山田商店 営業部】折り返しのお電話を承りました。順番が来ましたら、03-1234-5678からおかけします。"
    assert (
        en
        == "Yamada Store Sales: your callback is booked. We will call you from 03-1234-5678 as soon as it is your turn."
    )


def test_a_promise_that_is_kept_when_the_queue_opens_says_from_when_on() -> None:
    """Nobody waits by the phone for a night; what comes within minutes is not told by the clock."""
    morning = datetime(2026, 11, 25, 9, tzinfo=TOKYO).isoformat()
    ja, en = (ONE_WAY(queued("confirmed", language, {"not_before": morning}), None) for language in LANGUAGES)
    assert ja.endswith("お電話を承りました。11/25(水)9:00以降、順番に03-1234-5678からおかけします。")
    assert en.endswith("We will call you from 03-1234-5678 in your turn, from Wed 25 Nov, 09:00 on.")
    soon = {"not_before": (NOW + timedelta(minutes=15)).isoformat()}
    assert ONE_WAY(queued("confirmed", "ja", soon), None) == ONE_WAY(queued("confirmed", "ja", {}), None)


def test_no_free_time_near_is_told_without_one() -> None:
    """And how to ask for another."""
    ja, en = (TWO_WAY(queued("time_taken", language, {}), None) for language in LANGUAGES)
    assert ja == (
        "【山田商店 営業部】ご希望の時間はお受けできず、申し訳ございません。"
        "別の日時を「明日15時」のようにご返信ください。お電話は03-1234-5678まで。"
    )
    assert 'asked for. Reply another time, such as "tomorrow 3pm". You can also call us at 03-1234-5678.' in en


def test_an_estimate_on_another_day_is_told_with_its_day() -> None:
    """Of the queue's zone: what is tomorrow in Tokyo is today in UTC."""
    late = queued("running_late", details={"expected_at": "2026-11-24T15:30:00+00:00"})
    assert "11/25(水)0:30ごろ" in ONE_WAY(late, None)
    assert "at about Wed 25 Nov, 00:30." in ONE_WAY(replace(late, language="en"), None)


@pytest.mark.parametrize(
    ("language", "expected"),
    [("ja", "11/24(火)23:30〜11/25(水)0:15"), ("en", "Tue 24 Nov, 23:30 to Wed 25 Nov, 00:15")],
)
def test_a_window_past_midnight_names_both_days(language: str, expected: str) -> None:
    """On the clock of the queue's zone."""
    starts_at = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)
    assert window(starts_at, starts_at + timedelta(minutes=45), language, TOKYO) == expected


def test_every_template_that_can_be_owed_is_there_in_every_language() -> None:
    """A template without a text would be found by a customer who gets none."""
    assert set(TEMPLATES) == set(SmsTemplate)
    assert {tuple(by_language) for by_language in TEMPLATES.values()} == {LANGUAGES} == {tuple(PHRASES)}
    assert set(FIELDS) <= set(SmsTemplate)


def test_an_unknown_template_says_which_there_are() -> None:
    """It is a LookupError, as of a missing key, with a text."""
    with pytest.raises(UnknownTextError, match="no SMS template nothing; known: not_reached, gave_up, expired"):
        render("nothing", "ja", title="x", number=SHOWN)
    with pytest.raises(LookupError):
        render("nothing", "ja", title="x", number=SHOWN)


@pytest.mark.parametrize("template", SmsTemplate)
def test_a_language_without_texts_falls_back_to_english(template: SmsTemplate) -> None:
    """As a whole: not with a title or a time in another language in the middle."""
    assert TWO_WAY(queued(template, "fr"), LINK) == TWO_WAY(queued(template, "en"), LINK)


def test_a_page_that_is_no_longer_configured_says_so() -> None:
    """Its SMS was owed before the settings changed."""
    with pytest.raises(UnknownTextError, match="web page hours is not configured; known: prices"):
        renderer({"sales": SALES}, {"prices": HOURS})(queued("web_page"), None)


@pytest.mark.parametrize(("template", "lacks"), [("booking_link", "booking page"), ("code", "booking page")])
def test_what_needs_the_booking_page_is_not_sent_without(template: str, lacks: str) -> None:
    """It was switched off after the SMS was owed; all else goes out as it is."""
    write = renderer({"sales": SALES}, {"hours": HOURS})
    with pytest.raises(UnknownTextError, match=lacks):
        write(queued(template), None)


@pytest.mark.parametrize(
    ("template", "details"),
    [
        ("running_late", {}),
        ("running_late", {"expected_at": "soon"}),
        ("running_late", {"expected_at": "2026-11-24T17:00:00"}),
        ("running_late", {"expected_at": "0001-01-01T00:00:00+09:00"}),
        ("confirmed", {"starts_at": TIMES["starts_at"]}),
    ],
)
def test_a_detail_that_is_missing_or_no_time_is_named(template: str, details: dict[str, str]) -> None:
    """As what is wrong with this one SMS: it costs itself alone."""
    with pytest.raises(UnknownTextError, match=f"promise-1:{template}"):
        ONE_WAY(queued(template, details=details), None)


def test_a_page_without_a_title_in_some_language_is_found_at_the_start() -> None:
    """Not by whoever asks for it."""
    with pytest.raises(UnknownTextError, match="web page hours has no title in language ja"):
        renderer({"sales": SALES}, {"hours": WebPage("hours", "https://example.jp/", {"en": "hours"})})


def test_a_template_without_a_text_is_found_at_the_start() -> None:
    """Not when the first SMS is owed."""
    with pytest.raises(UnknownTextError, match="no SMS template reminder"):
        renderer({"sales": SALES}, templates=["expired", "reminder"])


def test_a_queue_without_a_title_in_some_language_is_found_at_the_start() -> None:
    """Every queue serves callers in every language."""
    with pytest.raises(UnknownTextError, match="queue sales has no title in language en"):
        renderer({"sales": Signature({"ja": "営業部"}, SHOWN, TOKYO)})


def test_a_queue_that_is_no_longer_configured_says_so() -> None:
    """Its SMS was owed before the settings changed."""
    with pytest.raises(UnknownTextError, match="queue closed-down is not configured; known: sales"):
        ONE_WAY(replace(queued("expired"), queue="closed-down"), None)


def test_braces_in_a_title_stay_braces() -> None:
    """A title is text, not a template."""
    assert render("expired", "en", title="{number} {0}", number=SHOWN).startswith("{number} {0}: we are sorry")
