"""The page "Get the client" and the file that it offers; anybody may have both."""

from __future__ import annotations

from flask import Blueprint, Response, abort, render_template
from flask_babel import format_decimal, gettext

from app.client import services
from app.extensions import handfast

client = Blueprint("client", __name__)


@client.get("/client")
def index() -> str:
    """Say how to install the client, trust this service with it, and activate."""
    config = handfast().config
    wheel = services.newest(config.client_dir)
    kilobytes = format_decimal(-(-wheel.size // 1000)) if wheel else ""
    return render_template(
        "client/index.html",
        wheel=wheel,
        size=gettext("%(number)s kB", number=kilobytes),
        fingerprint=services.trust_fingerprint(config.keys_dir),
        issuer=config.issuer,
    )


@client.get("/client/<string(length=64):digest>/<string:name>")
def download(digest: str, name: str) -> Response:
    """Return the file with this digest: the address names the content, so it never changes."""
    found = services.content(handfast().config.client_dir, digest)
    if found is None or found[0].name != name:
        abort(404)
    wheel, body = found
    response = Response(body, content_type="application/octet-stream")
    response.headers["Content-Disposition"] = f'attachment; filename="{wheel.name}"'
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response
