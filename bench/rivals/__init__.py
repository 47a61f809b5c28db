"""ARI clients side by side: a server to talk to, and one small program for each client.

Each `run_*.py` runs in an environment that has its client alone (`environments.py`), so it imports nothing of this
project but `pace.py`, which lies beside it. All do the same work, each as its own documentation says.
"""
