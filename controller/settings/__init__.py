"""The settings: a TOML file an admin writes, secrets from the environment, frozen values for `assembly`."""

from controller.settings.loading import SECRETS, load_settings
from controller.settings.mistakes import Mistake, SettingsError
from controller.settings.model import (
    LANGUAGES,
    AgentPhone,
    Asterisk,
    Dialer,
    Log,
    Queue,
    Secrets,
    Settings,
    Sms,
    Store,
)

__all__ = [
    "LANGUAGES",
    "SECRETS",
    "AgentPhone",
    "Asterisk",
    "Dialer",
    "Log",
    "Mistake",
    "Queue",
    "Secrets",
    "Settings",
    "SettingsError",
    "Sms",
    "Store",
    "load_settings",
]
