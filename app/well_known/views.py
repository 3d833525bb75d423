"""What devices and monitors fetch without signing in: key set, trust bundle, health."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, abort

from app.extensions import handfast
from protocol import media_type

blueprint = Blueprint("well_known", __name__)


@blueprint.get("/.well-known/handfast-keys")
def keys() -> Response:
    """Return the signed key set."""
    return _published("handfast-keys.jwt", media_type.KEY_SET)


@blueprint.get("/.well-known/handfast-trust")
def trust() -> Response:
    """Return the trust bundle, for a device whose person then compares its fingerprint."""
    return _published("trust.json", "application/json")


@blueprint.get("/healthz")
def health() -> Response:
    """Answer when the portal and its database work."""
    with handfast().database.read_connection() as connection:
        connection.exec_driver_sql("SELECT 1")
    return Response("ok\n", mimetype="text/plain")


def _published(name: str, mimetype: str) -> Response:
    try:
        body = Path(handfast().config.keys_dir, "published", name).read_bytes()
    except FileNotFoundError:
        abort(404)
    response = Response(body, content_type=mimetype)
    response.headers["Cache-Control"] = "no-cache"
    return response
