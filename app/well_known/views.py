"""What devices and monitors fetch without signing in: key set, trust bundle, health."""

from __future__ import annotations

from flask import Blueprint, Response, abort

from app.extensions import handfast
from app.keystore.provider import FileKeyProvider, Published
from protocol import media_type

blueprint = Blueprint("well_known", __name__)


@blueprint.get("/.well-known/handfast-keys")
def keys() -> Response:
    """Return the signed key set."""
    return _published(Published.KEY_SET, media_type.KEY_SET)


@blueprint.get("/.well-known/handfast-trust")
def trust() -> Response:
    """Return the trust bundle, for a device whose person then compares its fingerprint."""
    return _published(Published.TRUST, "application/json")


@blueprint.get("/healthz")
def health() -> Response:
    """Answer when the portal and its database work."""
    with handfast().database.read_connection() as connection:
        connection.exec_driver_sql("SELECT 1")
    return Response("ok\n", mimetype="text/plain")


def _published(name: Published, mimetype: str) -> Response:
    body = FileKeyProvider(handfast().config.keys_dir).read_published(name)
    if body is None:
        abort(404)
    response = Response(body, content_type=mimetype)
    response.headers["Cache-Control"] = "no-cache"
    return response
