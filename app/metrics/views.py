"""For monitors: numbers for who holds a token, and one word for everybody."""

from __future__ import annotations

import time

from flask import Blueprint, Flask, Response, current_app, g, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from werkzeug.wrappers import Response as AnyResponse

from app.activation.portal_keys import portal_keys
from app.admin_api import holder
from app.api.area import METRICS
from app.extensions import handfast, of
from app.metrics.collecting import DatabaseCollector
from app.metrics.readiness import Readiness, Status
from app.permissions import require
from app.rights import Permission

metrics = Blueprint("metrics", __name__)
NAME = "handfast-readiness"


def install(portal: Flask) -> None:
    """Count every answer, and read from the database when a monitor asks."""
    here = of(portal)
    here.metrics.registry.register(DatabaseCollector(here.database, here.clock))
    portal.extensions[NAME] = Readiness(here.database, here.clock, portal_keys)
    portal.after_request(_count)


@metrics.get(METRICS)
@require(Permission.METRICS_READ)
def numbers() -> Response:
    """Return everything as Prometheus reads it."""
    return Response(generate_latest(handfast().metrics.registry), content_type=CONTENT_TYPE_LATEST)


@metrics.get("/readyz")
def ready() -> AnyResponse:
    """Say whether the portal can serve; which checks led to it is for who may read metrics."""
    readiness: Readiness = current_app.extensions[NAME]
    report = readiness.report()
    facts: dict[str, object] = {"status": report.status}
    shown = request.authorization is not None and holder.holder()
    if shown and Permission.METRICS_READ in shown.permissions:
        facts["checks"] = dict(report.checks)
    response = jsonify(facts)
    response.status_code = 503 if report.status is Status.NOT_READY else 200
    response.headers["Cache-Control"] = "no-store"
    return response


def _count(response: AnyResponse) -> AnyResponse:
    began = g.get("began")
    seconds = 0.0 if began is None else time.monotonic() - began
    handfast().metrics.count_request(request.endpoint, response.status_code, seconds)
    return response
