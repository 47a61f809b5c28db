"""The pods of docker/kubernetes with a real Asterisk and a real Kamailio: how they start, and how one is emptied."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from lab.cluster_door import door_root
from lab.rootfolder import root_folder
from tests.kubernetes.manifests import ROOT, Manifests, load
from tests.kubernetes.pod import Given, Pod

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator
    from pathlib import Path

PBX, DOOR, CONTROLLER, STRANGER = "127.0.77.1", "127.0.77.2", "127.0.77.9", "127.0.78.9"
"""Each pod has an address of its own, as on nodes of their own; the ports are those of the manifests."""
ARI_PASSWORD, AMI_PASSWORD = "ari-password-of-a-test", "ami-password-of-a-test"
UP_S = 30.0


def secrets() -> dict[str, dict[str, str]]:
    """Return what the Secrets of the pods hold."""
    return {
        "asterisk-secrets": {
            "ari-password": ARI_PASSWORD,
            "ami-password": AMI_PASSWORD,
            "trunk-password": "trunk-password-of-a-test",
        },
        "agent-phones": {"agent-1": "phone-1-of-a-test", "agent-2": "phone-2-of-a-test"},
    }


def manifests() -> Manifests:
    """Return the manifests as they are, with the addresses of this site."""
    loaded = load()
    site = {"CARRIER": "127.0.77.250:5060", "CONTROL_NETWORK": "127.0.77.0/255.255.255.0"}
    loaded.one("ConfigMap", "voice-site")["data"].update(site)
    lists = {"dispatcher.list": f"1 sip:ready@{PBX}:5062 0 0\n", "carriers.list": "1 127.0.77.250 32\n"}
    loaded.one("ConfigMap", "kamailio-site")["data"].update(lists)
    return loaded


def asterisk_pod(place: Path, given_secrets: dict[str, dict[str, str]], loaded: Manifests | None = None) -> Pod:
    """Return the pod of the first Asterisk."""
    image = {"/usr/share/orikaeshi/asterisk-conf": ROOT / "asterisk-conf"}
    given = Given("asterisk-0", PBX, root_folder(), image, given_secrets)
    loaded = loaded or manifests()
    return Pod(loaded, loaded.one("StatefulSet", "asterisk"), given, place)


@dataclass
class Pbx:
    """One Asterisk that runs in its pod."""

    pod: Pod
    process: Process
    session: aiohttp.ClientSession = field(repr=False)

    async def command(self, words: str) -> str:
        """Give a command on its console; return what it said."""
        conf = "/run/orikaeshi/etc/asterisk.conf"
        return (await self.pod.run("asterisk", "/usr/sbin/asterisk", "-C", conf, "-rx", words))[1]

    async def call(self) -> tuple[int, Any]:
        """Place a leg that stays up, as the controller rings an agent; return status and JSON."""
        where = {"endpoint": "Local/s@orikaeshi-external", "app": "orikaeshi"}
        async with self.session.post("/ari/channels", params=where) as answer:
            return answer.status, await answer.json()

    async def hang_up_everybody(self) -> None:
        """End every call."""
        async with self.session.get("/ari/channels") as answer:
            channels = await answer.json()
        for channel in channels:
            async with self.session.delete(f"/ari/channels/{channel['id']}"):
                pass


@asynccontextmanager
async def running(place: Path, loaded: Manifests | None = None) -> AsyncIterator[Pbx]:
    """Run the pod of an Asterisk, with a controller's session to it."""
    login = aiohttp.encode_basic_auth("orikaeshi", ARI_PASSWORD)
    async with AsyncExitStack() as stack:
        pod = await stack.enter_async_context(asterisk_pod(place, secrets(), loaded).mounted())
        assert await pod.run("prepare") == (0, "")
        process = await pod.start("asterisk")
        async with asyncio.timeout(UP_S):
            while await pod.probe("asterisk", "startupProbe"):
                assert process.returncode is None
        connector = aiohttp.TCPConnector(local_addr=(CONTROLLER, 0))
        session = await stack.enter_async_context(
            aiohttp.ClientSession(f"http://{PBX}:8088", headers={"Authorization": login}, connector=connector)
        )
        # As long as somebody listens, a channel in the application stays where it is.
        await stack.enter_async_context(session.ws_connect("/ari/events?app=orikaeshi"))
        yield Pbx(pod, process, session)


@asynccontextmanager
async def door(place: Path) -> AsyncIterator[Pod]:
    """Run the pod of a Kamailio."""
    image = {"/usr/share/orikaeshi/kamailio/kamailio.cfg": ROOT / "docker" / "kamailio" / "kamailio.cfg"}
    loaded = manifests()
    given = Given("kamailio-0", DOOR, door_root(), image, {})
    async with Pod(loaded, loaded.one("Deployment", "kamailio"), given, place).mounted() as pod:
        assert await pod.run("prepare") == (0, "")
        process = await pod.start("kamailio")
        async with asyncio.timeout(UP_S):
            while await pod.probe("kamailio", "startupProbe"):
                assert process.returncode is None
        yield pod


async def until_door_sees(pod: Pod, *, alive: bool) -> None:
    """Wait until Kamailio takes its only Asterisk for alive, or for one that gets no new call."""
    flags = ("AP", "AX") if alive else ("IP", "IX", "DX")
    async with asyncio.timeout(UP_S):
        while True:
            command = ("/usr/sbin/kamcmd", "-s", "unix:/run/kamailio/ctl", "dispatcher.list")
            said = (await pod.run("kamailio", *command))[1]
            if any(f"FLAGS: {flag}" in said for flag in flags):
                return


async def test_asterisk_and_kamailio_start_without_root_on_file_systems_that_are_read_only(tmp_path: Path) -> None:
    """Every probe holds, nobody complains, each agent's phone has an account here and no other's has."""
    async with running(tmp_path / "asterisk") as pbx, door(tmp_path / "kamailio") as kamailio:
        for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
            assert await pbx.pod.probe("asterisk", kind) == 0
            assert await kamailio.probe("kamailio", kind) == 0
        await until_door_sees(kamailio, alive=True)
        for pod, container in ((pbx.pod, "asterisk"), (kamailio, "kamailio")):
            status = (await pod.run(container, "cat", "/proc/self/status"))[1]
            assert "CapBnd:\t0000000000000000" in status
            assert "NoNewPrivs:\t1" in status
            assert (await pod.run(container, "touch", "/etc/anything"))[0] != 0
        endpoints = await pbx.command("pjsip show endpoints")
        assert [name for name in ("agent-1", "agent-2", "agent-3") if f" {name}/" in endpoints] == [
            "agent-1",
            "agent-2",
        ]
        assert "PJSIP/agent-2" in await pbx.command("queue show fallback")
        assert "System name:                 asterisk-0" in await pbx.command("core show settings")
        pbx.process.send_signal(signal.SIGTERM)
        said, _ = await pbx.process.communicate()
        assert pbx.process.returncode == 0
        # Somebody listened as the application until the end.
        complaints = [line for line in said.decode().splitlines() if "WARNING[" in line or "ERROR[" in line]
        assert [line for line in complaints if "eb socket" not in line and "WebSocket" not in line] == []


async def test_ari_and_ami_are_for_the_controllers_network_alone(tmp_path: Path) -> None:
    """Who knows the password and is somewhere else gets nothing: the network of a node has no policy before it."""
    async with running(tmp_path) as pbx:
        login = {"Authorization": aiohttp.encode_basic_auth("orikaeshi", ARI_PASSWORD)}
        for address, status in ((CONTROLLER, 200), (STRANGER, 403)):
            connector = aiohttp.TCPConnector(local_addr=(address, 0))
            async with (
                aiohttp.ClientSession(connector=connector, headers=login) as session,
                session.get(f"http://{PBX}:8088/ari/asterisk/info") as answer,
            ):
                assert answer.status == status
            reader, writer = await asyncio.open_connection(PBX, 5038, local_addr=(address, 0))
            writer.write(f"Action: Login\r\nUsername: orikaeshi\r\nSecret: {AMI_PASSWORD}\r\n\r\n".encode())
            await reader.readline()
            said = await reader.readline()
            assert said == (b"Response: Success\r\n" if status == 200 else b"Response: Error\r\n")
            writer.close()
        assert pbx.process.returncode is None


async def test_an_asterisk_that_is_emptied_gets_no_new_calls_and_serves_those_it_has(tmp_path: Path) -> None:
    """An agent can still be rung. It is over when the last call is, and then Asterisk ends as it should."""
    async with running(tmp_path / "asterisk") as pbx, door(tmp_path / "kamailio") as kamailio:
        await until_door_sees(kamailio, alive=True)
        assert (await pbx.call())[0] == 200
        emptying = await pbx.pod.start("asterisk", *pbx.pod.hook("asterisk"))
        await until_door_sees(kamailio, alive=False)
        status, agent = await pbx.call()
        assert status == 200, agent
        assert emptying.returncode is None
        assert "4 active channels" in await pbx.command("core show channels count")
        await pbx.hang_up_everybody()
        said, _ = await emptying.communicate()
        assert b"channels are still up" not in said
        assert await emptying.wait() == 0
        pbx.process.send_signal(signal.SIGTERM)
        assert await pbx.process.wait() == 0


async def test_calls_that_never_end_are_cut_when_the_time_to_empty_is_over(tmp_path: Path) -> None:
    """The hook ends before Kubernetes loses its patience, and says how many it was."""
    loaded = manifests()
    (container,) = loaded.one("StatefulSet", "asterisk")["spec"]["template"]["spec"]["containers"]
    (limit,) = [one for one in container["env"] if one["name"] == "DRAIN_LIMIT_S"]
    limit["value"] = "1"
    async with running(tmp_path, loaded) as pbx:
        assert (await pbx.call())[0] == 200
        code, said = await pbx.pod.run("asterisk", *pbx.pod.hook("asterisk"))
        assert (code, "drain: 2 channels are still up after 1 s; they are cut now" in said) == (0, True)


async def test_asterisks_own_way_to_empty_itself_would_leave_callers_on_hold_without_an_agent(tmp_path: Path) -> None:
    """Why the hook goes another way: told to stop gracefully, Asterisk refuses the leg that would ring an agent."""
    async with running(tmp_path) as pbx:
        assert (await pbx.call())[0] == 200
        # The console is held until Asterisk has ended.
        conf = "/run/orikaeshi/etc/asterisk.conf"
        told = await pbx.pod.start("asterisk", "/usr/sbin/asterisk", "-C", conf, "-rx", "core stop gracefully")
        async with asyncio.timeout(UP_S):
            while (await pbx.call())[0] != 500:
                assert told.returncode is None
        await pbx.hang_up_everybody()
        assert await pbx.process.wait() == 0


@pytest.mark.parametrize(
    ("secret", "key", "value", "told"),
    [
        ("asterisk-secrets", "ari-password", "tiger", "ARI_PASSWORD is shorter than 16 characters"),
        ("asterisk-secrets", "ami-password", "", "AMI_PASSWORD is shorter than 16 characters"),
        ("asterisk-secrets", "trunk-password", "sixteen-letters;and-more", "TRUNK_PASSWORD: only letters, digits"),
        ("asterisk-secrets", "ari-password", "sixteen-letters\nread_only=no", "ARI_PASSWORD: only letters, digits"),
        ("asterisk-secrets", "ami-password", "sixteen-letters|w /etc/x|", "AMI_PASSWORD: only letters, digits"),
        ("agent-phones", "agent-2", "tiger", "AGENT_PASSWORD is shorter than 16 characters"),
    ],
)
async def test_a_password_that_asterisk_would_misread_is_refused_and_not_shown(
    tmp_path: Path, secret: str, key: str, value: str, told: str
) -> None:
    """Before Asterisk starts with half of it."""
    given = secrets()
    given[secret][key] = value
    async with asterisk_pod(tmp_path, given).mounted() as pod:
        code, said = await pod.run("prepare")
        assert (code, said.startswith(f"prepare: {told}")) == (2, True), said
        assert not value or value not in said


async def test_an_agent_without_a_password_and_a_line_that_says_too_much_are_refused(tmp_path: Path) -> None:
    """By name; an agent of another Asterisk needs none here."""
    for number, (line, told) in enumerate(
        (
            ("asterisk-0 agent-9", "prepare: the Secret agent-phones has no password for agent-9"),
            ("asterisk-0 agent-1 agent-2", "prepare: agents.list: a line is an Asterisk and one account"),
            ("asterisk-1 agent-9", ""),
        )
    ):
        loaded = manifests()
        loaded.one("ConfigMap", "asterisk-site")["data"]["agents.list"] = f"{line}\n"
        async with asterisk_pod(tmp_path / str(number), secrets(), loaded).mounted() as pod:
            code, said = await pod.run("prepare")
            assert (code, said[: len(told)]) == (2 if told else 0, told)
