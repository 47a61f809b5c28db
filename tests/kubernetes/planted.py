"""Mistakes that somebody could make in docker/kubernetes, each with the check that has to find it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.kubernetes.manifests import Manifests, Object, pod_of

if TYPE_CHECKING:
    from collections.abc import Callable

    Change = Callable[[Manifests], object]


def workload(manifests: Manifests, name: str) -> Object:
    """Return a workload by its name."""
    (found,) = [one for one in manifests.workloads if one["metadata"]["name"] == name]
    return found


def container(manifests: Manifests, name: str) -> Any:
    """Return the container of a workload."""
    return pod_of(workload(manifests, name))["containers"][0]


def without(mapping: Any, key: str) -> None:
    """Take something away."""
    del mapping[key]


def write(manifests: Manifests, name: str, file: str, old: str, new: str) -> None:
    """Change a file of a ConfigMap."""
    data = manifests.one("ConfigMap", name)["data"]
    assert old in data[file]
    data[file] = data[file].replace(old, new, 1)


def add_variable(manifests: Manifests, name: str, value: str) -> None:
    """Give the controller a variable with a value."""
    container(manifests, "controller")["env"].append({"name": name, "value": value})


def allow(manifests: Manifests, policy: str, **change: Any) -> None:
    """Change the first port of the first rule of a policy."""
    manifests.one("NetworkPolicy", policy)["spec"]["ingress"][0]["ports"][0].update(change)


PLANTED: dict[str, tuple[str, Change]] = {
    "a field that Kubernetes does not know": ("newest", lambda m: workload(m, "asterisk")["spec"].update(replica=2)),
    "... nor did an older one": ("older", lambda m: pod_of(workload(m, "controller")).update(hostnetwork=True)),
    "a number that is a word": ("newest", lambda m: workload(m, "controller")["spec"].update(replicas="two")),
    "a field that is needed": ("newest", lambda m: without(workload(m, "kamailio")["spec"], "selector")),
    "a kind of Service that there is not": (
        "newest",
        lambda m: m.one("Service", "web")["spec"]["ports"][0].update(port="http"),
    ),
    "settings that are not there": (
        "references",
        lambda m: pod_of(workload(m, "controller"))["volumes"][0]["configMap"].update(name="settings"),
    ),
    "a Secret that nobody makes": (
        "references",
        lambda m: pod_of(workload(m, "asterisk"))["volumes"][-1]["secret"].update(secretName="phones"),
    ),
    "a key that its Secret has not": (
        "references",
        lambda m: container(m, "controller")["env"][3]["valueFrom"]["secretKeyRef"].update(key="ari"),
    ),
    "an account that is not there": (
        "references",
        lambda m: pod_of(workload(m, "kamailio")).update(serviceAccountName="default"),
    ),
    "a Service that gives no names": (
        "references",
        lambda m: workload(m, "asterisk")["spec"].update(serviceName="pbx"),
    ),
    "a volume that is not there": (
        "references",
        lambda m: container(m, "asterisk")["volumeMounts"][0].update(name="running"),
    ),
    "pods that their workload does not know": (
        "selectors",
        lambda m: workload(m, "asterisk")["spec"]["template"]["metadata"].update(labels={"app": "asterisk"}),
    ),
    "a Service without pods": (
        "selectors",
        lambda m: m.one("Service", "web")["spec"].update(selector={"app.kubernetes.io/name": "web"}),
    ),
    "a Service of two workloads": (
        "selectors",
        lambda m: m.one("Service", "kamailio")["spec"].update(selector={"app.kubernetes.io/part-of": "orikaeshi"}),
    ),
    "a policy for nobody": (
        "selectors",
        lambda m: m.one("NetworkPolicy", "controller")["spec"]["podSelector"].update(matchLabels={"app": "controller"}),
    ),
    "a policy that lets nobody in": (
        "selectors",
        lambda m: m.one("NetworkPolicy", "asterisk")["spec"]["ingress"][0]["from"][0]["podSelector"].update(
            matchLabels={"app": "controller"}
        ),
    ),
    "a budget of other pods": (
        "budgets",
        lambda m: m.one("PodDisruptionBudget", "asterisk")["spec"]["selector"].update(matchLabels={"app": "asterisk"}),
    ),
    "a budget that lets all go": (
        "budgets",
        lambda m: m.one("PodDisruptionBudget", "controller")["spec"].update(maxUnavailable=2),
    ),
    "one pod alone": ("budgets", lambda m: workload(m, "kamailio")["spec"].update(replicas=1)),
    "a probe at a port that is not there": (
        "ports",
        lambda m: container(m, "controller")["readinessProbe"]["httpGet"].update(port="probes"),
    ),
    "a Service to a port that is not there": (
        "ports",
        lambda m: m.one("Service", "web")["spec"]["ports"][0].update(targetPort="http"),
    ),
    "SIP by TCP to a port of UDP": (
        "ports",
        lambda m: m.one("Service", "kamailio")["spec"]["ports"][0].pop("protocol"),
    ),
    "a policy for a port that is not there": ("ports", lambda m: allow(m, "controller", port="http")),
    "... or of another protocol": ("ports", lambda m: allow(m, "kamailio", protocol="TCP")),
    "nobody watches": ("probes", lambda m: without(container(m, "kamailio"), "livenessProbe")),
    "a restart for what a restart does not mend": (
        "probes",
        lambda m: container(m, "controller")["livenessProbe"]["httpGet"].update(path="/readyz"),
    ),
    "a probe that does not wait for the answer": (
        "probes",
        lambda m: container(m, "controller")["readinessProbe"].update(timeoutSeconds=1),
    ),
    "a death for a moment's silence": (
        "probes",
        lambda m: container(m, "controller")["livenessProbe"].update(failureThreshold=1),
    ),
    "root": ("restricted", lambda m: pod_of(workload(m, "asterisk"))["securityContext"].update(runAsUser=0)),
    "root in one container": ("restricted", lambda m: container(m, "kamailio")["securityContext"].update(runAsUser=0)),
    "a file system that can be written to": (
        "restricted",
        lambda m: container(m, "controller")["securityContext"].update(readOnlyRootFilesystem=False),
    ),
    "a capability": (
        "restricted",
        lambda m: container(m, "kamailio")["securityContext"].update(capabilities={"add": ["NET_ADMIN"]}),
    ),
    "a way to gain rights": (
        "restricted",
        lambda m: without(container(m, "asterisk")["securityContext"], "allowPrivilegeEscalation"),
    ),
    "no seccomp": (
        "restricted",
        lambda m: without(pod_of(workload(m, "controller"))["securityContext"], "seccompProfile"),
    ),
    "a key to the cluster": (
        "restricted",
        lambda m: pod_of(workload(m, "controller")).update(automountServiceAccountToken=True),
    ),
    "the node's network for all": ("restricted", lambda m: pod_of(workload(m, "controller")).update(hostNetwork=True)),
    "a folder of the node": (
        "restricted",
        lambda m: pod_of(workload(m, "controller"))["volumes"][1].update(hostPath={"path": "/"}),
    ),
    "a namespace that lets all in": (
        "restricted",
        lambda m: m.one("Namespace", "orikaeshi")["metadata"]["labels"].update(
            {"pod-security.kubernetes.io/enforce": "privileged"}
        ),
    ),
    "memory without a limit": ("restricted", lambda m: container(m, "controller")["resources"].pop("limits")),
    "the newest image, whatever it is": (
        "images",
        lambda m: container(m, "controller").update(image="orikaeshi-controller:latest"),
    ),
    "an image without a version": ("images", lambda m: container(m, "asterisk").update(image="orikaeshi-asterisk")),
    "a kill before calls have ended": (
        "stopping",
        lambda m: pod_of(workload(m, "asterisk")).update(terminationGracePeriodSeconds=3600),
    ),
    "a kill before leases are given back": (
        "stopping",
        lambda m: pod_of(workload(m, "controller")).update(terminationGracePeriodSeconds=10),
    ),
    "a hook that takes too long": (
        "stopping",
        lambda m: container(m, "controller")["lifecycle"]["preStop"]["sleep"].update(seconds=25),
    ),
    "a question that is always answered": (
        "addresses",
        lambda m: write(m, "kamailio-site", "dispatcher.list", "ready@", ""),
    ),
    "an Asterisk that Kamailio does not know": (
        "addresses",
        lambda m: workload(m, "asterisk")["spec"].update(replicas=3),
    ),
    "ARI for the whole network": (
        "addresses",
        lambda m: m.one("NetworkPolicy", "controller")["spec"]["egress"][1]["to"][0]["ipBlock"].update(
            cidr="192.0.2.0/24"
        ),
    ),
    "sound at ports that are shut": (
        "addresses",
        lambda m: write(m, "asterisk-site", "rtp.conf", "rtpend = 18399", "rtpend = 20000"),
    ),
    "ARI for everybody": (
        "provision",
        lambda m: write(m, "asterisk-site", "ari.conf", "read_only = no", "read_only = no\npermit = 0.0.0.0/0.0.0.0"),
    ),
    "AMI that may place calls": (
        "provision",
        lambda m: write(m, "asterisk-site", "manager.conf", "reporting,agent", "reporting,agent,originate"),
    ),
    "an endpoint that asks for no password": (
        "provision",
        lambda m: write(m, "asterisk-site", "pjsip.conf", "auth = carrier-in\n", ""),
    ),
    "a password in the manifest": ("passwords", lambda m: add_variable(m, "ORIKAESHI_WEB_SECRET", "tiger")),
    "a Secret with what is in it": (
        "passwords",
        lambda m: m.objects.append({"kind": "Secret", "metadata": {"name": "x"}}),
    ),
}

SETTINGS_PLANTED: dict[str, Change] = {
    "the pages on loopback": lambda m: write(m, "controller-settings", "controller.toml", '"0.0.0.0" ', '"127.0.0.1" '),
    "another port for probes": lambda m: write(m, "controller-settings", "controller.toml", "8081", "8082"),
    "an Asterisk by another name": lambda m: write(
        m, "controller-settings", "controller.toml", 'name = "asterisk-1"', 'name = "asterisk-2"'
    ),
    "a home that is no pod": lambda m: write(
        m, "controller-settings", "controller.toml", '"controller-1"', '"controller-2"'
    ),
    "an address that is no pod's": lambda m: write(
        m, "controller-settings", "controller.toml", "asterisk-1.asterisk.orikaeshi-voice", "asterisk-1.asterisk"
    ),
    "an agent who is elsewhere": lambda m: write(
        m, "asterisk-site", "agents.list", "asterisk-1 agent-4", "asterisk-0 agent-4"
    ),
    "an agent without a phone": lambda m: write(m, "asterisk-site", "agents.list", "asterisk-1 agent-4\n", ""),
    "a secret that is not given": lambda m: container(m, "controller")["env"].pop(6),
    "a setting that there is not": lambda m: write(
        m, "controller-settings", "controller.toml", "[health]", "[healthy]"
    ),
    "a password in the settings": lambda m: write(
        m, "controller-settings", "controller.toml", "orikaeshi@postgres", "orikaeshi:tiger@postgres"
    ),
}
