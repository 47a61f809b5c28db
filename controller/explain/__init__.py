"""One promise told as a timeline: what happened when and why, and what comes next."""

from controller.explain.command import EXAMPLE, NoSuchPromiseError, add_arguments, explain

__all__ = ["EXAMPLE", "NoSuchPromiseError", "add_arguments", "explain"]
