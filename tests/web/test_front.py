"""What holds for every page: headers, whom it is asked for, where a form comes from, and what a forger gets to see."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controller.domain.signed import Purpose
from controller.web.pages import STYLE_PATH
from tests.web.site import HOST, Answer, Site, site_at

if TYPE_CHECKING:
    from pathlib import Path

FORGED = [
    "A" * 24,
    "a" * 23,
    "-" * 24,
    "short",
    "x" * 4000,
    "../../etc/passwd",
    "<script>alert(1)</script>",
    "' OR 1=1 --",
    "１２３４",
    "%00",
    "%0d%0aSet-Cookie: a=b",
]
BUSY = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def without_date(answer: Answer) -> tuple[int, str, dict[str, str]]:
    """Return all of an answer but the time of day."""
    return answer.status, answer.text, {name: value for name, value in answer.headers.items() if name != "Date"}


async def test_every_answer_says_what_a_browser_may_do_with_it(site: Site) -> None:
    """Pages, refusals, errors and the style sheet alike."""
    path = await site.link()
    answers = [
        await site.get(path),
        await site.post(path, {"action": "x"}),
        await site.get("/l/forged"),
        await site.get("/nothing"),
        await site.send("PATCH", path),
        await site.get(STYLE_PATH),
        await site.get(path, Host="elsewhere.example"),
        await site.post("/sms/nobody", {}),
        await site.post(path, {}, Sec_Fetch_Site="cross-site"),
    ]
    for answer in answers:
        policy = answer.headers["Content-Security-Policy"]
        assert policy.split("; ") == [
            "default-src 'none'",
            "style-src 'self'",
            "img-src 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ]
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
        assert "aiohttp" not in answer.headers["Server"]
        assert "Set-Cookie" not in answer.headers
    caching = [answer.headers["Cache-Control"] for answer in answers]
    assert caching == ["no-store"] * 5 + ["public, max-age=31536000, immutable"] + ["no-store"] * 3
    assert [answer.status for answer in answers] == [200, 400, 404, 404, 405, 200, 421, 404, 403]


async def test_plain_http_does_not_claim_to_be_encrypted(tmp_path: Path) -> None:
    """On a loopback address, to try it out."""
    async with site_at(tmp_path, public_url=f"http://{HOST}") as site:
        assert "Strict-Transport-Security" not in (await site.get("/health")).headers


async def test_pages_take_nothing_from_elsewhere(site: Site) -> None:
    """One style sheet of our own, whose name says what is in it; links lead to pages of ours, or to a phone."""
    page = await site.get(await site.link())
    assert re.findall(r'(?:href|src|action)="([^"]*)"', page.text)[:1] == [STYLE_PATH]
    led = set(re.findall(r'(?:href|src|action)="([^"]*)"', page.text))
    assert {address for address in led if not address.startswith(("#", "?", "tel:"))} == {STYLE_PATH}
    style = await site.get(STYLE_PATH)
    assert style.headers["Content-Type"] == "text/css; charset=utf-8"
    assert re.search(r"url\(|@import|https?:", style.text) is None


async def test_what_is_no_link_is_answered_like_an_expired_one_byte_by_byte(site: Site) -> None:
    """Status, body and headers; in either language."""
    expired = await site.link()
    elsewhere = await site.link(queue="closed-down", name="sms-2")
    challenge = site.web.signer.token(Purpose.CHALLENGE, "00" * 9)
    unissued = site.web.signer.token(Purpose.BOOK, "11" * 9)
    site.clock.turn(48 * 3600)
    for language in ("ja", "en"):
        for method in ("GET", "POST"):
            more = {"data": {"action": "now"}} if method == "POST" else {}
            wanted = await site.send(method, expired, headers={"Accept-Language": language}, **more)
            assert wanted.status == 404
            for token in [*map(quote_all, FORGED), challenge, unissued, elsewhere.removeprefix("/l/")]:
                answer = await site.send(method, f"/l/{token}", headers={"Accept-Language": language}, **more)
                assert without_date(answer) == without_date(wanted), token


async def test_a_token_for_another_purpose_opens_nothing(site: Site) -> None:
    """A link that books one callback is no way to somebody's promise, and the other way round."""
    about, booking = await site.link(await site.promised()), await site.link(name="sms-2")
    ids = {Purpose.PROMISE: about.removeprefix("/l/"), Purpose.BOOK: booking.removeprefix("/l/")}
    for purpose, other in ((Purpose.PROMISE, Purpose.BOOK), (Purpose.BOOK, Purpose.PROMISE)):
        an_id = site.web.signer.read(purpose, ids[purpose])
        assert an_id is not None
        assert (await site.get(f"/l/{site.web.signer.token(purpose, an_id)}")).status == 200
        assert (await site.get(f"/l/{site.web.signer.token(other, an_id)}")).status == 404


@BUSY
@given(made_up=st.text(min_size=1, max_size=40).filter(lambda text: text not in {".", ".."}))
async def test_whatever_somebody_makes_up_gets_the_same_answer(site: Site, made_up: str) -> None:
    """As a token; guessing tells nothing."""
    wanted = await site.get("/l/" + "A" * 24)
    assert without_date(await site.get(f"/l/{quote_all(made_up)}")) == without_date(wanted)


def quote_all(text: str) -> str:
    """Return a text as one part of a path."""
    return quote(text, safe="")


@pytest.mark.parametrize("host", ["elsewhere.example", f"{HOST}:8080", f"{HOST}.evil.example", "127.0.0.1", ""])
async def test_whoever_asks_for_somebody_else_is_not_answered(site: Site, host: str) -> None:
    """A browser that was led here under another name sees nothing (DNS rebinding)."""
    path = await site.link()
    assert (await site.get(path, Host=host)).status == 421
    assert (await site.get(path, Host=HOST.upper())).status == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [(HOST, 200), ("127.0.0.1", 200), ("127.0.0.1:8090", 200), ("localhost:1", 200), ("[::1]:9", 200), ("evil", 421)],
)
async def test_our_health_may_be_asked_for_on_this_machine(site: Site, host: str, status: int) -> None:
    """By whoever watches over the process."""
    assert (await site.get("/health", Host=host)).status == status


@pytest.mark.parametrize(
    ("headers", "is_taken"),
    [
        ({}, True),
        ({"Origin": f"https://{HOST}"}, True),
        ({"Origin": "null"}, True),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": f"http://{HOST}"}, False),
        ({"Origin": f"https://{HOST}.evil.example"}, False),
        ({"Sec_Fetch_Site": "same-origin", "Origin": "null"}, True),
        ({"Sec_Fetch_Site": "none"}, True),
        ({"Sec_Fetch_Site": "same-site"}, False),
        ({"Sec_Fetch_Site": "cross-site", "Origin": f"https://{HOST}"}, False),
    ],
)
async def test_a_form_of_somebody_elses_page_is_refused(site: Site, headers: dict[str, str], is_taken: bool) -> None:
    """Nothing is changed by it."""
    promise = await site.promised()
    answer = await site.post(await site.link(promise), {"action": "cancel"}, **headers)
    assert answer.status == (303 if is_taken else 403)
    assert ((await site.open_promise()) is None) is is_taken


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"json": {"action": "cancel"}}, 415),
        ({"data": b"action=cancel", "headers": {"Content-Type": "text/plain"}}, 415),
        ({"data": b"action=%FF", "headers": {"Content-Type": "application/x-www-form-urlencoded"}}, 400),
        ({"data": b"\xff\xfe=1", "headers": {"Content-Type": "application/x-www-form-urlencoded"}}, 400),
        ({"data": {str(number): "" for number in range(21)}}, 400),
        ({"data": {"action": "x" * 17_000}}, 413),
    ],
)
async def test_what_is_no_form_of_ours_changes_nothing(site: Site, more: dict[str, object], status: int) -> None:
    """Other types, other encodings, too many fields, too much of them."""
    path = await site.link(await site.promised())
    before = await site.everything()
    assert (await site.send("POST", path, **more)).status == status
    assert await site.everything() == before


FIELDS = st.dictionaries(
    st.sampled_from(["action", "starts_at", "sure", "number", "code", "lang"]) | st.text(max_size=8),
    st.sampled_from(["book", "now ", "cancel\0", "never", "yes", "\ud7ff", "'\"><svg onload=alert(1)>"])
    | st.text(max_size=50)
    | st.datetimes().map(lambda at: at.isoformat() + "+00:00"),
    max_size=6,
)


@BUSY
@given(form=FIELDS, query=st.text(max_size=20), page=st.sampled_from(["/l/{}", "/callback/support", "/verify/{}"]))
async def test_no_form_whatever_is_in_it_is_answered_with_a_fault(
    site: Site, form: dict[str, str], query: str, page: str
) -> None:
    """And what was typed comes back as text, never as markup."""
    purpose = Purpose.BOOK if page.startswith("/l/") else Purpose.CHALLENGE
    link = await site.link()
    token = link.removeprefix("/l/") if purpose is Purpose.BOOK else site.web.signer.token(purpose, "22" * 9)
    answer = await site.post(f"{page.format(token)}?lang={quote_all(query)}&more={quote_all(query)}", form)
    assert answer.status in {200, 303, 400, 404, 409, 413}
    assert "<svg" not in answer.text
    assert "\n" not in answer.headers.get("Location", "")


HOSTILE = "\"><script>alert(1)</script>'{{ 7*7 }}"


async def test_hostile_text_is_shown_as_text_wherever_it_comes_from(tmp_path: Path) -> None:
    """What was typed, and even what the settings say: title and number."""
    titles = {"support": {"ja": HOSTILE, "en": HOSTILE}}
    async with site_at(tmp_path, titles=titles, shown_number=HOSTILE) as site:
        pages = [
            await site.get(await site.link()),
            await site.get("/callback/support"),
            await site.post("/callback/support", {"number": HOSTILE}),
            await site.get(f"/l/{quote_all(HOSTILE)}"),
            await site.get(f"/callback/support?lang={quote_all(HOSTILE)}"),
        ]
    for page in pages:
        assert "<script" not in page.text
        assert "49" not in re.sub(r"&#34;|&#39;", "", page.text)
    assert "&lt;script&gt;" in pages[2].text


async def test_a_database_that_is_away_is_said_and_nothing_is_lost(site: Site) -> None:
    """503, and when to ask again; the link is as good as before."""
    path = await site.link()
    with site.database_locked():
        answer = await site.post(path, {"action": "now"})
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert "Not available at the moment" in answer.words
    assert (await site.post(path, {"action": "now"})).status == 303


async def test_a_fault_of_ours_tells_nothing_about_itself(tmp_path: Path) -> None:
    """A page without detail, with all the headers."""

    def broken() -> str:
        raise RuntimeError("the secret of the house")

    async with site_at(tmp_path, new_challenge_id=broken) as site:
        answer = await site.post("/callback/support", {"number": "090-1234-5678"})
    assert answer.status == 500
    assert "secret" not in answer.text
    assert "RuntimeError" not in answer.text
    assert "Content-Security-Policy" in answer.headers


async def test_a_queue_that_was_taken_out_of_the_settings_has_no_pages(tmp_path: Path) -> None:
    """A link that names it is none any more."""
    async with site_at(tmp_path) as site:
        path = await site.link(queue="gone")
        assert (await site.get(path)).status == 404
        assert (await site.get("/callback/gone")).status == 404
        assert (await site.post("/callback/gone", {"number": "090-1234-5678"})).status == 404
