"""A pod of a manifest, run on this machine without Kubernetes: the manifest's commands, user, files and mounts.

What holds here as it does there: an image is read-only, everything else is what the manifest mounts; no process is
root, has a capability, or can gain one; the network is the machine's own. What is not there: a kubelet, limits of
memory, seccomp.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import shutil
import signal
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.kubernetes.manifests import Manifests, Object, containers_of, pod_of

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

END_S = 30.0
_PIPE = asyncio.subprocess.PIPE


@dataclass(frozen=True)
class Given:
    """What a cluster would give a pod."""

    name: str
    address: str
    image: Path
    """A root folder with the programs of the image."""
    added: Mapping[str, Path]
    """What the image has besides: the folder or file at each path."""
    secrets: Mapping[str, Mapping[str, str]]
    """By name and key."""


class Pod:
    """One pod, whose containers are started one by one."""

    def __init__(self, manifests: Manifests, workload: Object, given: Given, place: Path) -> None:
        """Nothing happens yet. `place` is a folder of its own."""
        self._manifests = manifests
        self._spec = pod_of(workload)
        self._claims = {one["metadata"]["name"] for one in workload["spec"].get("volumeClaimTemplates", [])}
        self._containers = {one["name"]: one for one in containers_of(workload)}
        self._given = given
        self._place = place
        self._keeper: Process | None = None
        self._running: list[Process] = []

    @asynccontextmanager
    async def mounted(self) -> AsyncIterator[Pod]:
        """Mount everything for the length of the block, for the pod's processes alone; at the end they are killed."""
        script = ["set -e", *(line for one in self._containers.values() for line in self._mounts(one))]
        script += ["echo mounted", "exec cat"]
        self._keeper = await asyncio.create_subprocess_exec(
            *("unshare", "--mount", "--propagation", "private", "sh", "-c", "\n".join(script)),
            stdin=_PIPE,
            stdout=_PIPE,
            start_new_session=True,
        )
        try:
            assert self._keeper.stdout is not None
            assert await self._keeper.stdout.readline() == b"mounted\n"
            yield self
        finally:
            for process in (*self._running, self._keeper):
                # With the children that a process may have left: in a cluster they end with their container.
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.communicate()

    async def start(self, container: str, *command: str) -> Process:
        """Start what a container runs, or another command in it; stdout and stderr come as one."""
        assert self._keeper is not None
        spec = self._containers[container]
        user = self._spec["securityContext"]
        process = await asyncio.create_subprocess_exec(
            *("nsenter", f"--mount=/proc/{self._keeper.pid}/ns/mnt", "--"),
            *("chroot", str(self._root(container)), "setpriv"),
            *("--reuid", str(user["runAsUser"]), "--regid", str(user["runAsGroup"]), "--clear-groups"),
            *("--no-new-privs", "--bounding-set=-all", "--inh-caps=-all", "--pdeathsig=KILL"),
            *("env", "--ignore-environment", f"--chdir={spec.get('workingDir', '/')}"),
            *("PATH=/usr/sbin:/usr/bin:/sbin:/bin", *self._environment(spec)),
            *(command or (*spec["command"], *spec.get("args", []))),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=_PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        self._running.append(process)
        return process

    async def run(self, container: str, *command: str) -> tuple[int, str]:
        """Run it to its end; return exit code and what it said."""
        process = await self.start(container, *command)
        async with asyncio.timeout(END_S):
            said, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, said.decode(errors="replace")

    async def probe(self, container: str, kind: str) -> int:
        """Run a probe that is a command, as `readinessProbe`; return its exit code."""
        return (await self.run(container, *self._containers[container][kind]["exec"]["command"]))[0]

    def hook(self, container: str) -> list[str]:
        """Return the command that is run before the container is stopped."""
        command: list[str] = self._containers[container]["lifecycle"]["preStop"]["exec"]["command"]
        return command

    def volume(self, name: str) -> Path:
        """Return the folder that holds a volume, as this machine sees it."""
        return self._place / "volumes" / name

    def _root(self, container: str) -> Path:
        return self._place / container / "root"

    def _mounts(self, container: Object) -> list[str]:
        """Return what a shell has to do so that a container finds its file system."""
        root = self._root(container["name"])
        root.mkdir(parents=True)
        added = self._place / container["name"] / "added"
        for path, source in self._given.added.items():
            inside = added / path.lstrip("/")
            inside.parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if source.is_dir() else shutil.copy2
            copy(source, inside)
        for mount in container["volumeMounts"]:
            (added / mount["mountPath"].lstrip("/")).mkdir(parents=True, exist_ok=True)
        # Without an upper layer an overlay is read-only.
        lines = [f"mount -t overlay image -o {shlex.quote(f'lowerdir={added}:{self._given.image}')} {root}"]
        lines += [f"mount --rbind /proc {root}/proc"]
        for mount in container["volumeMounts"]:
            source, target = self._volume(mount), f"{root}{mount['mountPath']}"
            # One that lies in another volume is made there, as a container runtime does.
            lines += [f"mkdir -p {shlex.quote(target)}"]
            lines += [f"mount --bind {shlex.quote(str(source))} {shlex.quote(target)}"]
            if mount.get("readOnly"):
                lines += [f"mount -o remount,ro,bind {shlex.quote(target)}"]
        return lines

    def _volume(self, mount: Object) -> Path:
        """Make the folder behind a mount, unless it is there."""
        name = mount["name"]
        folder = self.volume(name) / str(mount.get("subPath", ""))
        if not folder.exists():
            folder.mkdir(parents=True)
            for file, text in self._content(name).items():
                (folder / file).write_text(text, "utf-8")
                os.chown(folder / file, 0, self._spec["securityContext"]["fsGroup"])
                (folder / file).chmod(0o440)
            os.chown(folder, 0, self._spec["securityContext"]["fsGroup"])
            folder.chmod(0o2770)
        return folder

    def _content(self, name: str) -> Mapping[str, str]:
        if name in self._claims:
            return {}
        (volume,) = [one for one in self._spec["volumes"] if one["name"] == name]
        if "configMap" in volume:
            data: dict[str, str] = self._manifests.one("ConfigMap", volume["configMap"]["name"])["data"]
            return data
        return self._given.secrets[volume["secret"]["secretName"]] if "secret" in volume else {}

    def _environment(self, container: Object) -> list[str]:
        found: dict[str, str] = {}
        for source in container.get("envFrom", []):
            found |= self._manifests.one("ConfigMap", source["configMapRef"]["name"])["data"]
        for one in container.get("env", []):
            found[one["name"]] = str(one["value"]) if "value" in one else self._value(one["valueFrom"])
        return [f"{key}={value}" for key, value in found.items()]

    def _value(self, source: Object) -> str:
        if "secretKeyRef" in source:
            return self._given.secrets[source["secretKeyRef"]["name"]][source["secretKeyRef"]["key"]]
        fields = {"metadata.name": self._given.name, "status.podIP": self._given.address}
        return fields[source["fieldRef"]["fieldPath"]]
