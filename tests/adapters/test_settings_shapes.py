"""Whatever a settings file holds is taken or told: nothing in it makes the controller crash."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.menu import DESTINATIONS
from controller.settings import SettingsError, load_settings
from controller.settings.destinations import parse_destination, word_of

if TYPE_CHECKING:
    from pathlib import Path

json_like: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([*DESTINATIONS, "x"]), json_like, max_size=2) | json_like)
def test_whatever_stands_for_a_destination_is_taken_or_told(given_value: object) -> None:
    """Nothing else is raised, whatever a file holds."""
    try:
        destination = parse_destination(given_value)
    except ValueError:
        return
    assert isinstance(given_value, dict)
    assert set(given_value) == {word_of(destination)}


PLACES = [
    "entrances = {}",
    "menus = {}",
    "web_pages = {}",
    "queues = {}",
    "agents = {}",
    "dialer = {}",
    "agi = {}",
    "[[entrances]]\nname = {}",
    "[[entrances]]\nleads_to = {}",
    "[[entrances]]\nname = 'a'\ndialled_numbers = {}",
    "[[menus]]\nname = 'a'\nkeys = {}",
    "[[menus]]\nname = 'a'\nno_key = {}",
    "[[queues]]\nname = 'a'\nhours = {}",
    "[[queues]]\nslots = {}",
    "[[queues]]\nlimits = {}",
    "[[queues]]\nannouncements = {}",
    "[[queues]]\nhours = {{ mon = {}, exceptions = {{ 2026-01-01 = {} }} }}",
    "[[queues]]\nhours = {{ mon = ['09:00-12:00'], time_zone = {0} }}\nslots = {{ length_min = {0} }}",
    "sms = {}",
    "web = {}",
    "[sms]\ngateway = {}\nsender = {}",
    "[sms]\ntariffs = {0}\ncountries = {0}\nmax_per_prefix = {0}\nbreaker = {0}\n[web]\nopen_page = true",
    "[sms]\ngateway = 'twilio'\ntwilio = {}",
    "[sms]\ngateway = 'json_http'\njson_http = {}",
    "[sms.json_http]\nbody = {0}\nheaders = {0}\nauth = {0}",
    "[sms.json_http]\nreceipts = {0}\nreplies = {0}\nverification = {0}",
    "[web]\nenabled = true\npublic_url = {}\ntrusted_proxies = {}",
    "[[queues]]\nsms_sender = {}\nlate_notice_s = {}",
    "[dialer]\nhome_country = {}\ntime_zone = {}\n[[queues]]\nhours = {{ mon = ['09:00-12:00'] }}\nslots = {{}}",
]
"""Where something of the wrong shape may stand."""


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "value", ["1", "true", "''", "'x'", "[]", "[[]]", "[1]", "['']", "{}", "{ a = [] }", "2026-01-01"]
)
def test_a_value_of_the_wrong_shape_is_a_mistake_and_no_crash(tmp_path: Path, place: str, value: str) -> None:
    """The looks across the file pass it over; the model tells it."""
    path = tmp_path / "controller.toml"
    path.write_text(place.format(value, value), encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_settings(path, {}, needs_secrets=False)
    assert caught.value.mistakes
