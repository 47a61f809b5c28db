"""Webhooks out: signed, and sent to nobody whom the settings do not mean."""
