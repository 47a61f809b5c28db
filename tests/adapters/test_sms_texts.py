from __future__ import annotations

import pytest

from controller.domain.effects import SmsTemplate
from controller.domain.menu import WebPage
from controller.ports.sms import QueuedSms
from controller.sms.segments import segments
from controller.sms.texts import LANGUAGES, TEMPLATES, Signature, UnknownTextError, render, renderer
from tests.contract.store_under_test import NUMBER

SHOWN = "03-1234-5678"
SALES = Signature({"ja": "山田商店 営業部", "en": "Yamada Store Sales"}, SHOWN)
HOURS = WebPage(
    "hours", "https://example.jp/hours", {"ja": "営業時間のご案内", "en": "opening hours", "fr": "horaires"}
)
RENDER = renderer({"sales": SALES}, {"hours": HOURS})


def queued(template: str = "not_reached", language: str = "ja", queue: str = "sales") -> QueuedSms:
    """Return an SMS as the outbox hands it out."""
    details = {"page": "hours"} if template == "web_page" else {}
    return QueuedSms(1, "promise-1:not_reached", NUMBER, template, language, queue, 1, details)


def test_each_text_says_who_called_and_which_number_to_call() -> None:
    """As it reaches a customer, word for word."""
    texts = {
        (template, language): RENDER(queued(template, language)) for template in TEMPLATES for language in LANGUAGES
    }
    assert texts == {
        ("not_reached", "ja"): "【山田商店 営業部】折り返しお電話しましたが、つながりませんでした。"
        "改めておかけします。お急ぎの方は03-1234-5678まで。",
        ("not_reached", "en"): "Yamada Store Sales: we called you back from 03-1234-5678 and could not reach you. "
        "We will try again; you can also call us at 03-1234-5678.",
        ("gave_up", "ja"): "【山田商店 営業部】折り返しお電話しましたが、つながりませんでした。"
        "お手数ですが03-1234-5678までおかけください。",
        ("gave_up", "en"): "Yamada Store Sales: we called you back from 03-1234-5678 and could not reach you. "
        "Please call us at 03-1234-5678.",
        ("expired", "ja"): "【山田商店 営業部】折り返しのお電話ができず、申し訳ございません。"
        "恐れ入りますが03-1234-5678までおかけください。",
        ("expired", "en"): "Yamada Store Sales: we are sorry, we could not call you back in time as promised. "
        "Please call us at 03-1234-5678.",
        (
            "web_page",
            "ja",
        ): "【山田商店 営業部】お電話でご案内したページです。営業時間のご案内 https://example.jp/hours",
        ("web_page", "en"): "Yamada Store Sales: the page that you asked for on the phone. "
        "opening hours: https://example.jp/hours",
        ("missed_you", "ja"): "【山田商店 営業部】お電話をお取りできず、申し訳ございませんでした。"
        "お手数ですが03-1234-5678までおかけ直しください。",
        ("missed_you", "en"): "Yamada Store Sales: we are sorry that we could not take your call. "
        "Please call us again at 03-1234-5678.",
    }


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_japanese_text_with_a_title_of_twelve_characters_is_one_segment(template: str) -> None:
    """And with forty characters for a page's title and address."""
    text = render(template, "ja", title="株式会社山田商店営業二課", number=SHOWN, page="ご" * 15, url="u" * 25)
    assert segments(text) == 1


@pytest.mark.parametrize("template", TEMPLATES)
def test_an_english_text_with_a_title_of_thirty_characters_is_one_segment(template: str) -> None:
    """And with eighty-four characters for a page's title and address."""
    assert segments(render(template, "en", title="T" * 30, number=SHOWN, page="p" * 24, url="u" * 60)) == 1


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 152 + "€" * 77, 3),
        ("あ" * 70, 1),
        ("a" * 69 + "あ", 1),
        ("あ" * 71, 2),
        ("あ" * 134, 2),
        ("あ" * 135, 3),
        ("𠮷" * 35, 1),
        ("𠮷" * 36, 2),
        ("𠮷" * 67, 3),
        ("`" * 71, 2),
    ],
)
def test_segments_are_counted_as_a_network_does(text: str, count: int) -> None:
    """By hand from 3GPP TS 23.038 and 23.040: the euro sign takes two places, 𠮷 a surrogate pair that is not cut."""
    assert segments(text) == count


def test_every_template_that_the_rules_can_owe_is_there() -> None:
    """A template without a text would be found by a customer who gets none."""
    assert set(TEMPLATES) == set(SmsTemplate)


def test_an_unknown_template_says_which_there_are() -> None:
    """It is a LookupError, as of a missing key, with a text."""
    with pytest.raises(UnknownTextError, match="no SMS template nothing; known: not_reached, gave_up, expired"):
        render("nothing", "ja", title="x", number=SHOWN)
    with pytest.raises(LookupError):
        render("nothing", "ja", title="x", number=SHOWN)


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_language_without_texts_falls_back_to_english(template: str) -> None:
    """As a whole: not with a title in another language in the middle."""
    assert RENDER(queued(template, "fr")) == RENDER(queued(template, "en"))


def test_a_page_that_is_no_longer_configured_says_so() -> None:
    """Its SMS was owed before the settings changed."""
    with pytest.raises(UnknownTextError, match="web page hours is not configured; known: prices"):
        renderer({"sales": SALES}, {"prices": HOURS})(queued("web_page"))


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
        renderer({"sales": Signature({"ja": "営業部"}, SHOWN)})


def test_a_queue_that_is_no_longer_configured_says_so() -> None:
    """Its SMS was owed before the settings changed."""
    with pytest.raises(UnknownTextError, match="queue closed-down is not configured; known: sales"):
        renderer({"sales": SALES})(queued(queue="closed-down"))


def test_braces_in_a_title_stay_braces() -> None:
    """A title is text, not a template."""
    assert render("expired", "en", title="{number} {0}", number=SHOWN).startswith("{number} {0}: we are sorry")
