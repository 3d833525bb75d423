"""Ann's laptop is lost: staff have it cleared; when it comes back it has nothing, and says so."""

from __future__ import annotations

import os

import pytest
from sqlalchemy import select

from app.audit import Act
from app.clock import SystemClock
from app.models import AuditEntry, Device, Reach, StaffRole
from app.models.tables import SERVICE_KEY
from app.provisioning.wiping import wipe_device
from app.rights import permissions_of
from app.staff.reach import Actor
from plugin.errors import ExitCode
from tests.e2e.main_job.installation import ANN, PASSWORDS, Installation
from tests.plugin.client import Client

pytestmark = [pytest.mark.dovecot, pytest.mark.timeout(300)]


def test_a_lost_device_is_cleared(client: Client, portal: Installation) -> None:
    asked = ("--account", ANN)
    assert client.run("activate", *asked, passwords=[PASSWORDS[ANN]]).status == ExitCode.OK
    key_id = client.held()[0].key_id
    ada = Actor(
        "staff:ada", permissions_of(StaffRole.ADMINISTRATOR), Reach.EVERYONE, None, "administrator"
    )
    with portal.database() as database, database.write() as session:
        query = select(SERVICE_KEY.c.device_id, SERVICE_KEY.c.person_id)
        device_id, person_id = session.execute(query.where(SERVICE_KEY.c.id == key_id)).one()
        wipe_device(
            session,
            ada,
            person_id,
            device_id,
            reason="left on the train",
            now=SystemClock().now(),
            entropy=os.urandom,
        )
    refreshed = client.run("refresh")
    assert refreshed.status == ExitCode.REFUSED_BY_SERVICE, refreshed.stderr
    assert "removed from this device" in refreshed.stdout
    assert client.held() == ()
    status = client.run("status")
    assert f"everything of {ANN} at {portal.issuer}" in status.stdout
    assert "does not know yet" not in status.stdout
    with portal.database() as database, database.read() as session:
        assert session.get_one(Device, device_id).wiped_at is not None
        wiped = select(AuditEntry).where(
            AuditEntry.act == Act.DEVICE_WIPED, AuditEntry.target == device_id
        )
        assert session.scalars(wiped).one().actor == f"device:{device_id}"
    # Revoked, it stays out: neither a sign-in nor a code lets it in again.
    again = client.run("activate", *asked, passwords=[PASSWORDS[ANN]])
    assert again.status != ExitCode.OK
    assert client.held() == ()
