"""Which requests are the API's: those answer in JSON, and know no cookie."""

from __future__ import annotations

from typing import Final

from flask import request

AREA: Final = "/api/"
PREFIX: Final = "/api/v1"
# Where monitors look for it; a program's, and asked for with a token like everything of the API.
METRICS: Final = "/metrics"


def is_api() -> bool:
    """Tell whether this request is for the API, be there such an address or not."""
    return request.path.startswith(AREA) or request.path == METRICS
