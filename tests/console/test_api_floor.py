from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from controller.domain.access import Role, Scope
from controller.domain.phone_number import mask
from controller.ports.floor import Refused
from tests.console.floor import AGENT, CALL, NUMBER, OTHER_AGENT, OTHER_NUMBER, PROMISE

if TYPE_CHECKING:
    from tests.console.house import ConsoleSite

COMMANDS: list[tuple[str, dict[str, Any] | None, tuple[object, ...]]] = [
    (f"line/{CALL}/prioritise", {"urgent": True}, ("prioritise", CALL, True)),
    (f"line/{PROMISE}/prioritise", {"urgent": False}, ("prioritise", PROMISE, False)),
    (f"line/{CALL}/assign", {"agent": AGENT}, ("assign", CALL, AGENT)),
    (f"line/{CALL}/assign", {"agent": ""}, ("assign", CALL, "")),
    (f"line/{CALL}/move", {"queue": "sales"}, ("move", CALL, "sales")),
    ("queues/support/open", None, ("open_queue", "support")),
    ("queues/support/announce", {"prompt": "sorry-for-the-wait"}, ("announce", "support", "sorry-for-the-wait")),
    (f"agents/{AGENT}/sign-in", None, ("sign_in", AGENT)),
    (f"agents/{AGENT}/sign-out", None, ("sign_out", AGENT)),
    (f"agents/{AGENT}/pause", {"reason": "lunch"}, ("pause", AGENT, "lunch")),
    (f"agents/{AGENT}/unpause", None, ("unpause", AGENT)),
    (f"agents/{AGENT}/end-wrap-up", None, ("end_wrap_up", AGENT)),
    (f"agents/{AGENT}/extend-wrap-up", {"by_s": 60}, ("extend_wrap_up", AGENT, 60.0)),
    (f"agents/{AGENT}/hang-up", None, ("hang_up", AGENT)),
    (f"agents/{AGENT}/preview", {"choice": "put_off"}, ("preview", AGENT, "put_off")),
    (f"agents/{AGENT}/listen", {"endpoint": "supervisor-1"}, ("listen", AGENT, "supervisor-1")),
]
STATUS = {
    Refused.UNKNOWN: (404, "not-found"),
    Refused.NOT_NOW: (409, "not-now"),
    Refused.NUMBER_HELD: (409, "number-held"),
    Refused.ELSEWHERE: (421, "elsewhere"),
    Refused.UNAVAILABLE: (503, "unavailable"),
}


async def test_every_command_reaches_the_floor(site: ConsoleSite) -> None:
    """As it was asked; done is no content."""
    supervisor = await site.client(Role.SUPERVISOR)
    for path, body, _ in COMMANDS:
        answer = await supervisor.post(f"/api/v1/{path}", body)
        assert (answer.status, answer.text) == (204, "")
    assert site.floor.asked == [asked for _, _, asked in COMMANDS]


@pytest.mark.parametrize("refused", Refused)
async def test_what_the_floor_refuses_is_told_with_its_kind(site: ConsoleSite, refused: Refused) -> None:
    """Each reason has a status and a type of its own; where it may pass, it says when to come again."""
    supervisor = await site.client(Role.SUPERVISOR)
    for path, body, asked in COMMANDS:
        site.floor.refuses[str(asked[0])] = refused
        answer = await supervisor.post(f"/api/v1/{path}", body)
        assert (answer.status, answer.json["type"].rpartition(":")[2]) == STATUS[refused]
        assert ("Retry-After" in answer.headers) == (refused is Refused.UNAVAILABLE)


async def test_who_closes_a_queue_is_told_to_the_floor(site: ConsoleSite) -> None:
    """By their name, and until when; a time that is past closes nothing."""
    supervisor = await site.client(Role.SUPERVISOR, "hanako")
    assert (await supervisor.post("/api/v1/queues/support/close", {})).status == 204
    assert (await supervisor.post("/api/v1/queues/support/close", {"until": "2026-11-24T12:00:00+09:00"})).status == 204
    past = await supervisor.post("/api/v1/queues/support/close", {"until": "2026-11-24T01:00:00Z"})
    assert (past.status, past.json["mistakes"][0]["where"]) == (422, "body.until")
    assert site.floor.asked == [
        ("close_queue", "support", "hanako", None),
        ("close_queue", "support", "hanako", datetime(2026, 11, 24, 3, tzinfo=UTC)),
    ]


async def test_an_agent_acts_for_themselves_alone(site: ConsoleSite) -> None:
    """Their own state, nobody else's; and they listen to nobody, and command neither line nor queues."""
    agent = await site.client(Role.AGENT)
    theirs = [(path, body, asked) for path, body, asked in COMMANDS if path.startswith("agents/")]
    for path, body, asked in COMMANDS:
        is_theirs = path.startswith("agents/") and asked[0] != "listen"
        answer = await agent.post(f"/api/v1/{path}", body)
        assert answer.status == (204 if is_theirs else 403), path
    for path, body, _ in theirs:
        assert (await agent.post(f"/api/v1/{path.replace(AGENT, OTHER_AGENT)}", body)).status == 403
    assert site.floor.asked == [asked for _, _, asked in theirs if asked[0] != "listen"]


async def test_a_person_who_is_no_agent_at_the_phone_acts_for_nobody(site: ConsoleSite) -> None:
    """An empty name is not somebody's."""
    nobody = await site.client(Role.AGENT, agent="")
    assert (await nobody.post(f"/api/v1/agents/{AGENT}/pause", {"reason": "lunch"})).status == 403
    assert site.floor.asked == []


@pytest.mark.parametrize(
    ("path", "body", "where"),
    [
        (f"agents/{AGENT}/pause", {"reason": "holiday"}, "body.reason"),
        (f"agents/{AGENT}/extend-wrap-up", {"by_s": 0}, "body.by_s"),
        (f"agents/{AGENT}/extend-wrap-up", {"by_s": 3601}, "body.by_s"),
        (f"agents/{AGENT}/preview", {"choice": "run away"}, "body.choice"),
        (f"agents/{AGENT}/listen", {"endpoint": "PJSIP/trunk,o&Local"}, "body.endpoint"),
        ("queues/support/announce", {"prompt": "../etc/passwd"}, "body.prompt"),
        ("queues/support/announce", {"prompt": "a\n"}, "body.prompt"),
        (f"line/{CALL}/assign", {"agent": "nobody"}, "body.agent"),
        (f"line/{CALL}/move", {"queue": "nobody"}, "body.queue"),
        (f"line/{CALL}/prioritise", {"urgent": "yes"}, "body.urgent"),
    ],
)
async def test_what_makes_no_sense_never_reaches_the_floor(
    site: ConsoleSite, path: str, body: dict[str, Any], where: str
) -> None:
    """It is told with its place."""
    supervisor = await site.client(Role.SUPERVISOR)
    answer = await supervisor.post(f"/api/v1/{path}", body)
    assert answer.status == 422
    assert [mistake["where"] for mistake in answer.json["mistakes"]] == [where]
    assert site.floor.asked == []


async def test_the_floor_is_told_as_it_is(site: ConsoleSite) -> None:
    """Whole, and in parts: the line with its numbers, agents, queues with what people call them."""
    supervisor = await site.client(Role.SUPERVISOR)
    floor = (await supervisor.get("/api/v1/floor")).json
    assert floor["at"] == "2026-11-24T01:00:00Z"
    assert [(one["id"], one["number"], one["place"]) for one in floor["line"]] == [
        (CALL, NUMBER, 1),
        (PROMISE, OTHER_NUMBER, 2),
    ]
    assert (await supervisor.get("/api/v1/line")).json["line"] == floor["line"]
    assert (await supervisor.get(f"/api/v1/line/{CALL}")).json == floor["line"][0]
    assert (await supervisor.get("/api/v1/line?queue=sales")).json["line"] == []
    assert (await supervisor.get("/api/v1/queues")).json["queues"] == floor["queues"]
    assert (await supervisor.get("/api/v1/queues/support")).json == floor["queues"][0]
    assert floor["queues"][0]["titles"] == {"ja": "青空カード", "en": "Aozora Card"}
    assert (await supervisor.get("/api/v1/agents")).json["agents"] == floor["agents"]
    assert (await supervisor.get(f"/api/v1/agents/{OTHER_AGENT}")).json == floor["agents"][1]
    for missing in ("line/nobody", "queues/nobody", "agents/nobody"):
        assert (await supervisor.get(f"/api/v1/{missing}")).status == 404


async def test_an_agent_sees_the_floor_with_masked_numbers(site: ConsoleSite) -> None:
    """So does a program without numbers:read; the promise's and the caller's alike."""
    for client in (await site.client(Role.AGENT), await site.key(Scope.FLOOR_READ)):
        for path in ("floor", "line", f"line/{CALL}"):
            answer = await client.get(f"/api/v1/{path}")
            assert answer.status == 200
            assert "5678" not in answer.text
            assert mask(NUMBER) in answer.text


async def test_every_command_is_in_the_audit_with_what_was_asked(site: ConsoleSite) -> None:
    """Who, what, to whom, and how it ended; also one that was refused."""
    supervisor = await site.client(Role.SUPERVISOR, "hanako")
    await supervisor.post(f"/api/v1/agents/{AGENT}/pause", {"reason": "lunch"})
    site.floor.refuses["move"] = Refused.NOT_NOW
    await supervisor.post(f"/api/v1/line/{CALL}/move", {"queue": "sales"})
    assert await site.audit() == [
        ("hanako", "POST /api/v1/agents/{agent}/pause", AGENT, "204"),
        ("hanako", "POST /api/v1/line/{waiter}/move", CALL, "409"),
    ]
    entries = [line.entry for line in await site.store.audit.listed(limit=9)]
    assert [entry.detail for entry in entries] == [{"queue": "sales"}, {"reason": "lunch"}]


async def test_who_asks_is_told_who_they_are(site: ConsoleSite) -> None:
    """A person with their role and agent; a program with its scopes."""
    agent = (await (await site.client(Role.AGENT, "taro")).get("/api/v1/me")).json
    assert (agent["kind"], agent["name"], agent["role"], agent["agent"]) == ("person", "taro", "agent", AGENT)
    program = (await (await site.key(Scope.FLOOR_READ, Scope.SMS_READ)).get("/api/v1/me")).json
    assert (program["kind"], program["role"], program["scopes"]) == ("key", None, ["floor:read", "sms:read"])
