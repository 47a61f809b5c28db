"""What `kubectl apply -k docker/kubernetes` would send: the manifests, and the ConfigMaps that are made of files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docker" / "kubernetes"
WORKLOADS = ("Deployment", "StatefulSet")

Object = dict[str, Any]


@dataclass(frozen=True)
class Manifests:
    """Every object, by what it is; values are as YAML gives them, and a test may change them."""

    objects: list[Object]

    def of(self, *kinds: str) -> list[Object]:
        """Return the objects of these kinds."""
        return [one for one in self.objects if one["kind"] in kinds]

    def one(self, kind: str, name: str) -> Object:
        """Return the object of this kind and name."""
        (found,) = [one for one in self.of(kind) if one["metadata"]["name"] == name]
        return found

    @property
    def workloads(self) -> list[Object]:
        """What runs pods."""
        return self.of(*WORKLOADS)

    def selected(self, namespace: str, labels: dict[str, str]) -> list[Object]:
        """Return the workloads of a namespace whose pods have these labels."""
        return [
            one
            for one in self.workloads
            if one["metadata"]["namespace"] == namespace and labels.items() <= pod_labels(one).items()
        ]


def load(folder: Path = FOLDER) -> Manifests:
    """Read a kustomization: its resources, and its ConfigMaps under the names that the manifests call them by."""
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text("utf-8"))
    objects = [
        one for name in kustomization["resources"] for one in yaml.safe_load_all((folder / name).read_text("utf-8"))
    ]
    for generator in kustomization["configMapGenerator"]:
        data = {Path(name).name: (folder / name).read_text("utf-8") for name in generator.get("files", [])}
        for name in generator.get("envs", []):
            data |= pairs_of((folder / name).read_text("utf-8"))
        objects.append(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": generator["name"], "namespace": generator["namespace"]},
                "data": data,
            }
        )
    # What YAML writes once and names again would be one object in several places: a change of one would be one of all.
    return Manifests(json.loads(json.dumps(objects)))


def pairs_of(text: str) -> dict[str, str]:
    """Return the lines of KEY=VALUE."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return {key: value for key, _, value in (line.partition("=") for line in lines)}


def named(one: Object) -> str:
    """Return what people call an object."""
    return f"{one['kind']} {one['metadata'].get('namespace', '')}/{one['metadata']['name']}"


def pod_of(workload: Object) -> Object:
    """Return the specification of its pods."""
    found: Object = workload["spec"]["template"]["spec"]
    return found


def pod_labels(workload: Object) -> dict[str, str]:
    """Return the labels of its pods."""
    found: dict[str, str] = workload["spec"]["template"]["metadata"]["labels"]
    return found


def containers_of(workload: Object) -> list[Object]:
    """Return its containers, those that run first as well."""
    pod = pod_of(workload)
    return [*pod.get("initContainers", []), *pod["containers"]]


def ports_of(workload: Object) -> dict[str, tuple[int, str]]:
    """Return (number, protocol) of each port of its pods, by name."""
    return {
        port["name"]: (port["containerPort"], port.get("protocol", "TCP"))
        for container in containers_of(workload)
        for port in container.get("ports", [])
    }


def probes_of(workload: Object) -> Iterator[tuple[str, Object]]:
    """Yield each probe with its kind, as `livenessProbe`."""
    for container in containers_of(workload):
        for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
            if kind in container:
                yield kind, container[kind]


def walk(value: Any, place: str = "") -> Iterator[tuple[str, str, Any]]:
    """Yield (place, key, value) of every entry of every mapping within."""
    if isinstance(value, dict):
        for key, inside in value.items():
            yield place, str(key), inside
            yield from walk(inside, f"{place}.{key}")
    elif isinstance(value, list):
        for index, inside in enumerate(value):
            yield from walk(inside, f"{place}[{index}]")
