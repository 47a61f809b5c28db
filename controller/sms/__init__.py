"""Sending SMS: one file per provider behind one Protocol, and the texts."""
