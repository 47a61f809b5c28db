"""Where calls can go: rings, places that nothing leads to, and callers who are let down."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from controller.domain.menu import (
    CallOut,
    Destination,
    Entrance,
    JoinQueue,
    JoinUrgently,
    LeaveNumber,
    Menu,
    OpenMenu,
    Repeat,
    SayGoodbye,
    SwitchLanguage,
    TextBookingLink,
    TextPage,
)
from controller.domain.menu_graph import (
    LIMITS,
    Kind,
    Place,
    Turn,
    Way,
    asks_of_the_silent,
    let_down,
    place_of,
    reached,
    rings,
    spoken_places,
    told_ring,
    ways_of,
    without_people,
)

BYE = SayGoodbye("goodbye")
A, B, C = (Place(Kind.MENU, name) for name in "abc")
SUPPORT, SALES = (Place(Kind.QUEUE, name) for name in ("support", "sales"))

names = st.sampled_from("abcd")
destinations: st.SearchStrategy[Destination] = st.one_of(
    st.builds(OpenMenu, names),
    st.builds(JoinQueue, names),
    st.builds(JoinUrgently, names),
    st.builds(LeaveNumber, names),
    st.builds(TextPage, names),
    st.builds(TextBookingLink, names),
    st.just(BYE),
    st.just(Repeat()),
    st.just(SwitchLanguage("en")),
    st.just(CallOut("0398765432")),
)
some_menus = st.lists(
    st.builds(
        Menu,
        name=names,
        prompts=st.just(("menu-main",)),
        keys=st.dictionaries(st.sampled_from("0123*#"), destinations, min_size=1),
        no_key=destinations,
        wrong_key=destinations,
    ),
    unique_by=lambda menu: menu.name,
)
some_limits = st.dictionaries(names, st.dictionaries(st.sampled_from(LIMITS), destinations))
some_entrances = st.lists(
    st.builds(Entrance, name=names, dialled_numbers=st.just(("117",)), language=st.just("ja"), leads_to=destinations),
    unique_by=lambda entrance: entrance.name,
)


@st.composite
def some_ways(draw: st.DrawFn) -> list[Way]:
    """Draw the ways of some settings."""
    return ways_of(draw(some_entrances), draw(some_menus), draw(some_limits))


def menu(name: str, no_key: Destination = BYE, wrong_key: Destination = BYE, **keys: Destination) -> Menu:
    """Return a menu; its keys are named `k1`, `k2`."""
    return Menu(name, ("menu-main",), {key[1:]: one for key, one in keys.items()}, no_key, wrong_key)


def entrance(leads_to: Destination) -> Entrance:
    """Return an entrance."""
    return Entrance("front", ("0312345678",), "ja", leads_to)


def comes_back(ways: list[Way], start: Way) -> bool:
    """Tell whether a call can take `start` again without a key: by walking all it can, one step after the other."""
    onward = {start}
    for _ in range(len(ways) + 1):
        onward = {after for before in onward for after in ways if goes_on(before, after)}
        if start in onward:
            return True
    return False


def goes_on(before: Way, after: Way) -> bool:
    """Tell whether a call that came by one way can go by the other without a key."""
    turned_away = after.turn in {Turn.ON_FULL, Turn.ON_OVERFLOW}
    return (
        place_of(before.leads_to) == after.source
        and before.turn not in {Turn.KEY, Turn.WRONG_KEY}
        and after.turn not in {Turn.KEY, Turn.WRONG_KEY}
        and not isinstance(before.leads_to, LeaveNumber | TextBookingLink)
        and not (isinstance(before.leads_to, JoinUrgently) and turned_away)
    )


def test_menus_that_lead_to_each_other_without_a_key_are_a_ring() -> None:
    """A phone without keys would never come to anybody."""
    ways = ways_of([], [menu("a", no_key=OpenMenu("b")), menu("b", no_key=OpenMenu("a"))], {})
    (ring,) = rings(ways)
    assert told_ring(ring) == 'menu "a" (no_key) -> menu "b" (no_key) -> menu "a"'


def test_a_menu_that_leads_back_by_a_key_is_no_ring() -> None:
    """Whoever presses a key decides to hear it again."""
    ways = ways_of([], [menu("a", k1=OpenMenu("b")), menu("b", k9=OpenMenu("a"), wrong_key=OpenMenu("a"))], {})
    assert rings(ways) == []


def test_queues_that_send_callers_to_each_other_are_a_ring() -> None:
    """Also after the longest wait: it counts from the call's arrival, and is over at once the second time."""
    to_sales, to_support = JoinQueue("sales"), JoinQueue("support")
    ways = ways_of([], [], {"support": {Turn.ON_FULL: to_sales}, "sales": {Turn.ON_CLOSED: to_support}})
    (ring,) = rings(ways)
    assert told_ring(ring) == 'queue "support" (on_full) -> queue "sales" (on_closed) -> queue "support"'
    waited = ways_of([], [], {"support": {Turn.ON_MAX_WAIT: to_sales}, "sales": {Turn.ON_MAX_WAIT: to_support}})
    assert len(rings(waited)) == 1


def test_an_urgent_caller_is_not_turned_away_from_a_full_line() -> None:
    """So no ring goes through there; a closed queue is closed for everybody."""
    urgently, back = JoinUrgently("sales"), JoinQueue("support")
    full = ways_of([], [], {"support": {Turn.ON_FULL: urgently}, "sales": {Turn.ON_FULL: back}})
    assert rings(full) == []
    closed = ways_of([], [], {"support": {Turn.ON_FULL: urgently}, "sales": {Turn.ON_CLOSED: back}})
    assert len(rings(closed)) == 1


def test_a_number_that_is_left_ends_a_ring() -> None:
    """A closed queue may lead to its own callback: the call ends there."""
    assert rings(ways_of([], [], {"support": {Turn.ON_CLOSED: LeaveNumber("support")}})) == []
    assert len(rings(ways_of([], [], {"support": {Turn.ON_CLOSED: JoinQueue("support")}}))) == 1


@given(some_ways())
def test_there_is_a_ring_where_a_call_can_come_back_without_a_key_and_nowhere_else(ways: list[Way]) -> None:
    """Each ring is one that can be walked, and each place on a circle is on a ring that is told or leads into one."""
    found = rings(ways)
    for ring in found:
        assert all(goes_on(before, after) for before, after in zip(ring, (*ring[1:], ring[0]), strict=True))
        assert len(set(ring)) == len(ring)
    on_a_ring = {way for ring in found for way in ring}
    assert on_a_ring == {way for way in ways if comes_back(ways, way)}
    assert len({frozenset(ring) for ring in found}) == len(found)


def test_what_no_entrance_leads_to_is_not_reached() -> None:
    """Also when something leads there that is not reached itself."""
    ways = ways_of(
        [entrance(OpenMenu("a"))],
        [menu("a", k1=JoinQueue("support")), menu("b", k1=OpenMenu("c")), menu("c", k1=TextPage("hours"))],
        {"support": {Turn.ON_FULL: LeaveNumber("sales")}},
    )
    assert reached(ways) == {Place(Kind.ENTRANCE, "front"), A, SUPPORT, SALES}


@given(some_ways())
def test_what_is_reached_is_closed_under_every_way(ways: list[Way]) -> None:
    """It holds every entrance, every place a step further, and nothing that has no way in."""
    found = reached(ways)
    assert {way.source for way in ways if way.source.kind is Kind.ENTRANCE} <= found
    assert {way.target for way in ways if way.source in found and way.target is not None} <= found
    into = {way.target for way in ways if way.source in found}
    assert all(place.kind is Kind.ENTRANCE or place in into for place in found)


def test_a_message_by_a_key_is_a_choice_and_any_other_lets_the_caller_down() -> None:
    """An announcement that was asked for is an answer."""
    ways = ways_of([entrance(BYE)], [menu("a", k6=BYE, no_key=JoinQueue("support"))], {"support": {Turn.ON_FULL: BYE}})
    assert [(way.source.name, way.word) for way in let_down(ways)] == [
        ("front", "leads_to"),
        ("a", "wrong_key"),
        ("support", "on_full"),
    ]


def test_whoever_pressed_nothing_and_is_asked_for_a_key_is_found() -> None:
    """A number, a page and a link take a key; a queue does not."""
    menus = [menu("a", no_key=LeaveNumber("support")), menu("b", no_key=TextPage("hours"), k1=LeaveNumber("support"))]
    menus += [menu("c", no_key=JoinQueue("support")), menu("d", no_key=TextBookingLink("support"))]
    assert [way.source.name for way in asks_of_the_silent(ways_of([], menus, {}))] == ["a", "b", "d"]


def test_a_menu_from_which_nobody_is_reached_is_found() -> None:
    """Over any number of further menus; a callback and a number outside are people too, a link by SMS is not."""
    menus = [
        menu("a", k1=OpenMenu("b")),
        menu("b", k1=OpenMenu("f")),
        menu("c", k1=TextPage("hours"), k2=OpenMenu("d")),
        menu("d", k1=OpenMenu("c"), k9=Repeat()),
        menu("e", no_key=CallOut("117")),
        menu("f", k1=LeaveNumber("support")),
        menu("g", k1=TextBookingLink("support")),
    ]
    assert without_people([one.name for one in menus], ways_of([], menus, {})) == ["c", "d", "g"]


def test_a_queue_is_reached_by_the_link_to_its_booking_page() -> None:
    """So it has to be there; what happens to callers in its line does not happen to whoever gets the link."""
    ways = ways_of([entrance(OpenMenu("a"))], [menu("a", k1=TextBookingLink("support"))], {"support": {}})
    assert SUPPORT in reached(ways)
    closed = [menu("a", no_key=TextBookingLink("support"))]
    assert rings(ways_of([], closed, {"support": {Turn.ON_CLOSED: OpenMenu("a")}})) == []


def test_each_place_is_met_in_each_language_that_it_can_be_met_in() -> None:
    """The language goes with the caller, from the menu in which it was chosen on."""
    menus = [menu("a", k1=OpenMenu("b"), k8=SwitchLanguage("en")), menu("b", k1=JoinQueue("support"))]
    front = entrance(OpenMenu("a"))
    met = list(spoken_places([front], ways_of([front], menus, {}), {"a": ["en"]}))
    assert met == [
        (Place(Kind.ENTRANCE, "front"), "ja"),
        (A, "ja"),
        (A, "en"),
        (B, "ja"),
        (B, "en"),
        (SUPPORT, "ja"),
        (SUPPORT, "en"),
    ]


@given(destinations)
def test_a_destination_is_a_place_only_where_the_call_stays_with_us(destination: Destination) -> None:
    """What ends the call, hands it over, or stays in the menu is none."""
    ends = isinstance(destination, CallOut | SayGoodbye | Repeat | SwitchLanguage)
    assert (place_of(destination) is None) == ends
