"""The files for Prometheus and Grafana, taken apart: every metric that they ask for."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
DASHBOARD = ROOT / "docker" / "grafana" / "orikaeshi.json"
PROMETHEUS = ROOT / "docker" / "prometheus"
RUNBOOKS = ROOT / "docs" / "metrics.md"
_METRIC = re.compile(r"\b(orikaeshi_[a-z0-9_]+|process_[a-z0-9_]+|python_[a-z0-9_]+)")
_SELECTOR = re.compile(r"\b([a-z_0-9]+)\{([^}]*)\}")
_LABEL = re.compile(r'([a-z_]+)\s*(?:=~|!~|!=|=)\s*"')


def dashboard() -> dict[str, Any]:
    """Return the dashboard."""
    found: dict[str, Any] = json.loads(DASHBOARD.read_text("utf-8"))
    return found


def panels() -> list[dict[str, Any]]:
    """Return its panels, without the headings between them."""
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def queries() -> list[str]:
    """Return everything that the dashboard asks Prometheus."""
    asked = [target["expr"] for panel in panels() for target in panel["targets"]]
    return asked + [one["definition"] for one in dashboard()["templating"]["list"] if one["type"] == "query"]


def alerts() -> list[dict[str, Any]]:
    """Return the rules."""
    groups = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def metrics_in(expression: str) -> set[str]:
    """Return the metrics that an expression names."""
    return set(_METRIC.findall(expression))


def labels_in(expression: str) -> set[tuple[str, str]]:
    """Return (metric, label) of every selector of an expression."""
    return {(metric, label) for metric, inside in _SELECTOR.findall(expression) for label in _LABEL.findall(inside)}
