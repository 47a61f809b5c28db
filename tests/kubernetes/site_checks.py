"""Whether the files of docker/kubernetes say the same: settings, lists, Asterisk's part, manifests, documents."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from controller.provision.render import pbx_files
from controller.provision.site import PortPlan, SipAccount, Site
from controller.settings import load_settings
from tests.kubernetes.manifests import FOLDER, Manifests, Object, pod_of, ports_of, walk

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from controller.settings import Settings

EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 - of a pod, whose policy says who reaches it
_ASSIGNED = re.compile(r"(?i)\b[\w-]*(?:password|secret|token)[\w-]*[\"']?[ \t]*[=:][ \t]*[\"']?([^\s\"',]+)")
_COMMENT = re.compile(r"(?:^|(?<=\s))[#;].*", re.MULTILINE)
_NO_PASSWORD = re.compile(r"@[A-Z_]+@|\$\(.*|\$\{?\w+\}?|[<{\[].*|\./[\w-]+|true|false")


def settings_of(manifests: Manifests, folder: Path) -> Settings:
    """Load the settings as a controller's pod would, with secrets that serve. Raises SettingsError."""
    path = folder / "controller.toml"
    path.write_text(manifests.one("ConfigMap", "controller-settings")["data"]["controller.toml"], "utf-8")
    return load_settings(path, dict.fromkeys(variables(manifests), "0123456789abcdef" * 2))


def variables(manifests: Manifests) -> set[str]:
    """Return the variables that a controller's pod is sure to have."""
    (container,) = pod_of(manifests.one("StatefulSet", "controller"))["containers"]
    return {
        one["name"]
        for one in container["env"]
        if not one.get("valueFrom", {}).get("secretKeyRef", {}).get("optional", False)
    }


def settings_fit(manifests: Manifests, settings: Settings) -> list[str]:
    """Find what the settings say otherwise than the manifests: ports, pods, addresses, agents."""
    controller, asterisk = manifests.one("StatefulSet", "controller"), manifests.one("StatefulSet", "asterisk")
    known, pbx_ports = ports_of(controller), ports_of(asterisk)
    found = []
    for name, section in (("web", settings.web), ("health", settings.health)):
        if not section.enabled or (section.port, "TCP") != known[name] or section.host != EVERY_ADDRESS:
            found.append(f"[{name}] does not listen where the pod says")
    if [one.name for one in settings.asterisks] != pods_of(asterisk):
        found.append("the Asterisks are not named as their pods")
    if [one.home for one in settings.asterisks] != pods_of(controller):
        found.append("the homes are not the controllers' pods")
    service = asterisk["spec"]["serviceName"]
    for one in settings.asterisks:
        host = f"{one.name}.{service}.{asterisk['metadata']['namespace']}.svc"
        url = urlsplit(one.url)
        if (url.hostname, one.ami_host) != (host, host):
            found.append(f"{one.name} is not where its pod is")
        if (url.port, one.ami_port) != (pbx_ports["ari"][0], pbx_ports["ami"][0]):
            found.append(f"{one.name} has other ports than its pod")
    ours = {(agent.asterisk or settings.asterisks[0].name, agent.endpoint) for agent in settings.agents}
    if ours != {tuple(words) for words in _lines(manifests, "asterisk-site", "agents.list")}:
        found.append("agents.list and [[agents]] name others")
    if settings.unset_secrets(dict.fromkeys(variables(manifests), "set")):
        found.append("a secret that the settings need is not given to the pod")
    return found


def pods_of(workload: Object) -> list[str]:
    """Return the names of a StatefulSet's pods."""
    return [f"{workload['metadata']['name']}-{number}" for number in range(workload["spec"]["replicas"])]


def addresses_fit(manifests: Manifests) -> list[str]:
    """Find what Kamailio's lists, the policies and Asterisk's ports say differently."""
    asterisk = manifests.one("StatefulSet", "asterisk")
    sip = ports_of(asterisk)["sip"][0]
    found, hosts = [], set()
    targets = [words[1] for words in _lines(manifests, "kamailio-site", "dispatcher.list")]
    for target in targets:
        match = re.fullmatch(r"sip:ready@([0-9.]+):(\d+)", target)
        if match is None or int(match[2]) != sip:
            found.append(f"Kamailio asks at {target}")
        else:
            hosts.add(f"{match[1]}/32")
    if len(targets) != asterisk["spec"]["replicas"]:
        found.append("Kamailio knows another number of Asterisks")
    numbers = {ports_of(asterisk)["ari"][0], ports_of(asterisk)["ami"][0]}
    for rule in _policy(manifests, "controller")["egress"]:
        if {port["port"] for port in rule["ports"]} & numbers:
            allowed = {peer["ipBlock"]["cidr"] for peer in rule["to"]}
            if allowed != hosts or {port["port"] for port in rule["ports"]} != numbers:
                found.append("controllers may reach others than the Asterisks")
    first, last = _rtp(manifests)
    ranges = [
        (port["port"], port["endPort"])
        for rule in _policy(manifests, "asterisk")["ingress"]
        for port in rule["ports"]
        if "endPort" in port
    ]
    if ranges != [(first, last)]:
        found.append("sound is let in at other ports than Asterisk has")
    return found


def _policy(manifests: Manifests, name: str) -> Object:
    spec: Object = manifests.one("NetworkPolicy", name)["spec"]
    return spec


def _lines(manifests: Manifests, name: str, file: str) -> list[list[str]]:
    text = manifests.one("ConfigMap", name)["data"][file]
    return [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _rtp(manifests: Manifests) -> tuple[int, int]:
    words = {words[0]: int(words[-1]) for words in _lines(manifests, "asterisk-site", "rtp.conf")}
    return words["rtpstart"], words["rtpend"]


def as_provision_writes(manifests: Manifests) -> list[str]:
    """Find where Asterisk's part is not what `controller provision` writes, but for what has to differ here."""
    ports = ports_of(manifests.one("StatefulSet", "asterisk"))
    first, last = _rtp(manifests)
    site = Site(
        home=FOLDER,
        bind="@ADDRESS@",
        ports=PortPlan(ports["sip"][0], ports["ari"][0], ports["ami"][0], 1, first, last, 1, 1),
        service_number="@SERVICE_NUMBER@",
        language="@LANGUAGE@",
        ari_password="@ARI_PASSWORD@",
        ami_password="@AMI_PASSWORD@",
        trunk_password="@TRUNK_PASSWORD@",
        agents=(SipAccount("@AGENT@", "@AGENT_PASSWORD@"),),
        customers=(),
        name="@NAME@",
        door_sip=1,
        door_password="@DOOR_PASSWORD@",
    )
    data = dict(manifests.one("ConfigMap", "asterisk-site")["data"])
    data["pjsip.conf"] += data.pop("agent.conf")
    data.pop("agents.list")
    written = dict(pbx_files(site))
    members = written.pop("queue-members.conf")
    found = [] if members.endswith("member => PJSIP/@AGENT@,0,@AGENT@\n") else ["queue-members.conf differs"]
    found += [] if set(data) == set(written) else [f"other files: {sorted(set(data) ^ set(written))}"]
    for name in sorted(set(data) & set(written)):
        here, there = _sections(data[name]), _sections(written[name])
        changed = here ^ there
        found += [f"{name}: {line}" for line in sorted(changed - _DIFFERENT)]
    return found


def _sections(text: str) -> set[str]:
    """Return every line with its section before it; comments are nothing."""
    found, section = set(), ""
    for line in text.splitlines():
        bare = re.sub(r"\s+", " ", line.partition(";")[0]).strip()
        if bare.startswith("["):
            section = bare
        elif bare:
            found.add(f"{section} {bare}".strip())
    return found


_DIFFERENT = {
    # The node's address instead of loopback, and who may speak there.
    "bindaddr = 127.0.0.1",
    "bindaddr = @ADDRESS@",
    *(f"[orikaeshi] {line}" for line in ("deny = 0.0.0.0/0.0.0.0", "permit = @CONTROL_NETWORK@")),
    # The telephone company instead of the simulated one.
    "[carrier](trunk-aor) contact = sip:@ADDRESS@:1",
    "[carrier](trunk-aor) contact = sip:@CARRIER@",
    # How an Asterisk that is being emptied is known.
    "[kamailio](line) context = nowhere",
    "[kamailio](line) context = orikaeshi-alive",
    "[orikaeshi-alive] exten => ready,1,Hangup()",
}


def passwords_in(texts: Mapping[str, str], manifests: Manifests) -> list[str]:
    """Find passwords in files, Secrets with content, and variables that look like secrets and have a value."""
    found = [f"Secret {one['metadata']['name']}" for one in manifests.of("Secret")]
    for workload in manifests.workloads:
        for _, key, one in walk(pod_of(workload)):
            if key == "env":
                found += [each["name"] for each in one if _is_secret(each)]
    for name, text in texts.items():
        bare = _COMMENT.sub("", text)
        found += [f"{name}: {value}" for value in _ASSIGNED.findall(bare) if not _is_harmless(value)]
    return found


def _is_secret(one: Mapping[str, Any]) -> bool:
    looks = re.search("PASSWORD|SECRET|TOKEN", one["name"]) is not None
    return looks and bool(one.get("value"))


def _is_harmless(value: str) -> bool:
    """Tell whether what stands where a password would is a name, a placeholder, or what a shell puts there."""
    return _NO_PASSWORD.fullmatch(value) is not None or value in _NAMES


_NAMES = {"asterisk-secrets", "controller-secrets", "agent-phones", "plain"}
