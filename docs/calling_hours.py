"""Draws docs/calling-hours.md from the code: when numbers of each country are dialled, and how often.

python -m docs.calling_hours > docs/calling-hours.md
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import phonenumbers

from controller.domain.calling_rules import ANYWHERE_ELSE, DEFAULT_RULES, OTHER_EU, Basis
from controller.domain.number_zones import zones_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller.domain.calling_rules import CallingRule
    from controller.domain.opening_hours import Span

HEAD = """\
# When numbers are dialled, country by country

Drawn from `controller/domain/calling_rules.py` by `python -m docs.calling_hours`; a test compares. Change the code,
then run that, and never edit this page.

**This is not legal advice.** It says what this software does unless the settings say otherwise, and how well each rule
is known. Whoever places the calls has to know the law where the phones ring. A callback that the customer asked for is
often outside the rules on solicitation; the hours apply all the same, also to a time that the customer chose.
"""
KNOWN = {
    Basis.READ: "read in the text",
    Basis.SECONDARY: "as others report it",
    Basis.UNVERIFIED: "**not verified**",
}
TABLE = """\
## The table

Hours are those of the place that is called, in **every** time zone that the number may be in. Calls are those to one
number in any 24 hours (or 30 days), whatever they were for. A country is dialled only if `dialer.countries` names it.
"""
TAIL = """\
## At home

Numbers of `dialer.home_country` follow `dialer.calling_hours` on the clock of `dialer.time_zone`, every day, and
not the table; the number of calls is that of the table. So `time_zone` has to be that of the phones at home. Where the
home country has several time zones, the hours are kept in each of those that the number may be in. Weekdays, holidays,
or a lunch break like that of France, need a rule of your own, which then holds besides:

```toml
[[dialer.calling_rules]]
country = "FR"                          # the home country too, if it needs more than calling_hours
mon = ["10:00-13:00", "14:00-20:00"]    # once a day is named, one that is not has no calls
tue = ["10:00-13:00", "14:00-20:00"]
call_on_holidays = false
max_attempts_per_24h = 3
max_attempts_per_30_days = 4
every_zone = false                      # true: keep to the hours in every zone of the country
number_types = ["mobile"]               # without it: fixed_line, mobile, fixed_line_or_mobile, voip
```

What a rule leaves out stays as in the table. A country that is not `home_country` needs no rule.

## Caps and costs

```toml
[dialer.caps]                           # in any 24 hours, over all queues
per_number = 3                          # to one number; that of the country holds besides: the smaller counts
per_prefix = {{ "+8150" = 100 }}          # to all numbers that begin so
max_cost = 50000                        # of all calls, in whatever unit the tariffs are
reserve_s = 180                         # a call that has not ended counts as one of so many seconds

[[dialer.tariffs]]                      # of several that fit the longest counts; without one a call costs nothing
prefix = "+8190"
per_call = 0
per_minute = 16.5                       # a begun minute counts whole
```

## Which numbers

A number is dialled if its country is in `dialer.countries` and its type among those of the country, unless
`dialer.denied_prefixes` names it. Whatever the settings say, never: freephone, Navi Dial (0570) and premium numbers of
Japan, 900 and 976 numbers of North America, 070 and 09 numbers of the United Kingdom, and numbers without a country
(satellites +870 and +881, networks +882 and +883, +800, +808, +979); and nothing that is not plain digits. The
Caribbean is not the United States, though both are +1: each country there has to be named.

## What is not known

- **Where a phone really is.** The zone is told by the number. A number that was taken along, and a phone that travels,
  keep the clock of the number. `every_zone = true` is the answer for numbers that move within a country.
- **Zones are the numbering library's**, and it can be wrong by an hour near a border (area code 541 reaches into
  Mountain time, 850 into Eastern). The hours for the United States stay an hour inside the law's at both ends for this.
  Where the library names a zone that is not one of the country's, as it does for Algeria, Libya, Morocco, Nicaragua and
  South Sudan, or where it does not tell a place at all, as of most mobile phones, every zone of the country counts.
- **Holidays of a part of a country** (a state of Germany, a region of Spain). Only those of the whole country are kept.
- **Stricter states of the United States**, and whatever is marked as not verified.

{zones}
"""


def page() -> str:
    """Return the whole page, Markdown, ending in a line break."""
    return f"{HEAD}\n{TABLE}\n{_table()}\n{TAIL.format(zones=_wide())}"


def _table() -> str:
    rules = [
        *DEFAULT_RULES.items(),
        ("the other countries of the European Union", OTHER_EU),
        ("any other", ANYWHERE_ELSE),
    ]
    rows = [["where", "hours", "public holidays", "calls", "how it is known", "what is known"], ["---"] * 6]
    rows += [[where, *_row(rule)] for where, rule in rules]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in rows)


def _row(rule: CallingRule) -> Iterator[str]:
    yield _hours(rule)
    yield "as any day" if rule.on_holidays else "no calls"
    monthly = f", {rule.max_per_30_days} in 30 days" if rule.max_per_30_days else ""
    yield f"{rule.max_per_24h} in 24 hours{monthly}"
    yield KNOWN[rule.basis]
    yield rule.source


def _hours(rule: CallingRule) -> str:
    """Return the hours, days with the same ones put together: `Mon-Fri 9:00-20:00; Sat 9:00-17:00`."""
    names = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    runs: list[tuple[list[str], tuple[Span, ...]]] = []
    for name, spans in zip(names, rule.weekly or (), strict=True):
        if runs and runs[-1][1] == spans:
            runs[-1][0].append(name)
        else:
            runs.append(([name], spans))
    shown = (
        f"{days[0] if len(days) == 1 else f'{days[0]}-{days[-1]}'} {', '.join(map(str, spans))}"
        for days, spans in runs
        if spans
    )
    return "; ".join(shown)


def _wide() -> str:
    """Return the sentence on countries whose zones lie far apart."""
    several = sorted(country for country in phonenumbers.SUPPORTED_REGIONS if len(zones_of(country)) > 1)
    return (
        f"More than one time zone: {', '.join(several)}.\n"
        "The further they lie apart, the less time is left for mobile phones: in Russia an hour a day."
    )


if __name__ == "__main__":
    sys.stdout.write(page())
