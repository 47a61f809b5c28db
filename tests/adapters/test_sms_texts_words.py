from __future__ import annotations

import pytest

from tests.adapters.sms_writing import LINK, ONE_WAY, TWO_WAY, queued

YAMADA, YAMADA_JA = "Yamada Store Sales", "【山田商店 営業部】"
CALLED = f"{YAMADA_JA}折り返しお電話しましたが、つながりませんでした。"
UNREACHED = f"{YAMADA}: we called you back from 03-1234-5678 and could not reach you."

PLAIN = {
    ("not_reached", "ja"): f"{CALLED}改めておかけします。お急ぎの方は03-1234-5678まで。",
    ("not_reached", "en"): f"{UNREACHED} We will try again; you can also call us at 03-1234-5678.",
    ("gave_up", "ja"): f"{CALLED}お手数ですが03-1234-5678までおかけください。",
    ("gave_up", "en"): f"{UNREACHED} Please call us at 03-1234-5678.",
    ("expired", "ja"): f"{YAMADA_JA}折り返しのお電話ができず、申し訳ございません。"
    "恐れ入りますが03-1234-5678までおかけください。",
    ("expired", "en"): f"{YAMADA}: we are sorry, we could not call you back in time as promised. "
    "Please call us at 03-1234-5678.",
    (
        "web_page",
        "ja",
    ): f"{YAMADA_JA}お電話でご案内したページです。営業時間のご案内 https://example.jp/hours",
    ("web_page", "en"): f"{YAMADA}: the page that you asked for on the phone. opening hours: https://example.jp/hours",
    ("missed_you", "ja"): f"{YAMADA_JA}お電話をお取りできず、申し訳ございませんでした。"
    "お手数ですが03-1234-5678までおかけ直しください。",
    ("missed_you", "en"): f"{YAMADA}: we are sorry that we could not take your call. "
    "Please call us again at 03-1234-5678.",
    (
        "confirmed",
        "ja",
    ): f"{YAMADA_JA}折り返しのお電話を承りました。11/24(火)16:00〜16:30に03-1234-5678からおかけします。",
    ("confirmed", "en"): f"{YAMADA}: your callback is booked. "
    "We will call you from 03-1234-5678 on Tue 24 Nov, 16:00 to 16:30.",
    ("running_late", "ja"): f"{YAMADA_JA}お約束のお時間にお電話できず、申し訳ございません。"
    "17:05ごろ03-1234-5678からおかけする予定です。",
    ("running_late", "en"): f"{YAMADA}: we are sorry, we cannot call at the time that we promised. "
    "We expect to call you from 03-1234-5678 at about 17:05.",
    (
        "cancelled",
        "ja",
    ): f"{YAMADA_JA}折り返しのお電話を取り消しました。またのご用の際は03-1234-5678までおかけください。",
    ("cancelled", "en"): f"{YAMADA}: your callback is cancelled, as you asked. "
    "Call us at 03-1234-5678 whenever you need us.",
    ("code", "ja"): f"{YAMADA_JA}確認コード 004217(10分間有効)。他人に教えないでください。",
    ("code", "en"): f"{YAMADA}: your code is 004217 (valid for 10 minutes). Do not give it to anybody.",
    (
        "reply_help",
        "ja",
    ): f"{YAMADA_JA}恐れ入りますが、ご返信の内容を確認できませんでした。お電話は03-1234-5678まで。",
    ("reply_help", "en"): f"{YAMADA}: sorry, we did not understand your reply. Please call us at 03-1234-5678.",
    ("time_taken", "ja"): f"{YAMADA_JA}ご希望の時間はお受けできず、申し訳ございません。"
    "最も近い空きは11/24(火)16:00〜16:30です。お電話は03-1234-5678まで。",
    ("time_taken", "en"): f"{YAMADA}: sorry, we cannot call at the time that you asked for. "
    "The nearest free time is Tue 24 Nov, 16:00 to 16:30. You can also call us at 03-1234-5678.",
}


@pytest.mark.parametrize(("template", "language"), PLAIN)
def test_each_text_says_who_writes_and_which_number_calls(template: str, language: str) -> None:
    """As it reaches a customer, word for word, without a link, and where replies are not read."""
    assert ONE_WAY(queued(template, language), None) == PLAIN[template, language]


WITH_ENDS = {
    ("not_reached", "ja", True, False): f"{CALLED}改めて03-1234-5678からおかけします。日時のご指定はこちら: {LINK}",
    (
        "not_reached",
        "ja",
        False,
        True,
    ): f"{CALLED}改めて03-1234-5678からおかけします。ご希望は「1」(今すぐ)「16時」「2」(取消)のようにご返信ください。",
    (
        "not_reached",
        "ja",
        True,
        True,
    ): f"{CALLED}改めて03-1234-5678からおかけします。「1」(今すぐ)や「16時」とご返信、または {LINK}",
    ("not_reached", "en", True, True): f"{UNREACHED} We will try again. "
    f'Reply 1 (now), "4pm" or 2 (cancel), or choose a time: {LINK}',
    ("gave_up", "en", False, True): f"{UNREACHED} "
    'To be called again, reply 1 (now) or a time such as "4pm", or call us.',
    (
        "confirmed",
        "ja",
        True,
        False,
    ): f"{YAMADA_JA}折り返しのお電話を承りました。11/24(火)16:00〜16:30に03-1234-5678からおかけします。"
    f"変更・取消はこちら {LINK}",
    ("missed_you", "ja", True, False): f"{YAMADA_JA}お電話をお取りできず、申し訳ございませんでした。"
    f"03-1234-5678から折り返しお電話いたします。ご希望の方はこちらへ {LINK}",
    ("booking_link", "ja", True, True): f"{YAMADA_JA}折り返しのお電話は、こちらからお申し込みください。"
    f"03-1234-5678からおかけします。{LINK}",
    (
        "booking_link",
        "en",
        True,
        False,
    ): f"{YAMADA}: book your callback here. We will call you from 03-1234-5678. {LINK}",
    ("time_taken", "ja", False, True): f"{YAMADA_JA}ご希望の時間はお受けできず、申し訳ございません。"
    "最も近い空きは11/24(火)16:00〜16:30です。よろしければ「11/24 16:00」とご返信ください。お電話は03-1234-5678まで。",
}


@pytest.mark.parametrize(("template", "language", "link", "two_way"), WITH_ENDS)
def test_a_text_says_what_the_customer_can_do(template: str, language: str, link: bool, two_way: bool) -> None:
    """By the link, where there is one, and by a reply, where replies are read."""
    write = TWO_WAY if two_way else ONE_WAY
    found = write(queued(template, language), LINK if link else None)
    assert found == WITH_ENDS[template, language, link, two_way]
