from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from controller.domain.access import Role, Scope
from controller.domain.effects import SendSms, SmsTemplate
from controller.domain.phone_number import mask
from controller.ports.promises import Made, NewPromise
from tests.console.house import TUESDAY_TEN

if TYPE_CHECKING:
    from tests.console.house import ConsoleSite

DO_NOT_CALL = "/api/v1/do-not-call"
NUMBER = "+819012345678"


async def promised(site: ConsoleSite, number: str = NUMBER, queue: str = "support") -> str:
    """Let a number have a promise; return its id."""
    made = await site.store.promises.make(
        NewPromise(queue, number, "ja", TUESDAY_TEN, f"call of {number} {queue}", confirm=True)
    )
    assert isinstance(made, Made)
    return made.promise.id


@pytest.mark.parametrize("written", [NUMBER, "090-1234-5678", "%2B81%2090%201234%205678"])
async def test_a_number_is_put_on_the_list_and_its_promises_are_cancelled(site: ConsoleSite, written: str) -> None:
    """However it is written; with every queue; again it changes nothing."""
    ids = [await promised(site, queue=queue) for queue in ("support", "sales")]
    crm = await site.key(Scope.DO_NOT_CALL_WRITE, Scope.DO_NOT_CALL_READ, Scope.NUMBERS_READ)
    first = await crm.put(f"{DO_NOT_CALL}/{written}", {"reason": "asked by letter"})
    assert (first.status, first.json["number"], sorted(first.json["cancelled"])) == (200, NUMBER, sorted(ids))
    assert await site.store.promises.waiting() == []
    site.clock.turn(60)
    second = await crm.put(f"{DO_NOT_CALL}/{written}", {"reason": "again"})
    assert (second.status, second.json["cancelled"]) == (200, [])
    (listed,) = (await crm.get(DO_NOT_CALL)).json["do_not_call"]
    assert listed == {"number": NUMBER, "reason": "asked by letter", "blocked_at": "2026-11-24T01:00:00Z"}


async def test_a_number_is_taken_off_the_list_once(site: ConsoleSite) -> None:
    """What is not on it is not found."""
    crm = await site.key(Scope.DO_NOT_CALL_WRITE)
    await crm.put(f"{DO_NOT_CALL}/{NUMBER}", {})
    assert (await crm.delete(f"{DO_NOT_CALL}/{NUMBER}")).status == 204
    assert (await crm.delete(f"{DO_NOT_CALL}/{NUMBER}")).status == 404
    assert not await site.store.do_not_call.is_blocked(NUMBER)


@pytest.mark.parametrize("written", ["110", "abc", "+81", "090-1234-5678x1"])
async def test_what_is_no_number_is_not_put_on_the_list(site: ConsoleSite, written: str) -> None:
    """It would protect nobody."""
    crm = await site.key(Scope.DO_NOT_CALL_WRITE)
    answer = await crm.put(f"{DO_NOT_CALL}/{written}", {})
    assert (answer.status, answer.json["mistakes"][0]["where"]) == (422, "path.number")


@pytest.mark.parametrize("reason", ["", "  ", "two\nlines", "x" * 201])
async def test_a_reason_is_one_line(site: ConsoleSite, reason: str) -> None:
    """It is shown in lists."""
    answer = await (await site.key(Scope.DO_NOT_CALL_WRITE)).put(f"{DO_NOT_CALL}/{NUMBER}", {"reason": reason})
    assert (answer.status, answer.json["mistakes"][0]["where"]) == (422, "body.reason")
    assert not await site.store.do_not_call.is_blocked(NUMBER)


async def test_the_list_comes_in_pages_with_masked_numbers(site: ConsoleSite) -> None:
    """The newest first, each once, for who may not read numbers."""
    numbers = [f"+8190111{nth:05d}" for nth in range(5)]
    for number in numbers:
        await site.store.do_not_call.block(number, reason="by letter")
        site.clock.turn(1)
    crm, found, cursor = await site.key(Scope.DO_NOT_CALL_READ), [], ""
    for length in (2, 2, 1):
        page = (await crm.get(f"{DO_NOT_CALL}?limit=2{cursor}")).json
        assert len(page["do_not_call"]) == length
        found += [one["number"] for one in page["do_not_call"]]
        cursor = f"&cursor={page['next_cursor']}"
    assert found == [mask(number) for number in numbers[::-1]]
    assert page["next_cursor"] is None


async def test_sms_are_listed_as_they_stand(site: ConsoleSite) -> None:
    """By status and number; numbers whole for who may read them, and asked for by nobody else."""
    promise_id = await promised(site)
    reader, crm = await site.key(Scope.SMS_READ, Scope.NUMBERS_READ), await site.key(Scope.SMS_READ)
    await site.store.texts.owe(SendSms("reminder", SmsTemplate.MISSED_YOU, "+819011112222", "ja", "support"))
    mine = (await reader.get("/api/v1/sms?number=090-1234-5678")).json["sms"]
    assert [(one["template"], one["status"], one["promise_id"], one["number"]) for one in mine] == [
        ("confirmed", "queued", promise_id, NUMBER)
    ]
    assert len((await reader.get("/api/v1/sms?status=queued")).json["sms"]) == 2
    assert (await reader.get("/api/v1/sms?status=delivered")).json["sms"] == []
    masked = await crm.get("/api/v1/sms")
    assert {one["number"] for one in masked.json["sms"]} == {mask(NUMBER), mask("+819011112222")}
    assert "5678" not in masked.text
    assert (await crm.get("/api/v1/sms?number=090-1234-5678")).status == 403
    assert (await crm.get("/api/v1/sms/replies?needs_person=true")).json == {"replies": []}


async def test_the_audit_comes_in_pages(site: ConsoleSite) -> None:
    """The newest first; by who, what and when; reading it is not written down."""
    admin = await site.client(Role.ADMIN, "hanako")
    crm = await site.key(Scope.DO_NOT_CALL_WRITE)
    for _ in range(3):
        await crm.put(f"{DO_NOT_CALL}/{NUMBER}", {})
        site.clock.turn(60)
    await admin.delete(f"{DO_NOT_CALL}/{NUMBER}")
    first = (await admin.get("/api/v1/audit?limit=3")).json
    second = (await admin.get(f"/api/v1/audit?limit=3&cursor={first['next_cursor']}")).json
    assert [one["action"].partition(" ")[0] for one in first["audit"]] == ["DELETE", "PUT", "PUT"]
    assert [one["action"].partition(" ")[0] for one in second["audit"]] == ["PUT"]
    assert second["next_cursor"] is None
    assert [one["who"] for one in (await admin.get("/api/v1/audit?who=hanako")).json["audit"]] == ["hanako"]
    assert len((await admin.get("/api/v1/audit?since=2026-11-24T01:01:00Z")).json["audit"]) == 3
    assert len((await admin.get("/api/v1/audit?until=2026-11-24T01:01:00Z")).json["audit"]) == 1
    assert all("5678" not in one["subject"] for one in first["audit"])


async def test_a_key_is_made_used_and_revoked(site: ConsoleSite) -> None:
    """Its secret is told once; it opens what its scopes say, until it is revoked."""
    admin = await site.client(Role.ADMIN, "hanako")
    made = await admin.post("/api/v1/keys", {"title": "CRM", "scopes": ["sms:read", "floor:read"]})
    assert made.status == 201
    secret, key = made.json["secret"], made.json["key"]
    assert (key["title"], key["scopes"], key["made_by"]) == ("CRM", ["floor:read", "sms:read"], "hanako")
    program = site.stranger(Authorization=f"Bearer {secret}")
    assert (await program.get("/api/v1/sms")).status == 200
    assert (await program.get("/api/v1/audit")).status == 403
    listed = await admin.get("/api/v1/keys")
    assert [one["id"] for one in listed.json["keys"]] == [key["id"]]
    assert secret.rpartition("_")[2] not in listed.text
    assert (await admin.delete(f"/api/v1/keys/{key['id']}")).status == 204
    assert (await program.get("/api/v1/sms")).status == 401
    assert (await admin.delete(f"/api/v1/keys/{key['id']}")).status == 404
    assert secret.rpartition("_")[2] not in str(await site.everything())


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"title": "x", "scopes": []}, "body.scopes"),
        ({"title": "x", "scopes": ["everything"]}, "body.scopes"),
        ({"title": "x", "scopes": ["people:write"]}, "body.scopes"),
        ({"title": "x", "scopes": ["listen"]}, "body.scopes"),
        ({"title": " ", "scopes": ["sms:read"]}, "body.title"),
        ({"title": "x", "scopes": ["sms:read"], "expires_at": "2026-11-24T01:00:00Z"}, "body.expires_at"),
    ],
)
async def test_a_key_gets_no_scope_that_no_key_may_have(site: ConsoleSite, body: dict[str, object], where: str) -> None:
    """A program has no phone, and makes neither people nor keys."""
    answer = await (await site.client(Role.ADMIN)).post("/api/v1/keys", body)
    assert (answer.status, answer.json["mistakes"][0]["where"]) == (422, where)
    assert await site.store.keys.listed() == []


async def test_a_person_is_let_in_with_a_password_that_they_have_to_change(site: ConsoleSite) -> None:
    """It is told once, and kept nowhere; the name is small letters."""
    admin = await site.client(Role.ADMIN)
    body = {"name": "Taro", "display_name": "山田 太郎", "role": "agent", "agent": "agent-1", "language": "ja"}
    made = await admin.post("/api/v1/people", body)
    assert made.status == 201
    person, password = made.json["person"], made.json["first_password"]
    assert (person["name"], person["must_change"], person["has_password"]) == ("taro", True, True)
    assert (await admin.post("/api/v1/people", body)).status == 409
    listed = await admin.get("/api/v1/people")
    assert "taro" in [one["name"] for one in listed.json["people"]]
    assert password not in listed.text
    assert password not in str(await site.everything())


async def test_a_person_loses_what_an_admin_takes(site: ConsoleSite) -> None:
    """At once, in the browser in which they are signed in; a new first password ends their sessions, too."""
    admin = await site.client(Role.ADMIN)
    taro = await site.person(Role.SUPERVISOR, "taro")
    browser = await site.browser_of(taro)
    assert (await browser.get("/api/v1/me")).status == 200
    changed = await admin.patch("/api/v1/people/taro", {"role": "agent"})
    assert (changed.status, changed.json["person"]["role"], changed.json["first_password"]) == (200, "agent", None)
    assert (await browser.get("/api/v1/me")).status == 401
    again = await site.browser_of(taro)
    reset = await admin.patch("/api/v1/people/taro", {"reset_password": True})
    assert reset.json["person"]["must_change"] is True
    assert reset.json["first_password"]
    assert (await again.get("/api/v1/me")).status == 401
    assert (await admin.patch("/api/v1/people/nobody", {"role": "agent"})).status == 404


@pytest.mark.parametrize("change", [{"role": "agent"}, {"is_enabled": False}, {"reset_password": True}])
async def test_an_admin_does_not_shut_themselves_out(site: ConsoleSite, change: dict[str, object]) -> None:
    """Nor does whoever took over their session get a password of their own."""
    admin = await site.client(Role.ADMIN, "hanako")
    assert (await admin.patch("/api/v1/people/hanako", change)).status == 409
    assert (await admin.get("/api/v1/people")).status == 200
