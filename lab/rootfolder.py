"""A folder that holds Debian forky with Asterisk in it, for machines without Docker.

    python -m lab.rootfolder        builds it when it is missing, and prints where it is

It lies in `${ORIKAESHI_CACHE:-~/.cache/orikaeshi}/root-<hash>`; the hash covers the package lists and the
prompts, so a change of either makes a new one and the old ones go. Nothing else on the machine changes, save
that mmdebstrap is installed when it is missing. ORIKAESHI_ROOT names a folder of this kind made elsewhere.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lab.debian_packages import PackageError, install
from lab.instance_folders import sweep
from lab.rootfolder_mirror import own_mirror

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SUITE: Final = "forky"
REPOSITORY: Final = Path(__file__).resolve().parent.parent
PROMPTS: Final = REPOSITORY / "asterisk-conf" / "prompts"
LISTS: Final = tuple(REPOSITORY / "docker" / "asterisk" / f"packages{kind}.txt" for kind in ("", "-build"))
_EXPIRED: Final = ("is expired", "is not valid anymore")


class RootFolderError(Exception):
    """No root folder can be had here; the message says why and what to install or do."""


def root_folder() -> Path:
    """Return the root folder, building it first when it is missing (about a minute, progress on stderr).

    Two builders at once: the second waits for the first and takes what it made.

    Raises:
        RootFolderError: not root, not Debian or Ubuntu, no network, a disc that is full, a prompt that
            cannot be rendered.
    """
    if elsewhere := os.environ.get("ORIKAESHI_ROOT"):
        if not (Path(elsewhere) / "usr/sbin/asterisk").exists():
            raise RootFolderError(f"ORIKAESHI_ROOT={elsewhere} holds no usr/sbin/asterisk")
        return Path(elsewhere)
    if os.geteuid() != 0:
        raise RootFolderError(
            "Running Asterisk without Docker needs root (chroot). Start this as root, or install Docker."
        )
    cache = Path(os.environ.get("ORIKAESHI_CACHE") or Path.home() / ".cache" / "orikaeshi")
    root = cache / f"root-{fingerprint()}"
    try:
        if not root.exists():
            cache.mkdir(parents=True, exist_ok=True)
            with locked(cache / "root.lock"):
                if not root.exists():
                    _build(root)
                    _remove_others(root)
    except OSError as error:
        raise RootFolderError(f"cannot build {root}: {error}. Is the disc full?") from error
    return root


def packages() -> list[str]:
    """Return the Debian packages of both lists, in order; `#` begins a comment."""
    lines = [line for file in LISTS for line in file.read_text(encoding="utf-8").splitlines()]
    return [word for line in lines if (word := line.partition("#")[0].strip())]


def fingerprint() -> str:
    """16 hex digits over all that goes into the root folder: suite, packages, prompts and their renderer."""
    digest = hashlib.sha256(f"{SUITE} {' '.join(packages())}\n".encode())
    for file in sorted(PROMPTS.rglob("*")):
        inside = file.relative_to(PROMPTS)
        # The voice is fetched, not a source; readings and Markdown are for people and tests.
        made = {"voice", "__pycache__"} & set(inside.parts)
        if file.is_file() and not made and file.suffix != ".md" and not file.name.startswith("readings"):
            digest.update(f"{inside}\0".encode())
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]


def remove_unfinished(folder: Path) -> None:
    """Remove what a builder that was killed left behind, the machine's own /proc, /sys and /dev not with it.

    They may still be mounted in there. Raises RootFolderError when they cannot be taken out: then nothing is removed.
    """
    for point in reversed(_mounted_below(folder)):
        subprocess.run(["umount", "--lazy", point], check=False)  # noqa: S603, S607
    still = _mounted_below(folder)
    if still:
        raise RootFolderError(f"{still[0]} is mounted and cannot be unmounted; unmount it, then try again")
    shutil.rmtree(folder)


def _mounted_below(folder: Path) -> list[str]:
    """Return every mount point below a folder, outer ones first (proc(5), /proc/self/mounts)."""
    points = [line.split(" ")[1] for line in Path("/proc/self/mounts").read_text("utf-8").splitlines()]
    return sorted(point for point in points if point.startswith(f"{folder}/"))


def _build(root: Path) -> None:
    """Build beside, then rename: whoever sees the folder sees a whole one."""
    began = time.monotonic()
    need_mmdebstrap()
    # The names of what this builder leaves behind when it is killed: taken up and removed by the next one.
    for left in root.parent.glob("building-*"):
        remove_unfinished(left)
    beside = root.parent / f"building-{root.name}"
    _say(f"building {root} (Debian {SUITE} with Asterisk, once; about a minute)")
    try:
        bootstrap(beside, packages())
        _prompts(beside)
        version = _run(["chroot", str(beside), "asterisk", "-V"], "Asterisk does not run in the new folder")
        beside.rename(root)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    _say(f"{version.strip()} is ready after {time.monotonic() - began:.0f} s")


def bootstrap(root: Path, wanted: Sequence[str]) -> None:
    """Unpack Debian and the packages `wanted` into `root`, a folder that is not there; progress on stderr.

    From the machine's own mirror, else from Debian's; expired lists as a last resort. Raises RootFolderError.
    """
    command = ["mmdebstrap", "--mode=root", "--variant=minbase", f"--include={','.join(wanted)}"]
    # The packages alone: no manuals, no translations; asterisk's own documentation is what it checks
    # its configuration against, and lies elsewhere.
    command += ["--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/locale/*"]
    mirrors: list[list[str]] = [[mirror] for mirror in own_mirror()] + [[]]
    said = ""
    for mirror in mirrors:
        for options in ([], ['--aptopt=Acquire::Check-Valid-Until "false"']):
            done = _watched([*command, *options, SUITE, str(root), *mirror])
            if done.returncode == 0:
                return
            said = done.stdout
            shutil.rmtree(root, ignore_errors=True)
            if options or not any(words in said for words in _EXPIRED):
                break
            _say("the mirror's Release file has expired; using it all the same (Check-Valid-Until off)")
    hint = "Is there a network, and room on the disc?"
    if "NO_PUBKEY" in said or "not signed" in said:
        hint = f"Its key is not known here: install a debian-archive-keyring that knows Debian {SUITE}."
    last = "\n".join(said.strip().splitlines()[-8:])
    raise RootFolderError(f"mmdebstrap could not build Debian {SUITE}. {hint} It said:\n{last}")


def _prompts(root: Path) -> None:
    """Render the prompts inside the root folder, with the programs that are in it."""
    place = root / "usr/share/orikaeshi/prompts"
    shutil.copytree(PROMPTS, place, ignore=shutil.ignore_patterns("__pycache__"))
    _say("rendering the prompts")
    voice = place / "voice" / "mei_normal.htsvoice"
    # The voice comes by way of pip, which this Python has and the root folder has not.
    _run([sys.executable, str(place / "fetch-voice"), str(voice)], "the Japanese voice could not be fetched")
    inside = "/usr/share/orikaeshi/prompts/render"
    _run(["chroot", str(root), inside, "/usr/share/asterisk/sounds"], "the prompts could not be rendered")


def need_mmdebstrap() -> None:
    """Install mmdebstrap with apt-get when it is missing."""
    keyring = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
    if shutil.which("mmdebstrap") and keyring.exists():
        return
    if not shutil.which("apt-get"):
        raise RootFolderError(
            "This machine is neither Debian nor Ubuntu, and no Docker engine answers. "
            "Install Docker (with compose) and start this again."
        )
    try:
        install("mmdebstrap", "debian-archive-keyring")
    except PackageError as error:
        raise RootFolderError(str(error)) from None


def _watched(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run, showing every line on stderr as it comes; stdout of the result is all of them."""
    lines: list[str] = []
    environment = os.environ | {"LC_ALL": "C.UTF-8"}
    with subprocess.Popen(  # noqa: S603  fixed commands, no shell
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", env=environment
    ) as process:
        if process.stdout is not None:
            for line in process.stdout:
                lines.append(line)
                # mmdebstrap redraws a progress bar; what counts are whole lines.
                if line.startswith(("I:", "W:", "E:")) and "unsandboxed" not in line:
                    sys.stderr.write(f"  {line}")
    return subprocess.CompletedProcess(command, process.returncode, stdout="".join(lines))


def _run(command: list[str], fault: str) -> str:
    done = subprocess.run(  # noqa: S603  fixed commands, no shell
        command, capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-8:])
        raise RootFolderError(f"{fault}. {Path(command[0]).name} said:\n{last}")
    return done.stdout


def _remove_others(root: Path) -> None:
    """Remove root folders of earlier lists, unless an Asterisk of a living launcher runs in one."""
    for other in root.parent.glob("root-*"):
        if not other.is_dir() or other == root:
            continue
        sweep(other)
        if not any((other / "srv/orikaeshi").glob("*")):
            _say(f"removing {other.name}, which is out of date")
            shutil.rmtree(other, ignore_errors=True)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Be the only builder for the length of the block, waiting for another one to end."""
    with path.open("w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("another build is under way; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _say(text: str) -> None:
    sys.stderr.write(f"root folder: {text}\n")
    sys.stderr.flush()


def main() -> int:
    """Print where the root folder is, and return 0; or say on stderr why there is none, and return 2."""
    try:
        print(root_folder())
    except RootFolderError as error:
        _say(str(error))
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
