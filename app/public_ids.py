"""What a plain <name> in a route stands for: a public id, or else there is no such page."""

from __future__ import annotations

from typing import Final

from flask import Flask
from werkzeug.routing import BaseConverter

from app.activation.forms import PLAIN_ID

# Werkzeug's name for a plain <name>. With its own converter every text would reach the database.
CONVERTER: Final = "default"


class PublicIdConverter(BaseConverter):
    """Matches what can be a public id or ticket; a route for another text names its converter."""

    regex = PLAIN_ID


def install(portal: Flask) -> None:
    """Make it the meaning of a plain <name> in every route that is added from now on."""
    portal.url_map.converters[CONVERTER] = PublicIdConverter
