"""Faults on purpose, under load, and what the ledger says of them: `make chaos`."""
