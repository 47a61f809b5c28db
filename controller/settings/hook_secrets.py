"""Which environment variable each hook's secret comes from, and what it has to be like."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from controller.hooks.signing import PREFIX, read_secrets
from controller.settings.mistakes import Mistake
from controller.settings.raw import tables

if TYPE_CHECKING:
    from collections.abc import Mapping


def hook_variables(raw: Mapping[str, Any]) -> dict[str, str]:
    """Return the variable of each hook that is switched on, by the name of the hook."""
    named = (hook.get("name") for _, hook in tables(raw, "hooks") if hook.get("enabled", True) is True)
    return {name: hook_variable(name) for name in named if isinstance(name, str)}


def hook_variable(name: str) -> str:
    """Return the variable of a hook's secret."""
    return f"ORIKAESHI_HOOK_{re.sub(r'[^A-Z0-9]', '_', name.upper())}"


def hook_secrets(env: Mapping[str, str], raw: Mapping[str, Any]) -> tuple[dict[str, str], list[Mistake]]:
    """Return the secret of each hook that is switched on, by the name of the hook; and what is wrong with them."""
    secrets = {name: env.get(variable, "") for name, variable in hook_variables(raw).items()}
    wrong = {name: _mistake(value) for name, value in secrets.items()}
    mistakes = [Mistake(None, hook_variable(name), told, is_environment=True) for name, told in wrong.items() if told]
    return secrets, mistakes


def _mistake(value: str) -> str | None:
    if not value:
        return f"is not set: `echo {PREFIX}$(openssl rand -base64 32)` makes one, for both sides"
    try:
        read_secrets(value)
    except ValueError as error:
        return str(error)
    return None
