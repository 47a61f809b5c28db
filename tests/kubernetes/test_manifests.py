"""The manifests of docker/kubernetes: what must hold of them does, and a mistake of each kind is found."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

import pytest

from controller.settings import SettingsError
from controller.web.health import LEAVE_S as PROBES_LEAVE_S
from controller.web.server import LEAVE_S as PAGES_LEAVE_S
from tests.kubernetes import checks, site_checks
from tests.kubernetes.manifests import FOLDER, ROOT, Manifests, load
from tests.kubernetes.planted import PLANTED, SETTINGS_PLANTED

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NEWEST, OLDER = "1.37", "1.31"
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
PAGE = (ROOT / "docs" / "kubernetes.md").read_text("utf-8")
LEAVE_S = {
    # Requests and probes that end; as long again for leases, the database and a machine that is busy.
    "controller": 2 * (PAGES_LEAVE_S + PROBES_LEAVE_S),
    # Before it waits until it is empty, and for Asterisk's own end.
    "asterisk": 30.0,
    "kamailio": 5.0,
}
TEXTS = {str(path.relative_to(FOLDER)): path.read_text("utf-8") for path in FOLDER.rglob("*") if path.is_file()}


def documented_secrets(page: str) -> dict[str, set[str]]:
    """Return the keys of each Secret that the document makes, by NAMESPACE/NAME."""
    lines = page.replace("\\\n", " ")
    made = re.findall(r"kubectl --namespace (\S+) create secret generic (\S+) (.*)", lines)
    found = {f"{space}/{name}": set(re.findall(r"--from-\w+=([\w-]+)=", rest)) for space, name, rest in made}
    optional = set(re.findall(r"`([\w-]+-secret)`", page))
    return {
        name: keys | (optional if name == "orikaeshi/controller-secrets" else set()) for name, keys in found.items()
    }


SECRETS = documented_secrets(PAGE)

CHECKS: dict[str, Callable[[Manifests], list[str]]] = {
    "newest": lambda manifests: checks.schema(manifests, NEWEST),
    "older": lambda manifests: checks.schema(manifests, OLDER),
    "references": lambda manifests: checks.references(manifests, SECRETS),
    "selectors": checks.selectors,
    "budgets": checks.budgets,
    "ports": checks.ports,
    "probes": checks.probes,
    "restricted": checks.restricted,
    "images": lambda manifests: checks.images(manifests, VERSION),
    "stopping": lambda manifests: checks.stopping(manifests, LEAVE_S),
    "addresses": site_checks.addresses_fit,
    "provision": site_checks.as_provision_writes,
    "passwords": lambda manifests: site_checks.passwords_in({**TEXTS, "docs/kubernetes.md": PAGE}, manifests),
}


@pytest.mark.parametrize("check", CHECKS)
def test_nothing_is_wrong_with_the_manifests(check: str) -> None:
    """Each check says in its docstring what it looks for."""
    assert CHECKS[check](load()) == []


def test_the_settings_load_and_say_what_the_manifests_say(tmp_path: Path) -> None:
    """With the variables that the pod is given, and no others."""
    manifests = load()
    assert site_checks.settings_fit(manifests, site_checks.settings_of(manifests, tmp_path)) == []


@pytest.mark.parametrize("mistake", PLANTED)
def test_a_mistake_that_is_planted_is_found(mistake: str) -> None:
    """By the check that is there for it."""
    name, plant = PLANTED[mistake]
    manifests = load()
    plant(manifests)
    assert CHECKS[name](manifests) != []


@pytest.mark.parametrize("mistake", SETTINGS_PLANTED)
def test_a_mistake_in_the_settings_is_found(mistake: str, tmp_path: Path) -> None:
    """By the settings themselves, or by what the manifests say otherwise."""
    manifests = load()
    SETTINGS_PLANTED[mistake](manifests)
    try:
        settings = site_checks.settings_of(manifests, tmp_path)
    except SettingsError:
        return
    assert site_checks.settings_fit(manifests, settings) != []


@pytest.mark.parametrize(
    "line",
    [
        "password = tiger",
        "ORIKAESHI_ARI_PASSWORD=tiger",
        "    --from-literal=ari-password=tiger",
        '        "db_password": "tiger"',
        "url = postgresql://orikaeshi:x@host  # and\nsecret: tiger",
    ],
)
def test_a_password_in_a_file_is_found(line: str) -> None:
    """However the file writes it; a placeholder, a name, and what a shell draws are none."""
    assert site_checks.passwords_in({"file": line}, load()) == ["file: tiger"]
    harmless = 'password = @ARI_PASSWORD@\n--from-literal=web-secret="$(openssl rand -hex 32)"\n# password: tiger\n'
    assert site_checks.passwords_in({"file": harmless}, load()) == []
