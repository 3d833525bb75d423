"""The models as Core tables, for the paths where the ORM costs too much."""

from __future__ import annotations

from typing import Final, cast

from sqlalchemy import Table

from app.models.activation import Activation, Run, ServiceGrant
from app.models.base import Base
from app.models.device import Device, EndedKey, ServiceKey
from app.models.person import AccountService, MailAccount, Person
from app.models.provisioning import Invitation


def _table(model: type[Base]) -> Table:
    return cast("Table", model.__table__)


PERSON: Final = _table(Person)
MAIL_ACCOUNT: Final = _table(MailAccount)
ACCOUNT_SERVICE: Final = _table(AccountService)
ACTIVATION: Final = _table(Activation)
SERVICE_GRANT: Final = _table(ServiceGrant)
RUN: Final = _table(Run)
DEVICE: Final = _table(Device)
SERVICE_KEY: Final = _table(ServiceKey)
ENDED_KEY: Final = _table(EndedKey)
INVITATION: Final = _table(Invitation)
