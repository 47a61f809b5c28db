"""The database: promises, attempts, calls, the SMS that are owed, and more. `open_store` is the way in.

Tables are in `tables.py`, one book per aggregate beside it. Whatever differs between databases is in `dialect.py`
(how to talk) and `faults.py` (what went wrong, for a person) and nowhere else.
"""

from controller.store.store import Store, open_beside, open_store

__all__ = ["Store", "open_beside", "open_store"]
