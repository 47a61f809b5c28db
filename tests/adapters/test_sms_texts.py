from __future__ import annotations

import pytest

from controller.domain.effects import SmsTemplate
from controller.ports.sms import QueuedSms
from controller.sms.texts import LANGUAGES, TEMPLATES, Signature, UnknownTextError, render, renderer
from tests.contract.store_under_test import NUMBER

SHOWN = "03-1234-5678"
SALES = Signature({"ja": "山田商店 営業部", "en": "Yamada Store Sales"}, SHOWN)
GSM_7_BIT = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The basic alphabet, 3GPP TS 23.038 section 6.2.1."""


def queued(template: str = "not_reached", language: str = "ja", queue: str = "sales") -> QueuedSms:
    """Return an SMS as the outbox hands it out."""
    return QueuedSms(1, "promise-1:not_reached", NUMBER, template, language, queue, 1)


def test_each_text_says_who_called_and_which_number_to_call() -> None:
    """As it reaches a customer, word for word."""
    texts = {
        (template, language): renderer({"sales": SALES})(queued(template, language))
        for template in TEMPLATES
        for language in LANGUAGES
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
    }


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_japanese_text_with_a_title_of_twelve_characters_is_one_segment(template: str) -> None:
    """Seventy UTF-16 units, 3GPP TS 23.040 section 9.2.3.24.1."""
    text = render(template, "ja", title="株式会社山田商店営業二課", number=SHOWN)
    assert len(text.encode("utf-16-be")) // 2 <= 70


@pytest.mark.parametrize("template", TEMPLATES)
def test_an_english_text_with_a_title_of_thirty_characters_is_one_segment(template: str) -> None:
    """A hundred and sixty characters, all of them in the 7-bit alphabet."""
    text = render(template, "en", title="T" * 30, number=SHOWN)
    assert len(text) <= 160
    assert set(text) <= GSM_7_BIT


def test_every_template_that_the_rules_can_owe_is_there() -> None:
    """A template without a text would be found by a customer who gets none."""
    assert set(TEMPLATES) == set(SmsTemplate)


@pytest.mark.parametrize(
    ("template", "language", "said"),
    [
        ("nothing", "ja", "no SMS template nothing; known: not_reached, gave_up, expired"),
        ("expired", "fr", "SMS template expired has no language fr; known: ja, en"),
    ],
)
def test_an_unknown_template_or_language_says_which_there_are(template: str, language: str, said: str) -> None:
    """It is a LookupError, as of a missing key, with a text."""
    with pytest.raises(UnknownTextError, match=said):
        render(template, language, title="x", number=SHOWN)
    with pytest.raises(LookupError):
        render(template, language, title="x", number=SHOWN)


def test_a_template_without_a_text_is_found_at_the_start() -> None:
    """Not when the first SMS is owed."""
    with pytest.raises(UnknownTextError, match="no SMS template reminder"):
        renderer({"sales": SALES}, ["expired", "reminder"])


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
