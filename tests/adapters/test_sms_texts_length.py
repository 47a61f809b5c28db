from __future__ import annotations

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.effects import SmsTemplate
from controller.sms.segments import Alphabet, Measured, measure, segments
from controller.sms.templates import PHRASES, TEMPLATES
from controller.sms.texts import LANGUAGES, render

NUMBER = "03-1234-5678"
WINDOW = {"ja": "12/24(木)16:00〜16:30", "en": "Wed 24 Dec, 16:00 to 16:30"}
DAY = {"ja": "12/24(木)16:00", "en": "Wed 24 Dec, 16:00"}
ALONE_IN_TWO = {
    (SmsTemplate.TIME_TAKEN, "ja"),
    (SmsTemplate.TIME_TAKEN, "en"),
    (SmsTemplate.RUNNING_LATE, "ja"),
}
"""With the longest that they can say."""


def longest(template: str, language: str, *, title: int, host: int | None = None, two_way: bool = False) -> str:
    """Return the longest that a text can be, with a title and a host of so many characters."""
    phrases = PHRASES[language]
    letter = "社" if language == "ja" else "T"
    return render(
        template,
        language,
        link=None if host is None else f"https://{'h' * host}/l/{'t' * 24}",
        two_way=two_way,
        title=letter * title,
        number=NUMBER,
        page="ご" * 15 if language == "ja" else "p" * 24,
        url="u" * (25 if language == "ja" else 60),
        when=phrases.in_window.format(window=WINDOW[language]),
        time=DAY[language],
        nearest=phrases.nearest.format(window=WINDOW[language]),
        answer=phrases.answer.format(reply="12/24 16:00"),
        code="123456",
        minutes="10",
    )


ALL = [(template, language) for template in SmsTemplate for language in LANGUAGES]


@pytest.mark.parametrize(("template", "language"), ALL)
def test_a_text_alone_is_one_segment(template: SmsTemplate, language: str) -> None:
    """With a title of 12 Japanese or 30 English characters, except three that name another time and are two."""
    text = longest(template, language, title=12 if language == "ja" else 30)
    assert segments(text) == (2 if (template, language) in ALONE_IN_TWO else 1)


def test_running_late_is_one_segment_in_japanese_when_it_is_still_today() -> None:
    """It is then told as a time alone."""
    text = longest("running_late", "ja", title=12).replace(DAY["ja"], "16:00")
    assert segments(text) == 1


@pytest.mark.parametrize(("template", "language"), ALL)
def test_a_text_that_says_what_can_be_replied_is_two_segments(template: SmsTemplate, language: str) -> None:
    """At most, with a title of 30 Japanese or 100 English characters."""
    if template is not SmsTemplate.WEB_PAGE:
        assert segments(longest(template, language, title=30 if language == "ja" else 100, two_way=True)) <= 2


@pytest.mark.parametrize(("template", "language"), ALL)
def test_a_text_with_a_link_is_two_segments(template: SmsTemplate, language: str) -> None:
    """With 24 Japanese or 120 English characters of title and host together; a taken time is three in Japanese."""
    title, host = (9, 15) if language == "ja" else (60, 60)
    if template is not SmsTemplate.WEB_PAGE:
        most = 3 if (template, language) == (SmsTemplate.TIME_TAKEN, "ja") else 2
        assert segments(longest(template, language, title=title, host=host)) <= most


@pytest.mark.parametrize(("template", "language"), ALL)
def test_a_text_with_a_link_and_what_can_be_replied_is_two_or_three_segments(
    template: SmsTemplate, language: str
) -> None:
    """Three in Japanese, except those that say that nobody was reached."""
    is_short = template in {SmsTemplate.NOT_REACHED, SmsTemplate.GAVE_UP}
    title, host = (85 - 25, 25) if language == "en" else (7, 19) if is_short else (20, 30)
    if template is not SmsTemplate.WEB_PAGE:
        text = longest(template, language, title=title, host=host, two_way=True)
        assert segments(text) <= (2 if language == "en" or is_short else 3)


@pytest.mark.parametrize("template", SmsTemplate)
def test_english_stays_in_the_gsm_alphabet(template: SmsTemplate) -> None:
    """One typographic quote would make it UCS-2, and more than twice as dear."""
    assert {measure(text).alphabet for text in TEMPLATES[template]["en"].all_variants} <= {Alphabet.GSM_7}
    assert measure(longest(template, "en", title=10, host=10, two_way=True)).alphabet is Alphabet.GSM_7


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Measured(Alphabet.GSM_7, 0, 1, 160)),
        ("a" * 160, Measured(Alphabet.GSM_7, 160, 1, 0)),
        ("a" * 161, Measured(Alphabet.GSM_7, 161, 2, 145)),
        ("a" * 306, Measured(Alphabet.GSM_7, 306, 2, 0)),
        ("a" * 307, Measured(Alphabet.GSM_7, 307, 3, 152)),
        ("€" * 80, Measured(Alphabet.GSM_7, 160, 1, 0)),
        ("€" * 81, Measured(Alphabet.GSM_7, 162, 2, 143)),
        ("a" * 152 + "€" * 77, Measured(Alphabet.GSM_7, 306, 3, 151)),
        ("あ" * 70, Measured(Alphabet.UCS_2, 70, 1, 0)),
        ("a" * 69 + "あ", Measured(Alphabet.UCS_2, 70, 1, 0)),
        ("あ" * 71, Measured(Alphabet.UCS_2, 71, 2, 63)),
        ("あ" * 134, Measured(Alphabet.UCS_2, 134, 2, 0)),
        ("あ" * 135, Measured(Alphabet.UCS_2, 135, 3, 66)),
        ("𠮷" * 35, Measured(Alphabet.UCS_2, 70, 1, 0)),
        ("𠮷" * 36, Measured(Alphabet.UCS_2, 72, 2, 61)),
        ("𠮷" * 67, Measured(Alphabet.UCS_2, 134, 3, 65)),
        ("`" * 71, Measured(Alphabet.UCS_2, 71, 2, 63)),
    ],
)
def test_a_text_is_as_long_as_a_network_counts_it(text: str, expected: Measured) -> None:
    """By hand from 3GPP TS 23.038 and 23.040: the euro sign takes two places, 𠮷 a surrogate pair that is not cut."""
    assert measure(text) == expected
    assert segments(text) == expected.segments


GSM_TABLE = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The default alphabet in the order of its codes, 0 to 127; 27 leads to the extension table."""
GSM_EXTENSION = {10: "\f", 20: "^", 40: "{", 41: "}", 47: "\\", 60: "[", 61: "~", 62: "]", 64: "|", 101: "€"}


def parts_as_sent(text: str) -> list[bytes]:
    """Return the user data of each message that carries a text: septets, each in an octet, or UTF-16."""
    codes = {sign: bytes([code]) for code, sign in enumerate(GSM_TABLE) if code != 27}
    codes |= {sign: bytes([27, code]) for code, sign in GSM_EXTENSION.items()}
    is_gsm = all(sign in codes for sign in text)
    signs = [codes[sign] if is_gsm else sign.encode("utf-16-be", "surrogatepass") for sign in text]
    alone, each = (160, 153) if is_gsm else (140, 134)
    if len(b"".join(signs)) <= alone:
        return [b"".join(signs)]
    parts = [b""]
    for sign in signs:
        if len(parts[-1]) + len(sign) > each:
            parts.append(b"")
        parts[-1] += sign
    return parts


@given(st.text(st.sampled_from(GSM_TABLE.replace("\x1b", "") + "".join(GSM_EXTENSION.values())), max_size=500))
def test_a_text_of_the_gsm_alphabet_is_counted_as_it_is_sent(text: str) -> None:
    """Against an encoder that really packs it."""
    parts = parts_as_sent(text)
    full = 160 if len(parts) == 1 else 153
    expected = Measured(Alphabet.GSM_7, sum(map(len, parts)), len(parts), full - len(parts[-1]))
    assert measure(text) == expected


@given(st.text(st.sampled_from("ab€^あ折𠮷😀か゛"), min_size=1, max_size=300) | st.text(max_size=300))
def test_any_text_is_counted_as_it_is_sent(text: str) -> None:
    """One sign that GSM lacks makes all of it UCS-2; no pair of surrogates is cut."""
    parts = parts_as_sent(text)
    found = measure(text)
    assert found.segments == segments(text) == len(parts)
    width = 1 if found.alphabet is Alphabet.GSM_7 else 2
    assert found.units == sum(map(len, parts)) // width


@given(st.text(st.sampled_from("a€あ😀"), max_size=200))
def test_what_is_left_in_a_segment_is_what_still_fits(text: str) -> None:
    """So many more letters change nothing about the segments, and one more does, within the same alphabet."""
    found = measure(text)
    letter = "a"
    assert measure(text + letter * found.left_in_segment).segments == found.segments
    assert measure(text + letter * (found.left_in_segment + 1)).segments == found.segments + 1
    fitting = next(n for n in count() if measure(text + letter * (n + 1)).segments > found.segments)
    assert fitting == found.left_in_segment
