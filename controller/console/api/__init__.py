"""The REST API under `/api/v1`: what it can do is a table (`operation.py`), served and described from the same rows."""
