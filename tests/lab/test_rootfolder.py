import subprocess
import sys
from pathlib import Path

import pytest

from lab.rootfolder import REPOSITORY, RootFolderError, remove_unfinished, root_folder
from lab.rootfolder_mirror import own_mirror

BOOKWORM = {"ID": "debian", "VERSION_CODENAME": "bookworm"}


def test_the_mirror_is_read_from_the_newer_format_of_apt_sources(tmp_path: Path) -> None:
    """Deb822: the paragraph of the machine's own suite; the security archive and others are not meant."""
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d/debian.sources").write_text(
        "Types: deb\nURIs: http://security.example/debian-security\nSuites: bookworm-security\n\n"
        "Enabled: no\nTypes: deb\nURIs: http://off.example/debian\nSuites: bookworm\n\n"
        "Types: deb deb-src\n# a comment: with a colon\nURIs: http://mirror.example/debian\n"
        "Suites: bookworm bookworm-updates\nComponents: main\n",
        encoding="utf-8",
    )
    assert own_mirror(tmp_path, system=BOOKWORM) == ["http://mirror.example/debian"]


def test_the_mirror_is_read_from_the_older_format_of_apt_sources(tmp_path: Path) -> None:
    """One line for each, with options in brackets."""
    (tmp_path / "sources.list").write_text(
        "# deb http://old.example/debian bookworm main\n"
        "deb-src http://source.example/debian bookworm main\n"
        "deb [arch=amd64 signed-by=/x] http://mirror.example/debian bookworm main contrib\n",
        encoding="utf-8",
    )
    assert own_mirror(tmp_path, system=BOOKWORM) == ["http://mirror.example/debian"]


def test_a_mirror_of_ubuntu_is_not_asked_for_debian(tmp_path: Path) -> None:
    """It has no forky; mmdebstrap's own choice serves there."""
    (tmp_path / "sources.list").write_text("deb http://mirror.example/ubuntu noble main\n", encoding="utf-8")
    assert own_mirror(tmp_path, system={"ID": "ubuntu", "VERSION_CODENAME": "noble"}) == []
    assert own_mirror(tmp_path, system={}) == []


def test_without_root_there_is_one_message_that_says_what_to_do_and_exit_2(tmp_path: Path) -> None:
    """Run as nobody: a process that gives up root before it asks."""
    code = "import os, sys; from lab.rootfolder import main; os.setuid(65534); sys.exit(main())"
    environment = {"PATH": "/usr/bin:/bin", "ORIKAESHI_CACHE": str(tmp_path), "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(  # noqa: S603 - our own Python, fixed code
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("root folder: Running Asterisk without Docker needs root")
    assert "Docker" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_root_folder_made_elsewhere_must_hold_an_asterisk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A typing mistake in ORIKAESHI_ROOT is named, not answered by building another."""
    monkeypatch.setenv("ORIKAESHI_ROOT", str(tmp_path))
    with pytest.raises(RootFolderError, match="holds no usr/sbin/asterisk"):
        root_folder()
    (tmp_path / "usr/sbin").mkdir(parents=True)
    (tmp_path / "usr/sbin/asterisk").touch()
    assert root_folder() == tmp_path


def test_what_a_killed_builder_left_is_removed_and_what_was_mounted_in_it_is_not(tmp_path: Path) -> None:
    """The machine's own /dev may still be mounted in there: it is taken out first."""
    machines, left = tmp_path / "machine", tmp_path / "building-root-1"
    (left / "dev").mkdir(parents=True)
    machines.mkdir()
    (machines / "null").write_text("of the machine", encoding="utf-8")
    subprocess.run(["mount", "--bind", str(machines), str(left / "dev")], check=True)  # noqa: S603, S607
    remove_unfinished(left)
    assert not left.exists()
    assert (machines / "null").read_text(encoding="utf-8") == "of the machine"
