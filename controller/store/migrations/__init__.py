"""Alembic's migrations. A new one: see CONTRIBUTING; `versions/` are applied in order at every start."""
