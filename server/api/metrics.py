"""Numbers for monitoring (Prometheus text); counts only, nothing of any person."""

import ipaddress

from aiohttp import web
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    generate_latest,
)

from server.errors import MetricsRefused
from server.keys import STORE
from server.store import fleet


class Metrics:
    """The counters of one application, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "bianmin_requests",
            "Requests by route pattern and status",
            ["route", "status"],
            registry=self.registry,
        )
        self.envelopes = Counter(
            "bianmin_envelopes",
            "Envelopes by carrier and verdict",
            ["carrier", "verdict"],
            registry=self.registry,
        )
        self.bytes = Counter(
            "bianmin_exchange_bytes",
            "Bytes of exchanges, without HTTP",
            ["direction"],
            registry=self.registry,
        )
        self.kiosks = Gauge("bianmin_kiosks", "Kiosks by state", ["state"], registry=self.registry)
        self.waiting = Gauge(
            "bianmin_waiting_envelopes", "Envelopes before the pipeline", registry=self.registry
        )
        self.pending = Gauge(
            "bianmin_pending_envelopes",
            "Envelopes still on kiosks, as last told",
            registry=self.registry,
        )
        self.dead_letters = Gauge(
            "bianmin_dead_letters", "Dead letters waiting for a person", registry=self.registry
        )
        self.commits = Gauge("bianmin_store_commits", "Group commits", registry=self.registry)
        self.writes = Gauge("bianmin_store_writes", "Writes in them", registry=self.registry)


METRICS: web.AppKey[Metrics] = web.AppKey("metrics", Metrics)


def count_request(app: web.Application, route: str, status: int) -> None:
    """Count one request under its route's pattern."""
    if METRICS in app:
        app[METRICS].requests.labels(route, str(status)).inc()


async def show(request: web.Request) -> web.Response:
    """Answer GET /metrics, to this machine only: what runs where is nobody else's business.

    Raises:
        MetricsRefused: It was asked from elsewhere, or through a proxy.
    """
    if "X-Forwarded-For" in request.headers or not _is_local(request.remote or ""):
        raise MetricsRefused("metrics are read from the centre's own machine")
    app = request.app
    metrics, store = app[METRICS], app[STORE]
    summary = await store.read(fleet.summary)
    for state in ("active", "revoked", "forked"):
        metrics.kiosks.labels(state).set(getattr(summary, state))
    metrics.waiting.set(summary.waiting)
    metrics.pending.set(summary.pending)
    metrics.dead_letters.set(summary.dead_letters)
    metrics.commits.set(store.commits)
    metrics.writes.set(store.writes)
    return web.Response(
        body=generate_latest(metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
    )


def _is_local(address: str) -> bool:
    return ipaddress.ip_address(address).is_loopback if address else False


def routes() -> list[web.AbstractRouteDef]:
    """Answer this module's routes."""
    return [web.get("/metrics", show, allow_head=False)]
