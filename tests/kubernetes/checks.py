"""What has to hold of the manifests beyond Kubernetes' own schemas. Each check returns what it found, in words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import kubernetes_validate

from controller.web.health import LIVE, READY, STORE_ANSWERS_IN_S
from tests.kubernetes.manifests import (
    Manifests,
    Object,
    containers_of,
    named,
    pod_labels,
    pod_of,
    ports_of,
    probes_of,
    walk,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ON_THE_NODE = ("asterisk", "kamailio")
"""What may use the network of its node, and nothing else may."""
PATIENCE_S = 30
"""A process that says nothing for less than this is not killed for it."""


def schema(manifests: Manifests, version: str) -> list[str]:
    """Every object is what this version of Kubernetes takes, and has no field that it would drop."""
    found = []
    for one in manifests.objects:
        try:
            kubernetes_validate.validate(one, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            found.append(f"{named(one)}: {'.'.join(map(str, error.path))}: {error.message[:200]}")
    return found


def references(manifests: Manifests, secrets: Mapping[str, set[str]]) -> list[str]:
    """Find what a pod names and is not there: ConfigMaps, accounts, volumes, Services; Secrets, as the documents say.

    `secrets` are the keys of each Secret, by NAMESPACE/NAME; "*" for any.
    """
    return [
        f"{named(workload)}: there is no {told}"
        for workload in manifests.workloads
        for told in _missing(workload, manifests, secrets)
    ]


def _missing(workload: Object, manifests: Manifests, secrets: Mapping[str, set[str]]) -> Iterator[str]:
    pod, namespace = pod_of(workload), workload["metadata"]["namespace"]
    there = {(one["kind"], one["metadata"].get("namespace"), one["metadata"]["name"]) for one in manifests.objects}
    wanted = [("ServiceAccount", pod["serviceAccountName"])]
    wanted += [("Service", workload["spec"]["serviceName"])] if workload["kind"] == "StatefulSet" else []
    wanted += [("ConfigMap", one["configMap"]["name"]) for one in pod["volumes"] if "configMap" in one]
    wanted += [("ConfigMap", one["name"]) for _, key, one in walk(pod) if key in {"configMapRef", "configMapKeyRef"}]
    yield from (f"{kind} {name}" for kind, name in wanted if (kind, namespace, name) not in there)
    keys = [(one["name"], one["key"]) for _, key, one in walk(pod) if key == "secretKeyRef"]
    keys += [(one["secret"]["secretName"], "*") for one in pod["volumes"] if "secret" in one]
    for name, key in keys:
        known = secrets.get(f"{namespace}/{name}", set())
        if not known or key not in known | {"*"}:
            yield f"key {key} in Secret {name}"
    volumes = {one["name"] for one in pod["volumes"]}
    volumes |= {one["metadata"]["name"] for one in workload["spec"].get("volumeClaimTemplates", [])}
    mounted = {one["name"] for container in containers_of(workload) for one in container["volumeMounts"]}
    yield from (f"volume {name}" for name in sorted(mounted - volumes))
    yield from (f"mount of volume {name}" for name in sorted(volumes - mounted))


def selectors(manifests: Manifests) -> list[str]:
    """Workloads select their own pods; Services, budgets and policies select one workload's (or all, where empty)."""
    found = []
    for workload in manifests.workloads:
        wanted = workload["spec"]["selector"]["matchLabels"]
        if not wanted or not wanted.items() <= pod_labels(workload).items():
            found.append(f"{named(workload)} does not select its own pods")
        if manifests.selected(workload["metadata"]["namespace"], wanted) != [workload]:
            found.append(f"{named(workload)} selects pods of others")
    for one in manifests.of("Service", "PodDisruptionBudget", "NetworkPolicy"):
        spec = one["spec"]
        selector = spec.get("podSelector") if one["kind"] == "NetworkPolicy" else spec["selector"]
        labels = selector if one["kind"] == "Service" else selector.get("matchLabels", {})
        is_for_all = one["kind"] == "NetworkPolicy" and selector == {}
        if not is_for_all and len(manifests.selected(one["metadata"]["namespace"], labels)) != 1:
            found.append(f"{named(one)} does not select the pods of one workload")
    for one in manifests.of("NetworkPolicy"):
        for place, key, peer in walk(one["spec"]):
            if key == "podSelector" and "namespaceSelector" in dict(_beside(one["spec"], place)):
                found += _peer(manifests, one, dict(_beside(one["spec"], place)), peer)
    return found


def _beside(spec: Object, place: str) -> Iterator[tuple[str, Any]]:
    return ((key, value) for where, key, value in walk(spec) if where == place)


def _peer(manifests: Manifests, policy: Object, peer: Object, pods: Object) -> list[str]:
    """Check who is let in, where it is ours."""
    namespace = peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
    ours = {one["metadata"]["name"] for one in manifests.of("Namespace")}
    if namespace not in ours or manifests.selected(namespace, pods["matchLabels"]):
        return []
    return [f"{named(policy)} lets in pods that are nobody's"]


def budgets(manifests: Manifests) -> list[str]:
    """Each workload has a budget that lets one pod go at a time, and leaves one."""
    found = []
    for workload in manifests.workloads:
        namespace, labels = workload["metadata"]["namespace"], pod_labels(workload)
        own = [
            one
            for one in manifests.of("PodDisruptionBudget")
            if one["metadata"]["namespace"] == namespace
            and one["spec"]["selector"]["matchLabels"].items() <= labels.items()
        ]
        if [one["spec"].get("maxUnavailable") for one in own] != [1]:
            found.append(f"{named(workload)} has no budget of one pod")
        if workload["spec"]["replicas"] < 2:
            found.append(f"{named(workload)} has nobody left when one pod goes")
    return found


def ports(manifests: Manifests) -> list[str]:
    """Find what probes, Services and policies name as a port that the pods do not have, or with another protocol."""
    found = []
    for workload in manifests.workloads:
        known = ports_of(workload)
        for kind, probe in probes_of(workload):
            if "httpGet" in probe and probe["httpGet"]["port"] not in known:
                found.append(f"{named(workload)}: its {kind} asks at a port that it has not")
    for one in manifests.of("Service", "NetworkPolicy"):
        spec = one["spec"]
        labels = spec["selector"] if one["kind"] == "Service" else spec["podSelector"].get("matchLabels", {})
        for workload in manifests.selected(one["metadata"]["namespace"], labels):
            found += [f"{named(one)}: {port} is no port of {named(workload)}" for port in _unknown(one, workload)]
    return found


def _unknown(one: Object, workload: Object) -> Iterator[str]:
    """Yield the ports that a Service or a policy names, and a workload has not."""
    known, spec = ports_of(workload), one["spec"]
    given = [(port["targetPort"], port) for port in spec.get("ports", [])]
    given += [(port["port"], port) for rule in spec.get("ingress", []) for port in rule["ports"]]
    for name, port in given:
        # A range of numbers, as of sound, is no port of a container.
        if isinstance(name, str) and known.get(name, (0, ""))[1] != port.get("protocol", "TCP"):
            yield name


def probes(manifests: Manifests) -> list[str]:
    """Each container is watched in all three ways, and nothing is killed for a moment's silence."""
    found = []
    for workload in manifests.workloads:
        kinds = [kind for kind, _ in probes_of(workload)]
        if kinds != ["startupProbe", "livenessProbe", "readinessProbe"] * len(pod_of(workload)["containers"]):
            found.append(f"{named(workload)} is not watched in all three ways")
        for kind, probe in probes_of(workload):
            place = {"readinessProbe": READY}.get(kind, LIVE)
            if "httpGet" in probe and probe["httpGet"]["path"] != place:
                found.append(f"{named(workload)}: its {kind} asks for {probe['httpGet']['path']}")
            if probe["timeoutSeconds"] <= STORE_ANSWERS_IN_S:
                found.append(f"{named(workload)}: its {kind} gives up before the answer comes")
            if kind == "livenessProbe" and probe["periodSeconds"] * probe["failureThreshold"] < PATIENCE_S:
                found.append(f"{named(workload)} is killed too soon")
    return found


def restricted(manifests: Manifests) -> list[str]:
    """Pods keep to the Pod Security Standard "restricted"; two may use the network of their node, and no more.

    https://kubernetes.io/docs/concepts/security/pod-security-standards/
    """
    levels = {
        one["metadata"]["name"]: one["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
        for one in manifests.of("Namespace")
    }
    found = []
    for workload in manifests.workloads:
        pod, name = pod_of(workload), workload["metadata"]["name"]
        is_on_node = pod.get("hostNetwork", False)
        if is_on_node != (name in ON_THE_NODE):
            found.append(f"{named(workload)}: hostNetwork is {is_on_node}")
        if levels[workload["metadata"]["namespace"]] != ("privileged" if is_on_node else "restricted"):
            found.append(f"{named(workload)} is in a namespace of another standard")
        found += [f"{named(workload)}: {told}" for told in _not_restricted(pod)]
        for container in containers_of(workload):
            found += [f"{named(workload)}/{container['name']}: {told}" for told in _not_shut(container)]
    return found


def _not_restricted(pod: Object) -> Iterator[str]:
    context = pod.get("securityContext", {})
    if not context.get("runAsNonRoot") or not context.get("runAsUser", 0) or not context.get("runAsGroup", 0):
        yield "may run as root"
    if context.get("seccompProfile") != {"type": "RuntimeDefault"}:
        yield "has no seccomp profile"
    if pod.get("automountServiceAccountToken") is not False:
        yield "has a key to the cluster"
    if pod.get("hostPID") or pod.get("hostIPC"):
        yield "sees its node's processes"
    if any({"hostPath", "nfs", "iscsi"} & set(volume) for volume in pod["volumes"]):
        yield "mounts a folder of its node"


def _not_shut(container: Object) -> Iterator[str]:
    context = container.get("securityContext", {})
    if context.get("allowPrivilegeEscalation") is not False or context.get("privileged"):
        yield "can gain rights"
    if context.get("readOnlyRootFilesystem") is not True:
        yield "can write to its image"
    if context.get("capabilities") != {"drop": ["ALL"]}:
        yield "has capabilities"
    if any(context.get(key, 1) == 0 for key in ("runAsUser", "runAsGroup")) or context.get("runAsNonRoot") is False:
        yield "may run as root"
    resources = container.get("resources", {})
    if not {"cpu", "memory"} <= set(resources.get("requests", {})) or "memory" not in resources.get("limits", {}):
        yield "takes what memory there is"


def images(manifests: Manifests, version: str) -> list[str]:
    """Every image is ours, by name and the version of this tree."""
    return [
        f"{named(workload)}: {container['image']}"
        for workload in manifests.workloads
        for container in containers_of(workload)
        if not re.fullmatch(rf"orikaeshi-[a-z]+:{re.escape(version)}", container["image"])
    ]


def stopping(manifests: Manifests, leave_s: Mapping[str, float]) -> list[str]:
    """Find pods that are killed before they have ended: after their hook, and `leave_s` by the workload's name."""
    found = []
    for workload in manifests.workloads:
        hook_s = 0.0
        for container in pod_of(workload)["containers"]:
            hook = container.get("lifecycle", {}).get("preStop", {})
            hook_s += hook.get("sleep", {}).get("seconds", 0)
            hook_s += sum(float(one["value"]) for one in container.get("env", []) if one["name"] == "DRAIN_LIMIT_S")
        if pod_of(workload)["terminationGracePeriodSeconds"] <= hook_s + leave_s[workload["metadata"]["name"]]:
            found.append(f"{named(workload)} is killed before it has ended")
    return found
