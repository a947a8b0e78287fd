"""Alerts of a running company: what is declared, joined to what watches and what sends."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dazi.audit.private import Private
from dazi.main.admission import recorder
from dazi.main.alert_figures import Figures
from dazi.main.alert_mail import post_of
from dazi.main.observing import Watching
from dazi.main.runtime import Runtime
from dazi.ops.alerts.declare import FILE, Alerting, read_alerts
from dazi.ops.alerts.evaluator import Clocks, Evaluator
from dazi.ops.alerts.making import notifiers
from dazi.ops.alerts.measure import Measure, bounds_in
from dazi.ops.alerts.notify import Delivery
from dazi.ops.alerts.service import AlertService
from dazi.ops.alerts.store import AlertStore
from dazi.packs.layers import layers_of
from dazi.router.yaml_source import YamlSource

PAGE = "/alerts"


@dataclass(slots=True)
class Alerts:
    """``evaluator`` looks, ``service`` is for people, ``figures`` are what some rules look at."""

    evaluator: Evaluator
    service: AlertService
    figures: Figures

    def watch(self, watching: Watching) -> None:
        """Begin to look, at what ``watching`` keeps."""
        sampler, evaluator = watching.sampler, self.evaluator
        evaluator.watch(sampler.registry)
        self.figures.watch(sampler.registry)
        evaluator.measure = self.service.measure = Measure(
            watching.history, bounds_in(sampler.registry)
        )
        sampler.looks.append(self.figures.look)
        sampler.after.append(evaluator.sampled)


def declared(folder: Path) -> Alerting:
    """What the company's folder says of alerts. Raises ``ConfigError``."""
    path = layers_of(folder).find(FILE)
    return read_alerts(YamlSource(path), folder) if path.is_file() else Alerting()


def open_alerts(runtime: Runtime) -> Alerts:
    """Raises ``ConfigError``."""
    alerting = declared(runtime.company.folder)
    store = AlertStore(runtime.database, Private(runtime.sealing.keys))
    delivery = Delivery(notifiers(alerting.routes, post_of(runtime)))
    public = runtime.settings.public_url.rstrip("/")
    evaluator = Evaluator(
        alerting,
        store,
        delivery,
        f"{public}{PAGE}" if public else "",
        Clocks(runtime.settings.alerts_seconds),
    )
    service = AlertService(alerting, evaluator.book, store, delivery, recorder(runtime.ledger))
    service.readings = lambda rule: evaluator.read.get(rule, ())
    service.store_well = lambda: evaluator.store_well
    return Alerts(evaluator, service, Figures(runtime))
