"""After activating: devices and sessions at the portal, and activations that wait for a device."""

import json
import os
from pathlib import Path

import pytest
from sqlalchemy import select

from app.activation.services import request_activation
from app.clock import SystemClock
from app.config import portal_config
from app.models import new_id
from app.models.tables import ACCOUNT_SERVICE, MAIL_ACCOUNT
from plugin.errors import ExitCode
from tests.e2e.main_job.installation import ANN, BOB, PASSWORDS, Installation
from tests.e2e.thick_client.conftest import new_client
from tests.plugin.client import Client

pytestmark = [pytest.mark.dovecot, pytest.mark.timeout(300)]
SIGN_IN = ("--account", ANN)


@pytest.fixture
def active(client: Client) -> Client:
    """A device with a key for Ann's mail, signed in."""
    done = client.run("activate", *SIGN_IN, "--service", "mail", passwords=[PASSWORDS[ANN]])
    assert done.status == ExitCode.OK, done.stderr
    return client


def wait_for_a_device(portal: Installation, *services: str) -> str:
    """Note an activation that waits for a device, as the portal does without a handler."""
    query = (
        select(ACCOUNT_SERVICE.c.id, MAIL_ACCOUNT.c.person_id)
        .join(MAIL_ACCOUNT, MAIL_ACCOUNT.c.id == ACCOUNT_SERVICE.c.account_id)
        .where(MAIL_ACCOUNT.c.address == ANN, ACCOUNT_SERVICE.c.service.in_(services))
    )
    with portal.database() as database:
        with database.read_connection() as connection:
            rows = connection.execute(query).all()
        return request_activation(
            database,
            person_id=rows[0].person_id,
            account_service_ids=[row.id for row in rows],
            ticket=new_id(os.urandom),
            now=SystemClock().now(),
            entropy=os.urandom,
            config=portal_config(portal.environment()),
        )


def test_it_finishes_exactly_the_chosen_activation(active: Client, portal: Installation) -> None:
    chosen = wait_for_a_device(portal, "contacts")
    other = wait_for_a_device(portal, "calendar")
    listed = active.run("activate", "--waiting", "--json").json["waiting"]
    assert {chosen, other} <= {one["id"] for one in listed}
    done = active.run("activate", "--waiting", chosen)
    assert done.status == ExitCode.OK, done.stderr
    assert set(active.words()) == {(ANN, "mail"), (ANN, "contacts")}
    left = active.run("activate", "--waiting", "--json").json["waiting"]
    assert other in {one["id"] for one in left}
    assert chosen not in {one["id"] for one in left}


def test_several_that_wait_are_chosen_from_on_a_terminal(
    active: Client, portal: Installation
) -> None:
    wait_for_a_device(portal, "contacts")
    wait_for_a_device(portal, "calendar")
    status, shown = active.type([("Which one? [1-", "1")], "activate", "--waiting")
    assert status == ExitCode.OK, shown
    # The newest stands first.
    assert set(active.words()) == {(ANN, "mail"), (ANN, "calendar")}


def test_several_that_wait_are_not_guessed_from(active: Client, portal: Installation) -> None:
    wait_for_a_device(portal, "contacts")
    wait_for_a_device(portal, "calendar")
    done = active.run("activate", "--waiting", "--yes")
    assert done.status == ExitCode.USAGE
    assert set(active.words()) == {(ANN, "mail")}


def test_this_device_is_named_in_the_list(active: Client) -> None:
    listed = active.run("devices", "--json").json
    (here,) = [one for one in listed if one["this_device"]]
    assert (here["state"], here["keys"]) == ("active", 1)
    assert "(this device)" in active.run("devices").stdout


def test_a_revoked_device_is_out_until_another_restores_it(
    active: Client, portal: Installation, tmp_path: Path
) -> None:
    (here,) = [one for one in active.run("devices", "--json").json if one["this_device"]]
    done = active.run("devices", "revoke", here["id"], "--yes")
    assert done.status == ExitCode.OK, done.stderr
    assert active.device().store.read().tokens == {}
    assert active.held() == ()
    asked = ("activate", *SIGN_IN, "--service", "mail")
    refused = active.run(*asked, passwords=[PASSWORDS[ANN]])
    assert refused.status == ExitCode.REFUSED_BY_SERVICE
    assert "revoked" in refused.stderr
    other = new_client(portal, tmp_path / "other")
    restored = ("devices", "restore", here["id"], "--yes")
    done = other.run(*restored, *SIGN_IN, passwords=[PASSWORDS[ANN]])
    assert done.status == ExitCode.OK, done.stderr
    assert active.run(*asked, passwords=[PASSWORDS[ANN]]).status == ExitCode.OK


def test_a_session_ends_and_the_next_command_signs_in_again(active: Client) -> None:
    assert active.run("sessions", "end", "current", "--yes").status == ExitCode.OK
    assert active.device().store.read().tokens == {}
    assert active.run("sessions").status == ExitCode.NO_WAY_TO_ASK
    done = active.run("sessions", "--json", *SIGN_IN, passwords=[PASSWORDS[ANN]])
    assert [one["current"] for one in done.json].count(True) == 1


def test_a_device_that_changed_its_person_says_whose_list_it_shows(active: Client) -> None:
    assert active.run("sessions", "end", "current", "--yes").status == ExitCode.OK
    of_bob = active.run("devices", "--account", BOB, passwords=[PASSWORDS[BOB]])
    assert of_bob.status == ExitCode.OK, of_bob.stderr
    assert of_bob.stdout.startswith(f"Devices of {BOB} at ")
    assert f"does not tell of {ANN}," in of_bob.stderr
    assert active.run("sessions", "end", "current", "--yes").status == ExitCode.OK
    of_ann = active.run("devices", *SIGN_IN, passwords=[PASSWORDS[ANN]])
    # Other devices may have brought further accounts of hers.
    assert ANN in of_ann.stdout.splitlines()[0]
    assert "(this device)" in of_ann.stdout
    assert "does not tell of" not in of_ann.stderr


def test_revoking_is_asked_about_by_name(active: Client) -> None:
    (here,) = [one for one in active.run("devices", "--json").json if one["this_device"]]
    asked = ("devices", "revoke", here["id"])
    assert active.run(*asked).status == ExitCode.NO_WAY_TO_ASK
    status, shown = active.type([(f"Revoke {here['name']}?", "n")], *asked)
    assert status == ExitCode.REFUSED_BY_PERSON, shown
    assert active.run("devices", "--json").json


def test_a_device_that_nobody_named_waits_until_its_owner_confirms_it(
    active: Client, portal: Installation, tmp_path: Path
) -> None:
    new = new_client(portal, tmp_path / "new")
    etc = new.home / "etc"
    etc.mkdir()
    # The administrator of this device lets `handfast open` go on where nobody can be asked.
    (etc / "policy.json").write_text(json.dumps({"allow_without_consent": [portal.issuer]}))
    done = new.run("open", str(portal.issue(ANN, "mail")))
    assert done.status == ExitCode.OK, done.stderr
    waiting = [one for one in active.run("devices", "--json").json if one["confirm_by"]]
    (found,) = [one for one in waiting if one["confirmed_at"] is None]
    assert "yours? confirm within" in active.run("devices").stdout
    done = active.run("devices", "confirm", found["id"], "--yes")
    assert done.status == ExitCode.OK, done.stderr
    listed = active.run("devices", "--json").json
    assert [one["confirmed_at"] for one in listed if one["id"] == found["id"]] != [None]
    assert new.run("refresh").status == ExitCode.OK


def test_the_members_of_json_stay(active: Client, portal: Installation) -> None:
    for one in active.run("devices", "--json").json:
        times = {"created_at", "seen_at", "revoked_at", "confirmed_at", "confirm_by"}
        assert set(one) == {"id", "name", "this_device", "state", "keys"} | times
    for one in active.run("sessions", "--json").json:
        times = {"started_at", "seen_at", "expires_at"}
        assert set(one) == {"id", "kind", "name", "address", "current"} | times
    wait_for_a_device(portal, "contacts")
    for one in active.run("activate", "--waiting", "--json").json["waiting"]:
        assert set(one) == {"id", "created_at", "expires_at", "services"}
