"""Figures of a server for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
_TEXTS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Figures:
    """Counters of one server."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        given = {"registry": self._registry}
        self.requests = Counter("textmill_requests", "Requests answered.", ["path", "status"], **given)
        self.open = Gauge("textmill_predict_open", "Requests to /predict that have no answer yet.", **given)
        self.seconds = Histogram("textmill_predict_seconds", "Time to answer /predict.", buckets=_SECONDS, **given)
        self.texts = Histogram("textmill_batch_texts", "Texts predicted together.", buckets=_TEXTS, **given)
        self.version = Gauge("textmill_model_version", "The version that answers.", **given)
        self.up = Gauge("textmill_up", "1 where texts can be answered, 0 where the analysis process is down.", **given)
        self.bad = Gauge("textmill_bad_version", "1 for what is current and can't be served.", ["version"], **given)
        self.restarts = Gauge(
            "textmill_chain_restarts", "Starts of the version's analysis process after its first.", **given
        )
        self.swaps = Counter("textmill_swaps", "Changes to another version.", ["result"], **given)

    def text(self) -> bytes:
        """All of them in Prometheus' text format."""
        return generate_latest(self._registry)
