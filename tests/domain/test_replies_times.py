from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.replies import CallAt, Meaning, NotUnderstood, understand

TOKYO = ZoneInfo("Asia/Tokyo")
NOW = datetime(2026, 11, 20, 14, 10, tzinfo=TOKYO)
"""A Friday."""
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)

TIMES = """
16時 / 16時にお願いします / １６時 / 16:00 / １６：００ / 16時頃 / 16時ごろお願いします / 4pm = 11-20 16:00
4 PM / 4 p.m. / 4:00pm / 午後4時 / 午後４時 / 四時 / 4時 / 4:00 / よじ / ごごよじ / at 4 = 11-20 16:00
call me at 4 / 4 in the afternoon / 4 o'clock / 夕方4時 / 十六時 / 16時以降 / 16時から / after 4pm = 11-20 16:00
from 4pm / 4pm works for me / I am free at 4pm / 今日の16時 / today at 4pm / 午後16時 = 11-20 16:00
本日16時でお願いいたします = 11-20 16:00
16時半 / 16:30 / １６：３０ / 16時30分 / 4時半 / 午後四時半 / 4:30pm / 4.30 pm / half past 4 = 11-20 16:30
よじはん / 16じ30分 / 4時30分頃 = 11-20 16:30
三時 / 午後三時 / 3pm / ごごさんじ / 15じ / 三時に電話ください / 15時以降なら出られます / 15時でOK = 11-20 15:00
15時なら大丈夫です = 11-20 15:00
20時 / 20:00 / 8pm / 夜8時 / 8 in the evening = 11-20 20:00
7時 / 19:00 = 11-20 19:00
10時 / 十時 / 10am / 午前10時 / 明日10時 / 朝10時 / tomorrow morning at 10 = 11-21 10:00
9:00 / 09:00 / 9時 / 九時 / at 9 / tomorrow at nine = 11-21 09:00
8時 / 8:00 = 11-21 08:00
12時 / 正午 / noon / 12pm / 午後12時 / 昼の12時 / 午後0時 = 11-21 12:00
04:00 / 4am / 午前4時 = 11-21 04:00
0時 / 12am / 午前0時 = 11-21 00:00
13時 / 1pm / 午後1時 / 昼の1時 / at 1 = 11-21 13:00
tomorrow 3pm / 3 pm tomorrow / tomorrow at 3 / 明日15時 / 明日の15時 / 明日の午後3時 / あした15じ = 11-21 15:00
あすの三時 / Tomorrow, 3 PM please = 11-21 15:00
明後日の15時半 / あさって15:30 / the day after tomorrow at 3:30 / 2日後の15時半 = 11-22 15:30
Mon 10am / 月曜10時 / 月曜日の朝10時 / monday at 10 / 来週月曜10時 / 11/23 10時 = 11-23 10:00
11/24 10時 / 11月24日10時 / 11/24(火)10:00 / 24日の10時 / 24 nov 10am / Nov 24, 10 am = 11-24 10:00
2026-11-24 10:00 / 2026年11月24日10時 = 11-24 10:00
来週の火曜日の午後3時半にお電話お願いします / Tuesday 3:30pm / 火 15:30 = 11-24 15:30
金曜の13時 / friday 1pm / this friday at 1 / 来週金曜の13時 = 11-27 13:00
12/20 10時 = 12-20 10:00
30分後 / in 30 minutes / 三十分後 / 今から30分後 / あと30分 / in half an hour / 30 min later = 11-20 14:40
30分後に電話ください / about 30 minutes from now = 11-20 14:40
1時間後 / in an hour / in one hour / 一時間後 / １時間後でお願いします / 60分後 = 11-20 15:10
1時間半後 / 90分後 / in 90 minutes / 1時間30分後 = 11-20 15:40
in two hours / 2時間後 = 11-20 16:10
明日の午前 / 明日の午前中 / tomorrow morning / あしたの朝 / 11/21午前 = 11-21 09:00 12:00
土曜の午前中なら大丈夫です / 午前 / 朝 / morning = 11-21 09:00 12:00
午後 / afternoon / this afternoon / 今日の午後 = 11-20 14:10 18:00
月曜の午後 / monday afternoon / 11月23日の午後 / 月曜 午後 = 11-23 13:00 18:00
夕方 / 今日の夕方 / ゆうがた = 11-20 16:00 19:00
今夜 / 夜 / tonight / 今晩お願いします = 11-20 18:00 20:00
this evening / evening = 11-20 17:00 20:00
お昼 / 昼 / 明日のお昼 / lunchtime = 11-21 12:00 13:00
昼過ぎ / 午後イチ / 14時から15時 / 2-3pm = 11-20 14:10 15:00
3時〜4時 / 3:00-4:00 / 三時から四時まで = 11-20 15:00 16:00
8時から20時 / 8:00〜20:00 = 11-20 14:10 20:00
明日朝一 / first thing tomorrow = 11-21 09:00 10:00
明日 / tomorrow / あした / 明日いつでも / any time tomorrow / 11/21 / 土曜 = 11-21 09:00 18:00
明後日 / あさってお願いします / the day after tomorrow = 11-22 09:00 18:00
12/19 / 19日 = 12-19 09:00 18:00
16時から17時 / 16〜17時 / 16時〜17時 / １６時～１７時 / 16:00-17:00 / 4-5pm / 4pm to 5pm = 11-20 16:00 17:00
from 4 to 5 pm / 16時から17時まで / 午後4時から5時 = 11-20 16:00 17:00
明日9時から5時 / 明日 9am-5pm = 11-21 09:00 17:00
明日11-1pm / 明日の午前11時から午後1時 = 11-21 11:00 13:00
11/24(火)16:00〜16:30 / Tue 24 Nov, 16:00 to 16:30 / 11/24 16:00〜16:30 = 11-24 16:00 16:30
"""
ROWS = [
    pytest.param(text.strip(), expected.strip(), id=text.strip())
    for line in TIMES.strip().split("\n")
    for texts, expected in [line.split(" = ")]
    for text in texts.split(" / ")
]


def told(meaning: Meaning) -> str:
    """Return a time as the table has it, on the clock of Tokyo."""
    assert isinstance(meaning, CallAt), meaning
    start = meaning.starts_at.astimezone(TOKYO)
    end = f" {meaning.ends_at.astimezone(TOKYO):%H:%M}" if meaning.ends_at else ""
    return f"{start:%m-%d %H:%M}{end}"


@pytest.mark.parametrize(("text", "expected"), ROWS)
def test_a_time_is_understood(text: str, expected: str) -> None:
    """That Friday at ten past two in Tokyo; a window that has begun starts now."""
    assert told(understand(text, NOW, TOKYO)) == expected


def test_a_time_that_is_this_very_minute_is_tomorrow_s() -> None:
    """What is asked for is ahead: who means now says so."""
    assert told(understand("14時10分", NOW, TOKYO)) == "11-21 14:10"


ZONES = ["Asia/Tokyo", "America/New_York", "Europe/London", "Australia/Lord_Howe", "America/Havana", "Asia/Kathmandu"]
CHANGES = [datetime(2026, 3, 8, 6, tzinfo=UTC), datetime(2026, 11, 1, 5, tzinfo=UTC), datetime(2026, 3, 29, tzinfo=UTC)]
"""Near clock changes in New York and Havana, and in London."""


@st.composite
def moments(draw: st.DrawFn) -> tuple[datetime, ZoneInfo]:
    """Draw a zone and an instant, often near a change of the clocks."""
    anywhere = st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - Hypothesis wants them bare
    near = st.builds(
        lambda at, minutes: at + minutes * MINUTE, st.sampled_from(CHANGES), st.integers(-2 * 1440, 2 * 1440)
    )
    return draw(anywhere | near), ZoneInfo(draw(st.sampled_from(ZONES)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3/8 2:30 am", datetime(2026, 3, 8, 7, tzinfo=UTC)),  # skipped: the instant of the skip
        ("3月8日 午前2時", datetime(2026, 3, 8, 7, tzinfo=UTC)),
        ("3/8 3:30 am", datetime(2026, 3, 8, 7, 30, tzinfo=UTC)),
        ("3/8 1:30 am", datetime(2026, 3, 8, 6, 30, tzinfo=UTC)),
    ],
)
def test_a_time_that_the_clock_skips_is_the_instant_of_the_skip(text: str, expected: datetime) -> None:
    """In New York, on the night in which summer time begins; the same rule as for opening hours."""
    zone = ZoneInfo("America/New_York")
    assert understand(text, datetime(2026, 3, 6, 12, tzinfo=zone), zone) == CallAt(expected)


def test_a_time_that_comes_twice_is_the_first_of_the_two() -> None:
    """In New York, on the night in which summer time ends."""
    zone = ZoneInfo("America/New_York")
    now = datetime(2026, 10, 30, 12, tzinfo=zone)
    assert understand("11/1 1:30am", now, zone) == CallAt(datetime(2026, 11, 1, 5, 30, tzinfo=UTC))


def first_shown(day: date, hour: int, minute: int, zone: ZoneInfo) -> datetime:
    """Return the first minute at which the clock of the zone shows, on that day, this time or a later one.

    Found by watching the clock from minute to minute.
    """
    at = datetime(day.year, day.month, day.day, tzinfo=UTC) - DAY
    while (local := at.astimezone(zone).replace(tzinfo=None)) < datetime(day.year, day.month, day.day, hour, minute):  # noqa: DTZ001 - as a clock on the wall shows it
        jump = datetime(day.year, day.month, day.day, hour, minute) - local - timedelta(hours=3)  # noqa: DTZ001 - likewise
        at += max(jump // MINUTE * MINUTE, MINUTE)
    return at


def expected_at(days: list[date], hour: int, minute: int, now: datetime, zone: ZoneInfo) -> Meaning:
    """Return the first of the days' times that is ahead."""
    ahead = [at for at in (first_shown(day, hour, minute, zone) for day in days) if at > now]
    return CallAt(ahead[0]) if ahead else NotUnderstood()


def by_day(hour: int) -> int:
    """Return the hour between 8 and 20 that an hour of the clock face stands for."""
    return next(each for each in range(8, 20) if each % 12 == hour % 12)


@given(moments(), st.integers(0, 23), st.integers(0, 59))
def test_a_bare_time_is_the_next_one(moment: tuple[datetime, ZoneInfo], hour: int, minute: int) -> None:
    """Today or tomorrow, on whichever clock; one that the clock skips is the instant of the skip."""
    now, zone = moment
    today = now.astimezone(zone).date()
    for text in (f"{hour:02}:{minute:02}", f"{hour:02}時{minute:02}分"):
        exact = hour if hour == 0 or hour > 12 or hour < 10 else by_day(hour)
        assert understand(text, now, zone) == expected_at([today, today + DAY], exact, minute, now, zone)


@given(moments(), st.integers(1, 12), st.sampled_from([0, 30]))
def test_a_time_on_the_clock_face_is_meant_by_day(moment: tuple[datetime, ZoneInfo], hour: int, minute: int) -> None:
    """From eight to eight, in both languages; unless it is said to be before or after noon."""
    now, zone = moment
    today = now.astimezone(zone).date()
    half, english = ("半", ":30") if minute else ("", ":00")
    for text in (f"{hour}時{half}", f"{hour}{english}"):
        assert understand(text, now, zone) == expected_at([today, today + DAY], by_day(hour), minute, now, zone)
    for text, exact in ((f"{hour}{english} am", hour % 12), (f"{hour}{english}pm", hour % 12 + 12)):
        assert understand(text, now, zone) == expected_at([today, today + DAY], exact, minute, now, zone)


DAYS_JA, DAYS_EN = "月火水木金土日", ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@given(moments(), st.integers(0, 6), st.integers(13, 19))
def test_a_weekday_is_the_next_one(moment: tuple[datetime, ZoneInfo], weekday: int, hour: int) -> None:
    """Today's, when its time is still ahead."""
    now, zone = moment
    today = now.astimezone(zone).date()
    days = [day for day in (today + count * DAY for count in range(14)) if day.isoweekday() == weekday + 1]
    for text in (f"{DAYS_JA[weekday]}曜日の{hour}時", f"{DAYS_EN[weekday]} {hour - 12}pm"):
        assert understand(text, now, zone) == expected_at(days, hour, 0, now, zone)


@given(moments(), st.integers(-3, 40), st.integers(13, 19))
def test_a_date_is_one_of_the_next_thirty_days(moment: tuple[datetime, ZoneInfo], ahead: int, hour: int) -> None:
    """Yesterday's, and one further ahead, a person has to look at."""
    now, zone = moment
    today = now.astimezone(zone).date()
    day = today + ahead * DAY
    expected = expected_at([day] if 0 <= ahead <= 30 else [], hour, 0, now, zone)
    weekday = DAYS_JA[day.isoweekday() - 1]
    month = day.strftime("%B")
    for text in (
        f"{day.month}/{day.day} {hour}:00",
        f"{day.month}月{day.day}日({weekday}){hour}時",
        f"{day.year}/{day.month}/{day.day} {hour}時",
        f"{day.day} {month} at {hour - 12}pm",
        f"{month[:3]} {day.day}, {hour}:00",
    ):
        assert understand(text, now, zone) == expected, text
    wrong = DAYS_JA[day.isoweekday() % 7]
    assert understand(f"{day.month}/{day.day}({wrong}){hour}時", now, zone) == NotUnderstood()


PARTS = {
    "午前": (9, 12), "朝": (9, 12), "morning": (9, 12), "昼": (12, 13), "昼過ぎ": (13, 15), "午後": (13, 18),
    "afternoon": (13, 18), "夕方": (16, 19), "evening": (17, 20), "夜": (18, 20),
}  # fmt: skip


@given(moments(), st.sampled_from(sorted(PARTS)))
def test_a_part_of_the_day_is_a_window_that_is_not_over(moment: tuple[datetime, ZoneInfo], part: str) -> None:
    """The next one; one that has begun starts now."""
    now, zone = moment
    today = now.astimezone(zone).date()
    windows = [[first_shown(today + days * DAY, hour, 0, zone) for hour in PARTS[part]] for days in (0, 1)]
    starts_at, ends_at = next(window for window in windows if window[1] > now)
    assert understand(part, now, zone) == CallAt(max(starts_at, now), ends_at)


@given(moments(), st.integers(1, 600))
def test_so_many_minutes_from_now_are_elapsed_minutes(moment: tuple[datetime, ZoneInfo], minutes: int) -> None:
    """Whatever the clock does meanwhile."""
    now, zone = moment
    expected = CallAt(now + minutes * MINUTE)
    texts = [f"{minutes}分後", f"in {minutes} minutes", f"{minutes} mins later", f"今から{minutes}分後にお願いします"]
    if minutes % 60 == 0:
        texts += [f"{minutes // 60}時間後", f"in {minutes // 60} hours"]
    for text in texts:
        assert understand(text, now, zone) == expected, text


@given(moments(), st.integers(13, 18), st.integers(1, 4))
def test_a_window_has_both_its_ends(moment: tuple[datetime, ZoneInfo], hour: int, length_h: int) -> None:
    """However the two are joined."""
    now, zone = moment
    today = now.astimezone(zone).date()
    ends = (hour, hour + length_h)
    windows = [[first_shown(today + days * DAY, each, 0, zone) for each in ends] for days in (0, 1)]
    starts_at, ends_at = next(window for window in windows if window[1] > now)
    for text in (
        f"{ends[0]}時から{ends[1]}時まで",
        f"{ends[0]}:00〜{ends[1]}:00",
        f"{ends[0]}-{ends[1]}時",
        f"{ends[0] - 12}pm to {ends[1] - 12}pm",
        f"{ends[0] - 12}-{ends[1] - 12}pm",
        f"from {ends[0] - 12} to {ends[1] - 12} pm please",
    ):
        assert understand(text, now, zone) == CallAt(max(starts_at, now), ends_at), text


def test_a_moment_without_a_zone_is_a_mistake_of_ours() -> None:
    """The machine's own zone must not be guessed."""
    with pytest.raises(ValueError, match="has no time zone"):
        understand("16時", datetime(2026, 11, 20, 14), TOKYO)  # noqa: DTZ001 - what is tested
