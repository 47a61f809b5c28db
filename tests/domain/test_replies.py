from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from controller.domain.replies import CallAt, CallNow, CancelIt, Meaning, NotUnderstood, Stop, understand

TOKYO = ZoneInfo("Asia/Tokyo")
NOW = datetime(2026, 11, 20, 14, 10, tzinfo=TOKYO)
"""A Friday."""

AT_ONCE = """
1 / １ / ① / 1️⃣ / 「1」 / 1. / 1です / 1でお願いします / 1番でお願いします / 1 please / Yes, 1 please / 1 now
一 / now / NOW!! / right now / call me now / Please call me now. / now is fine / asap
As soon as possible, thanks / immediately / 今 / いま / イマ / ｲﾏ / 今すぐ / 今すぐ! / いますぐ / イマスグ
今すぐお電話ください / 今すぐお願いします🙏 / いますぐでんわください / すぐに / 至急お願いします
できるだけ早くお願いいたします / 電話ください / お電話お願いします / 折り返しお願いします / かけ直してください
今なら大丈夫です / いま電話できます / call me / call me back / Please call back / はい、今すぐ電話してほしいです
"""
CANCELLED = """
2 / ２ / 2です / 2番 / 2 please / 2でお願いします / キャンセル / ｷｬﾝｾﾙ / きゃんせる / キャンセルで。
キャンセルしてください / キャンセル 2 / 予約をキャンセルしたいです / 取消 / 取り消し / 取り消してください
取消しお願いします / 不要 / 不要です / 折り返し不要です / 電話は不要です / 電話はいりません / もう大丈夫です
もう大丈夫です。ありがとうございました。 / もう結構です / もういいです / 解決しました / 解決済みです
電話しなくて大丈夫です / 折り返しは結構です / cancel / CANCEL / Cancel it please / please cancel my callback
I want to cancel / no longer needed / not needed anymore / never mind, thanks / No need, thank you / solved
"""
STOPPED = """
STOP / stop / Stop. / "STOP" / ＳＴＯＰ / ｓｔｏｐ！ / 🛑 stop 🛑 / STOP please / please stop / Stop calling me!
STOP 1 / stop, call at 5 / stop all / STOPALL / unsubscribe / opt out / opt-out / 停止 / 「停止」
停止してください / 配信停止 / 配信停止お願いします / 配信を停止してください / メール配信の停止 / 電話停止
ストップ / ｽﾄｯﾌﾟ / すとっぷ / ストップ！！ / 配信解除 / 受信拒否 / 止めて / 止めてください / やめて
やめてください / 電話しないで / 電話しないでください / 電話はしないで / もう電話しないでください
今後連絡しないでください / 二度とかけてこないで / SMS送らないで / メール不要 / don't call me / Don’t call me again
do not text me / No more calls please / leave me alone / remove me from your list / 停止 明日15時
キャンセル。停止 / cancel. never call me / quit / end
"""
UNCLEAR = """
Don't stop calling, call at 5 / 停止しないで / 配信を停止しないでください / 止めないで / ストップしないで
call me and stop / 16時 停止 / 4pm, stop / 今すぐ停止 / 1月 / 2分 / 2回 / 16時に電話しないで / 今は電話しないで
キャンセルしないで / キャンセルはしないでください / don't cancel / cancel 4pm / 16時をキャンセル / 今すぐ 16時
1 or 2 / 1 2 / now, cancel / 16時か17時 / 16時と17時 / 16時 17時 / 4pm and 5pm / monday or tuesday / 月火
月曜と火曜 / 明日 明後日 / 午前16時 / 午前12時 / 24時 / 25時 / 今日の午前 / 今日の13時 / today 1pm / 昨日
yesterday / 11/19 / 11/19 10時 / 12/21 / 1/5 / 2025-11-24 / 11/31 / 13/45 / 31日 / 2/30 / 11/24(月)
火曜 11/25 10時 / 来週 / next week / next monday / 来週日曜 / 今週木曜 / 〜16時 / 16時まで / by 4pm / before noon
16時以外 / 16時は無理です / not 4pm / not now / 後で / あとで / later / いつでも / 16 / 3 / 0 / 1時間 / 2人
1 hour / I need 2 / 116時 / 16:00:00 / 16:75 / 7:5 / 090-1234-5678 / 090-1234-5678に電話して / 1.5 / 100分前
30分以内 / 0分後 / 9999分後 / 3000日後 / 大丈夫です / はい / OK / yes / no / いいえ / ありがとうございます
お願いします / hello / what? / どちら様ですか / who is this / wrong number / 間違いです / 🙏 / ... / ?
m(_ _)m / 東京都千代田区1-1 / stopping by
"""
MONDAY = """
月曜 / 月曜日 / げつようび / monday / Mon / 23日 / 11/23 / 11月23日 / １１月２３日(月) / 十一月二十三日 / 2026-11-23
2026年11月23日 / 3日後 / in 3 days / 来週の月曜 / Monday next week / nov 23 / 23rd of November / the 23rd
月曜日でお願いします / monday please
"""


def listed(texts: str) -> list[str]:
    """Return the texts of a table, one between each two slashes that stand alone."""
    return [text.strip(" ") for line in texts.strip("\n").split("\n") for text in line.split(" / ")]


def meant(text: str) -> Meaning:
    """Return what a text means, that Friday at ten past two in Tokyo."""
    return understand(text, NOW, TOKYO)


@pytest.mark.parametrize("text", listed(AT_ONCE))
def test_who_wants_to_be_called_now_is(text: str) -> None:
    """By the digit of our SMS, or in words."""
    assert meant(text) == CallNow()


@pytest.mark.parametrize("text", listed(CANCELLED))
def test_who_does_not_need_a_call_any_more_gets_none(text: str) -> None:
    """By the digit of our SMS, or in words."""
    assert meant(text) == CancelIt()


@pytest.mark.parametrize("text", listed(STOPPED))
def test_who_says_stop_is_obeyed(text: str) -> None:
    """As the first word, whatever follows; in other words, when nothing else is said."""
    assert meant(text) == Stop()


@pytest.mark.parametrize("text", [*listed(UNCLEAR), "", " ", "　", "\n", "\x00", "\ud800"])
def test_what_is_not_clear_is_left_to_a_person(text: str) -> None:
    """Contradictions, two times, times that are past or too far, denials, and whatever has an unknown word in it."""
    assert meant(text) == NotUnderstood()


def test_a_day_can_be_named_alone_in_every_way() -> None:
    """It is meant from nine to six; today from now on."""
    monday = (datetime(2026, 11, 23, 9, tzinfo=TOKYO), datetime(2026, 11, 23, 18, tzinfo=TOKYO))
    for name in listed(MONDAY):
        assert meant(name) == CallAt(*monday), name
    assert meant("今日") == meant("today") == CallAt(NOW, datetime(2026, 11, 20, 18, tzinfo=TOKYO))


WORDS = listed(AT_ONCE + CANCELLED + STOPPED + UNCLEAR)


@given(st.text(max_size=1700) | st.lists(st.sampled_from(WORDS) | st.text(max_size=4), max_size=60).map("".join))
@example("\ud83d" * 1600)
@example("㌫ﷺ" * 800)
@example("9" * 1600)
@example("1/" * 800)
@example("停" * 1600)
@example("配信の" * 500)
@example("a " * 800)
@example("〜" * 1600)
@example("十" * 1599 + "時")
def test_no_text_raises_and_whatever_is_asked_for_is_ahead(text: str) -> None:
    """Whoever can send an SMS can send anything."""
    asked = meant(text)
    if isinstance(asked, CallAt):
        assert NOW <= asked.starts_at <= NOW + timedelta(days=32)
        assert asked.ends_at is None or asked.starts_at < asked.ends_at


@given(
    st.sampled_from(["stop", "停止", "ストップ", "配信停止", "unsubscribe", "STOP", "ＳＴＯＰ", "ｽﾄｯﾌﾟ"]),
    st.sampled_from(["", " ", "「", "『", '"', "'", "🙏", "(", "* ", "- "]),
    st.text(st.characters(categories=["P", "S", "Zs", "Cf"]), max_size=8) | st.sampled_from([" 明日16時", "\nthanks"]),
)
def test_stop_is_stop_in_whatever_dress(word: str, before: str, behind: str) -> None:
    """Quotes, emoji, width, case, and whatever is said after it."""
    assert meant(f"{before}{word} {behind}") == Stop()


@given(st.sampled_from(WORDS), st.sampled_from([str.upper, str.title, str.swapcase]))
def test_case_changes_nothing(text: str, change: object) -> None:
    """Phones write capitals where they like."""
    assert callable(change)
    assert meant(change(text)) == meant(text)


@given(st.sampled_from(WORDS), st.sampled_from("。!！?？…🙏☺️\n 　"), st.sampled_from("。!！🙏☺️\n 　"))
def test_what_surrounds_a_text_changes_nothing(text: str, before: str, behind: str) -> None:
    """Blanks, full stops and smiles."""
    assert meant(f"{before}{text}{behind}") == meant(text)


@given(
    st.sampled_from(WORDS),
    st.sampled_from(["お願いします", "。よろしくお願いいたします", " please", ", thank you!", " 🙏"]),
)
def test_manners_change_nothing(text: str, manners: str) -> None:
    """Except that they can complete what is said: 電話 and お願いします make a request."""
    assert meant(f"{text}{manners}") == meant(text) or meant(text) == NotUnderstood()
