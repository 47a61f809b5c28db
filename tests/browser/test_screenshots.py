"""The pictures in docs/booking-page.md: there, small, and of a phone 360 pixels wide."""

from __future__ import annotations

import re
import struct

from docs.screenshots import FOLDER, SHOWN
from tests.browser.scenes import LANGUAGES

LARGEST_BYTES = 80 * 1024
WANTED = {f"{scene}-{language}.png" for scene in SHOWN for language in LANGUAGES}


def test_every_scene_that_is_shown_has_a_picture_in_each_language() -> None:
    """And there is no other; renew them: python -m docs.screenshots."""
    assert {path.name for path in FOLDER.iterdir()} == WANTED


def test_the_page_about_the_pages_shows_each_picture() -> None:
    """Once."""
    text = FOLDER.with_name("booking-page.md").read_text("utf-8")
    assert sorted(re.findall(r"\]\(screenshots/([^)]+)\)", text)) == sorted(WANTED)


def test_pictures_are_small_and_twice_as_fine_as_the_phone() -> None:
    """720 pixels for 360; none larger than 80 KiB."""
    for name in WANTED:
        picture = FOLDER.joinpath(name).read_bytes()
        signature, width = struct.unpack(">8s8xI", picture[:20])
        assert (signature, width) == (b"\x89PNG\r\n\x1a\n", 720), name
        assert len(picture) <= LARGEST_BYTES, name
