"""The dashboard and the alerts, held against the page of a process that works: nothing asks for what is not there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.console.metrics_site import metrics_at
from tests.console.monitoring import PROMETHEUS, RUNBOOKS, alerts, dashboard, labels_in, metrics_in, panels, queries

if TYPE_CHECKING:
    from prometheus_client.core import Metric

EXPRESSIONS = [*queries(), *(rule["expr"] for rule in alerts())]
MADE_BY_PROMETHEUS = {"up"}


@pytest.fixture
async def families(tmp_path: Path) -> dict[str, Metric]:
    """Scrape a process that has had one of everything."""
    async with metrics_at(tmp_path) as process:
        await process.a_day()
        return await process.families()


async def test_every_metric_and_label_that_is_asked_for_is_on_the_page(families: dict[str, Metric]) -> None:
    """By its whole name, as Prometheus keeps it."""
    samples: dict[str, set[str]] = {}
    for family in families.values():
        for each in family.samples:
            samples.setdefault(each.name, set()).update(each.labels)
        # A figure that has nothing to tell yet has no sample.
        is_todays = family.name.startswith("orikaeshi_today_") and family.name != "orikaeshi_today_age_seconds"
        samples.setdefault(family.name, {"queue"} if is_todays else set())
    assert len(EXPRESSIONS) > 60
    unknown = {name for each in EXPRESSIONS for name in metrics_in(each)} - set(samples)
    assert unknown == set()
    given_by_the_scrape = {"job", "instance"}
    wrong = {
        (metric, label)
        for each in EXPRESSIONS
        for metric, label in labels_in(each)
        if metric not in MADE_BY_PROMETHEUS and label not in samples[metric] | given_by_the_scrape
    }
    assert wrong == set()


async def test_what_is_measured_is_shown(families: dict[str, Metric]) -> None:
    """On the dashboard or by an alert; of today's figures, a choice."""
    asked = {name for each in EXPRESSIONS for name in metrics_in(each)}
    ours = {name for name in families if name.startswith("orikaeshi_") and not name.startswith("orikaeshi_today_")}
    assert {name for name in ours if not any(each.startswith(name) for each in asked)} == set()


def test_the_dashboard_can_be_imported_and_asks_for_no_data_source_by_its_id() -> None:
    """Grafana 10: a schema version, panels in a grid without overlap, each with an id of its own."""
    found = dashboard()
    assert found["id"] is None
    assert 36 <= found["schemaVersion"] <= 41
    assert {one["name"] for one in found["templating"]["list"]} == {"datasource", "queue", "pbx"}
    places: set[tuple[int, int]] = set()
    for panel in found["panels"]:
        at = panel["gridPos"]
        covered = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not covered & places, panel["title"]
        places |= covered
    ids = [panel["id"] for panel in found["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in panels():
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert all(target["datasource"] == panel["datasource"] for target in panel["targets"])


def test_every_title_is_in_english_and_in_japanese() -> None:
    """Apart by a slash; names that are the same in both stand alone."""
    titles = [panel["title"] for panel in dashboard()["panels"]]
    assert len(titles) > 40
    japanese = re.compile(r"[ぁ-んァ-ヶ一-龠]")
    assert [title for title in titles if not (japanese.search(title) and re.search(r"[A-Za-z]+.* / ", title))] == []
    said = [rule["annotations"]["summary"] for rule in alerts()]
    assert [text for text in said if not japanese.search(text)] == []


def test_every_alert_has_a_runbook_that_is_there() -> None:
    """In its own words, and as a section of the page; and there is no section for what does not exist."""
    sections = set(re.findall(r"^### (Orikaeshi\w+)$", RUNBOOKS.read_text("utf-8"), re.MULTILINE))
    assert {rule["alert"] for rule in alerts()} == sections
    for rule in alerts():
        assert f"docs/metrics.md#{rule['alert'].lower()}" in rule["annotations"]["runbook"]
        assert rule["labels"]["severity"] in {"warning", "critical"}


def test_prometheus_reads_the_rules_and_asks_the_port_of_the_probes() -> None:
    """As docker/controller/controller.toml has it."""
    found = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text("utf-8"))
    assert [Path(name).name for name in found["rule_files"]] == ["alerts.yml"]
    (job,) = found["scrape_configs"]
    assert job["job_name"] == "orikaeshi"
    assert job["static_configs"] == [{"targets": ["127.0.0.1:8081"]}]
