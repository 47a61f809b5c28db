"""Whole days of a call centre, played on a virtual clock with everything that can go wrong, and judged from outside."""
