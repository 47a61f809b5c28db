"""The card of whom an agent serves, and the note of the talk: who gets to see what, and who writes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from controller.console.desk_rules import DeskRules
from controller.domain.access import Role, Scope
from controller.domain.agents import AgentState
from controller.domain.call_ending import Ending
from tests.console.desk_talks import OWN, promised, rings, state, talks, talks_on_promise, wraps_up
from tests.console.floor import AGENT, NUMBER, OTHER_AGENT, OTHER_NUMBER
from tests.console.house import ConsoleSite, site_at

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.console.house import Client

RULES = DeskRules(note_length=200, crm_url="https://crm.example.jp/search?tel={number}")
HOSTILE = '<script>alert(1)</script> \' OR 1=1 -- \u202e=HYPERLINK("x") 📞'


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[ConsoleSite]:
    """Serve a console with dispositions and a CRM."""
    async with site_at(tmp_path, desk=RULES, dispositions=("解決", "要確認")) as opened:
        yield opened


@pytest.fixture
async def agent(site: ConsoleSite) -> Client:
    """Sign the first agent in."""
    return await site.client(Role.AGENT)


async def serving(client: Client, agent: str = AGENT) -> Any:
    """Return whom an agent serves, as somebody is told."""
    answer = await client.get(f"/api/v1/agents/{agent}/card")
    assert answer.status == 200, answer.text
    return answer.json["serving"]


async def note(client: Client, waiter: str, text: str = "", agent: str = AGENT, **more: Any) -> Any:
    """Write a note; return the answer."""
    return await client.put(f"/api/v1/agents/{agent}/note", {"waiter_id": waiter, "text": text, **more})


async def test_the_card_is_there_while_it_rings_with_the_whole_number(site: ConsoleSite, agent: Client) -> None:
    """Who calls, as people write it; why, since when; and where the CRM has them."""
    call = await rings(site)
    card = await serving(agent)
    assert (card["waiter_id"], card["kind"], card["state"], card["queue"]) == (call, "live", "ringing", "support")
    assert (card["number"], card["printed"], card["can_be_called"]) == (NUMBER, "090-1234-5678", True)
    assert card["crm_url"] == "https://crm.example.jp/search?tel=%2B819012345678"
    assert card["arrival"]["since"] == "2026-11-24T01:00:00Z"
    assert card["arrival"]["dialled"] == "0312345678"
    assert (card["past"], card["is_all"], card["note"]) == ([], True, None)


async def test_the_card_goes_with_the_wrap_up(site: ConsoleSite, agent: Client) -> None:
    """During the talk and the wrap-up the number is whole; then it is nobody's."""
    for happens in (talks, wraps_up):
        await happens(site)
        assert (await serving(agent))["number"] == NUMBER
    state(site, AgentState.AVAILABLE)
    assert await serving(agent) is None


async def test_nobody_else_sees_the_card_of_an_agent(site: ConsoleSite) -> None:
    """A colleague is refused, and learns no number from the floor either; nor does a program that sees none."""
    await talks(site)
    colleague = await site.client(Role.AGENT, "taro", agent=OTHER_AGENT)
    for path in ("card", "note?waiter_id=x", "redial?waiter_id=x"):
        answer = await colleague.get(f"{OWN}/{path}")
        assert (answer.status, answer.json["type"]) == (403, "urn:orikaeshi:problem:not-allowed")
    assert await serving(colleague, OTHER_AGENT) is None
    program = await site.key(Scope.FLOOR_WRITE)
    masked = await serving(program)
    assert (masked["number"], masked["crm_url"]) == ("+81901234****", "")
    assert "12345678" not in str(masked).replace("0312345678", "our own")
    assert (await serving(await site.client(Role.SUPERVISOR)))["number"] == NUMBER
    stranger = await site.stranger().get(f"{OWN}/card")
    assert stranger.status == 401


async def test_who_withheld_the_number_has_none(site: ConsoleSite, agent: Client) -> None:
    """And cannot be called back, nor looked for."""
    await rings(site, None)
    card = await serving(agent)
    assert (card["number"], card["printed"], card["can_be_called"], card["crm_url"]) == (None, "", False, "")


async def test_a_callback_is_told_with_what_was_promised(site: ConsoleSite, agent: Client) -> None:
    """The attempt that goes on is no past yet, but is told."""
    promise = await talks_on_promise(site)
    card = await serving(agent)
    assert (card["waiter_id"], card["kind"]) == (promise.id, "promise")
    assert (card["promised"]["state"], card["promised"]["attempts_used"]) == ("connected", 0)
    assert [line["kind"] for line in card["past"]] == ["attempt"]


async def test_what_was_before_is_told_as_it_was_written(site: ConsoleSite, agent: Client) -> None:
    """Hostile text stays text: it goes out as JSON, and the page shows it as text."""
    await wraps_up(site, call="old")
    assert (await note(agent, "old", HOSTILE, disposition="解決")).status == 200
    await promised(site)
    await rings(site)
    past = (await serving(agent))["past"]
    assert [line["kind"] for line in past] == ["promise", "note", "call"] or len(past) == 3
    (written,) = [line for line in past if line["kind"] == "note"]
    assert (written["what"], written["text"], written["agent"]) == ("解決", HOSTILE, AGENT)


async def test_a_caller_of_whom_nothing_could_be_recorded_is_told_as_the_line_has_them(
    site: ConsoleSite, agent: Client
) -> None:
    """The database was away when they came."""
    await rings(site, OTHER_NUMBER, call="recorded")
    shown = site.floor.shown.line[0]
    state(site, AgentState.RINGING, "unrecorded")
    site.floor.shown = type(site.floor.shown)(
        at=site.house.now,
        agents=site.floor.shown.agents,
        line=(type(shown)("unrecorded", shown.kind, "support", "asterisk", shown.since, shown.state, OTHER_NUMBER),),
    )
    assert (await serving(agent))["number"] == OTHER_NUMBER
    assert (await note(agent, "unrecorded", "heard them")).status == 200


async def test_there_is_no_card_of_an_agent_who_is_none(site: ConsoleSite) -> None:
    """Whoever may see every card is told so."""
    answer = await (await site.client(Role.SUPERVISOR)).get("/api/v1/agents/nobody/card")
    assert answer.status == 404


async def test_a_note_is_kept_and_read_again_and_the_audit_does_not_repeat_it(site: ConsoleSite, agent: Client) -> None:
    """Not a word of it, nor the number."""
    call = await talks(site)
    kept = (await note(agent, call, "wants an invoice", disposition="要確認")).json["note"]
    assert (kept["text"], kept["disposition"]) == ("wants an invoice", "要確認")
    assert (await agent.get(f"{OWN}/note?waiter_id={call}")).json == {"note": kept}
    assert (await serving(agent))["note"] == kept
    lines = str((await site.everything())["audit"])
    assert "put_note" in lines or "note" in lines
    assert "invoice" not in lines
    assert "5678" not in lines


async def test_a_note_that_was_changed_in_another_tab_is_not_written_over(site: ConsoleSite, agent: Client) -> None:
    """412, and nothing is changed; with what stands there seen it is."""
    call = await talks(site)
    first = (await note(agent, call, "from one tab")).json["note"]
    refused = await note(agent, call, "from another")
    assert (refused.status, refused.json["type"]) == (412, "urn:orikaeshi:problem:changed")
    assert (await agent.get(f"{OWN}/note?waiter_id={call}")).json["note"] == first
    answer = await note(agent, call, "from another", seen=first["changed_at"])
    assert answer.json["note"]["text"] == "from another"


@pytest.mark.parametrize(
    ("more", "where"),
    [({"disposition": "gone fishing"}, "body.disposition"), ({"text": "x" * 201}, "body.text")],
)
async def test_a_note_that_is_none_is_refused_with_what_is_wrong(
    site: ConsoleSite, agent: Client, more: dict[str, str], where: str
) -> None:
    """A disposition that nobody offers, a text that is too long; what is just as long as it may be is kept."""
    call = await talks(site)
    answer = await note(agent, call, **more)
    assert (answer.status, [each["where"] for each in answer.json["mistakes"]]) == (422, [where])
    assert (await note(agent, call, "x" * 200)).status == 200


async def test_a_note_of_a_talk_that_was_somebody_elses_is_refused(site: ConsoleSite, agent: Client) -> None:
    """Also of one's own, half a day later; a supervisor writes as the agent whose talk it was."""
    call = await wraps_up(site)
    colleague = await site.client(Role.AGENT, "taro", agent=OTHER_AGENT)
    assert (await note(colleague, call, "mine now", OTHER_AGENT)).status == 409
    assert (await note(colleague, call, "not mine")).status == 403
    state(site, AgentState.AVAILABLE)
    assert (await note(agent, call, "just in time")).status == 200
    site.clock.turn(13 * 3600)
    agent = await site.client(Role.AGENT, "anew")
    before = (await agent.get(f"{OWN}/note?waiter_id={call}")).json["note"]
    await site.store.calls.ended(call, ending=Ending.SERVED, ended_at=site.house.now - timedelta(hours=12, minutes=30))
    assert (await note(agent, call, "too late", seen=before["changed_at"])).status == 409


async def test_a_note_waits_in_the_form_while_the_database_is_away(site: ConsoleSite, agent: Client) -> None:
    """503, which the page sends again; then it is kept."""
    call = await talks(site)
    with site.database_locked():
        assert (await note(agent, call, "kept?")).status == 503
    assert (await note(agent, call, "kept?")).status == 200


async def test_a_page_of_another_site_writes_no_note(site: ConsoleSite, agent: Client) -> None:
    """Without the header that only our scripts send, or from another origin."""
    call = await talks(site)
    for headers in ({"X_Orikaeshi": ""}, {"Origin": "https://evil.example"}):
        answer = await agent.put(f"{OWN}/note", {"waiter_id": call, "text": "x"}, **headers)
        assert answer.status == 403
    assert (await site.everything())["call_notes"] == []


async def test_the_dispositions_are_those_of_the_settings(agent: Client) -> None:
    """In their order."""
    assert (await agent.get("/api/v1/dispositions")).json == {"dispositions": ["解決", "要確認"]}
