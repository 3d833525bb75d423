"""The administration's API as its page shows it: titles, and an example of what each takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
from flask_babel import lazy_gettext as _

from app.admin_api import messages
from app.models import ServiceName

TITLES: Final = {
    "people": _("People"),
    "invitations": _("Invitations"),
    "imports": _("Lists"),
    "groups": _("Groups"),
    "audit": _("Audit"),
    "openapi.json": _("Description"),
}
_ID: Final = "dGhpcy1yZXF1ZXN0LTAwMQ"
_WHY: Final = "asked for by telephone"
_MAIL: Final = [ServiceName.MAIL]
EXAMPLES: Final[Mapping[type, msgspec.Struct]] = {
    messages.ReasonGiven: messages.ReasonGiven(_WHY),
    messages.InviteRequest: messages.InviteRequest(
        "carla@example.org", "a new colleague", "Carla Ríos", _MAIL
    ),
    messages.ServicesRequest: messages.ServicesRequest(_ID, _MAIL, _WHY),
    messages.StockRequest: messages.StockRequest(_ID, _MAIL, 5, "the day of the new laptops"),
    messages.GroupRequest: messages.GroupRequest("Choir"),
    messages.ImportRequest: messages.ImportRequest(
        "address,name\ncarla@example.org,Carla Ríos\n", "the new members of the choir"
    ),
    messages.GuestsRequest: messages.GuestsRequest(
        [messages.Guest("carla@example.org", "Carla Ríos", _MAIL, ["Choir"], "es")],
        "the new members of the choir",
    ),
}
