"""The commands that talk under the keys: refresh, services, keys rotate and keys revoke."""

import json
import re
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from plugin import limits
from plugin.__main__ import parser
from plugin.commands import services
from plugin.device import Device
from plugin.errors import ExitCode, UserError
from plugin.exchange import rotation
from plugin.keystore.records import Contents, KeyRecord
from plugin.paths import Paths
from protocol.service_book import Server, Sync
from tests.plugin.conftest import Run, open_device
from tests.plugin.loopback_service import Service
from tests.plugin.test_contact import activated, numbers, only
from tests.plugin.test_faulty_exchange import lose

RESENDS = len(limits.RESEND_PAUSES)
Ran = tuple[int, str, str]
Here = Callable[..., Ran]


@pytest.fixture
def here(device: Device, paths: Paths, capsys: pytest.CaptureFixture[str]) -> Here:
    """Run the command in this process; it never waits between two tries."""

    def run(*arguments: str) -> Ran:
        capsys.readouterr()
        try:
            args = parser().parse_args(arguments)
            code = args.run(args, open_device(paths))
        except UserError as error:
            code = error.exit_code
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def key(device: Device, service: Service) -> KeyRecord:
    (key,) = activated(device, service)
    return key


def age_keys(device: Device, seconds: int) -> None:
    """Let all keys have been made so long before."""

    def age(contents: Contents) -> Contents:
        older = [
            msgspec.structs.replace(key, created=key.created - seconds) for key in contents.keys
        ]
        return msgspec.structs.replace(contents, keys=tuple(older))

    device.store.change(age)


def as_json(ran: Ran) -> Any:
    return json.loads(ran[1])


def test_refresh_says_that_the_key_works(key: KeyRecord, here: Here) -> None:
    assert here("refresh")[:2] == (0, "ann@example.org mail: the key works\n")


def test_refresh_without_keys_says_what_to_do(here: Here) -> None:
    code, said, hint = here("refresh")
    assert (code, said) == (0, "There are no keys on this device yet.\n")
    assert "handfast status" in hint


def test_refresh_as_json(key: KeyRecord, here: Here, service: Service) -> None:
    service.packets.book(key.session_key())
    (one,) = as_json(here("refresh", "--json"))
    assert one["outcome"] == "answered"
    assert one["key_id"] == key.key_id
    assert (one["book"], one["waiting"], one["problem"]) == (True, False, None)
    assert set(one) == {
        *("key_id", "issuer", "account", "service", "outcome"),
        *("replaced", "waiting", "book", "proven", "problem"),
    }


def test_refresh_without_an_answer_is_unfinished(
    key: KeyRecord, here: Here, service: Service
) -> None:
    service.faults.append(lose("/packet", RESENDS + 1))
    code, said, _ = here("refresh")
    assert code == 5
    assert "not finished" in said
    assert "nothing is lost" in said


def test_refresh_tells_of_a_revoked_key(
    key: KeyRecord, here: Here, service: Service, device: Device
) -> None:
    service.packets.rows[key.key_id].state = "revoked"
    code, said, _ = here("refresh")
    assert code == 6
    assert "was revoked and is removed" in said
    assert device.store.read().keys == ()


def test_refresh_tells_of_a_replaced_key(
    key: KeyRecord, here: Here, service: Service, device: Device
) -> None:
    service.packets.rows[key.key_id].due = True
    code, said, _ = here("refresh")
    assert code == 0
    assert f"the new one is {' '.join(only(device).words)}" in said


def test_refresh_says_what_the_owner_has_to_do(
    key: KeyRecord, here: Here, service: Service
) -> None:
    service.packets.waiting = True
    assert "until you confirm this device" in here("refresh")[1]


def test_services_are_told_in_words(key: KeyRecord, here: Here, service: Service) -> None:
    service.packets.book(key.session_key())
    assert here("services")[:2] == (
        0,
        "Mail for ann@example.org\n"
        "  read from imap.example.org port 993 with TLS as ann\n"
        "  send through imap.example.org port 587 with STARTTLS as ann\n"
        "  looked at every 15 minutes\n",
    )


def test_services_offline_asks_nobody(key: KeyRecord, here: Here, service: Service) -> None:
    service.packets.book(key.session_key())
    here("services")
    before = len(service.requests)
    code, said, _ = here("services", "--offline")
    assert code == 0
    assert "imap.example.org" in said
    assert len(service.requests) == before


def test_services_without_an_answer_shows_what_is_known(
    key: KeyRecord, here: Here, service: Service
) -> None:
    service.packets.book(key.session_key())
    here("services")
    service.faults.append(lose("/packet", RESENDS + 1))
    code, said, told = here("services")
    assert code == 5
    assert "imap.example.org" in said
    assert "did not answer" in told


def test_services_tell_of_a_revoked_key(key: KeyRecord, here: Here, service: Service) -> None:
    service.packets.rows[key.key_id].state = "revoked"
    code, _, told = here("services")
    assert code == 6
    assert "Mail for ann@example.org: the key was revoked" in told


def test_services_say_why_there_are_no_settings(
    key: KeyRecord, here: Here, service: Service
) -> None:
    assert "not fetched yet" in here("services", "--offline")[1]
    service.packets.waiting = True
    assert "held back until you confirm this device" in here("services")[1]
    service.packets.waiting = False
    assert "no settings" in here("services")[1]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(60, "1 minute"), (90, "90 seconds"), (7200, "2 hours"), (86400, "1 day")],
)
def test_services_of_other_kinds(
    seconds: int, words: str, device: Device, here: Here, service: Service
) -> None:
    (key,) = activated(device, service, "contacts")
    book = service.packets.book(key.session_key())
    carddav = Server(
        role="carddav", host="dav.example.org", port=443, security="tls", username="ann"
    )
    service.packets.books["contacts"] = msgspec.structs.replace(
        book, servers=(carddav,), sync=Sync(interval=seconds)
    )
    said = here("services")[1]
    assert "Contacts for ann@example.org" in said
    assert "contacts kept at dav.example.org port 443 with TLS as ann" in said
    assert f"looked at every {words}\n" in said


def test_services_as_json(key: KeyRecord, here: Here, service: Service) -> None:
    service.packets.book(key.session_key())
    (one,) = as_json(here("services", "--json"))
    assert (one["account"], one["service"]) == ("ann@example.org", "mail")
    assert one["book"]["servers"][0] == {
        "role": "imap",
        "host": "imap.example.org",
        "port": 993,
        "security": "tls",
        "username": "ann",
    }
    assert one["book"]["sync"] == {"interval": 900}


def test_a_name_from_the_book_cannot_move_the_cursor() -> None:
    name = "ann\N{RIGHT-TO-LEFT OVERRIDE}\x1b[2J"
    server = Server(role="imap", host="x.example", port=993, security="tls", username=name)
    assert services.server_words(server).endswith("as ann\ufffd\ufffd[2J")


def test_rotating_all_keys(device: Device, here: Here, service: Service) -> None:
    old = {key.key_id for key in activated(device, service, "mail", "contacts")}
    told = as_json(here("keys", "rotate", "--all", "--json"))
    assert {one["replaced"] for one in told} == old
    assert {one["key_id"] for one in told} == service.packets.active()


def test_rotating_one_key_leaves_the_others(device: Device, here: Here, service: Service) -> None:
    first, second = activated(device, service, "mail", "contacts")
    code, said, _ = here("keys", "rotate", first.key_id.lstrip("-")[:8])
    assert code == 0
    assert "was replaced" in said
    kept = {key.key_id for key in device.store.read().keys}
    assert second.key_id in kept
    assert first.key_id not in kept


@pytest.mark.parametrize("arguments", [(), ("--all", "abc"), ("unknown",)])
def test_rotating_needs_to_know_which(
    arguments: tuple[str, ...], key: KeyRecord, here: Here, service: Service
) -> None:
    assert here("keys", "rotate", *arguments)[0] == 2
    assert numbers(service) == []


def test_a_service_that_offers_no_new_key(
    key: KeyRecord, here: Here, service: Service, device: Device
) -> None:
    service.packets.offers = False
    age_keys(device, rotation.WISH_PAUSE)
    code, _, told = here("keys", "rotate", "--all")
    assert code == 5
    assert "offers no new key now" in told


def test_no_new_key_for_one_does_not_hide_that_another_was_revoked(
    device: Device, here: Here, service: Service
) -> None:
    first, _second = activated(device, service, "mail", "contacts")
    service.packets.offers = False
    age_keys(device, rotation.WISH_PAUSE)
    service.packets.rows[first.key_id].state = "revoked"
    code, said, told = here("keys", "rotate", "--all")
    assert code == 6
    assert "was revoked and is removed" in said
    assert "offers no new key now" in told


def test_a_key_that_is_too_new_to_be_replaced_again(
    key: KeyRecord, here: Here, service: Service
) -> None:
    service.packets.offers = False
    code, _, told = here("keys", "rotate", "--all")
    assert code == 0
    assert re.search(r"New enough, \d+ seconds? old: the key of ann@example.org for mail", told)
    assert "offers no new key" not in told


def test_a_new_key_of_a_device_that_waits_is_not_called_new_enough(
    key: KeyRecord, here: Here, service: Service
) -> None:
    service.packets.offers = False
    service.packets.waiting = True
    code, _, told = here("keys", "rotate", "--all")
    assert code == 5
    assert f"{key.account} for" not in told


def test_revoking_warns_and_says_what_is_done(
    key: KeyRecord, here: Here, service: Service, device: Device
) -> None:
    code, said, warned = here("keys", "revoke", "--yes", key.key_id.lstrip("-"))
    assert code == 0
    assert "never comes back" in warned
    assert said.startswith("Revoked the key of ann@example.org for mail")
    assert device.store.read().keys == ()
    assert service.packets.rows[key.key_id].state == "revoked"


def test_revoking_without_a_way_to_ask_changes_nothing(
    key: KeyRecord, service: Service, device: Device, handfast: Run
) -> None:
    refused = handfast("keys", "revoke", key.key_id.lstrip("-"))
    assert refused.returncode == ExitCode.NO_WAY_TO_ASK
    assert only(device).key_id == key.key_id
    assert numbers(service) == []


def test_revoking_as_json(key: KeyRecord, here: Here) -> None:
    told = as_json(here("keys", "revoke", "--yes", "--json", key.key_id.lstrip("-")))
    assert told == {"key_id": key.key_id, "outcome": "revoked"}


def test_the_list_shows_age_and_proof(key: KeyRecord, here: Here, service: Service) -> None:
    assert re.search(r"  \d+ seconds?  not proven yet$", here("keys", "list")[1], re.M)
    service.packets.waiting = True
    here("refresh")
    assert "waits for you to confirm" in here("keys", "list")[1]
    service.packets.waiting = False
    here("refresh")
    assert re.search(r"  proven$", here("keys", "list")[1], re.M)
    (one,) = as_json(here("keys", "list", "--json"))
    assert one["proven"] <= one["reported"]
    assert one["waiting"] is False


def test_status_names_the_next_step(
    key: KeyRecord, here: Here, service: Service, device: Device
) -> None:
    def next_step() -> str:
        return str(as_json(here("status", "--json"))["next"])

    assert next_step().startswith("handfast refresh (the service has not answered")
    service.packets.waiting = True
    here("refresh")
    assert "confirm that this device is yours" in next_step()
    service.packets.waiting = False
    here("refresh")
    assert next_step() == "nothing; this device is active"

    def age(contents: Contents) -> Contents:
        (one,) = contents.keys
        old = msgspec.structs.replace(one, reported=(one.reported or 0) - 4 * 86400)
        return msgspec.structs.replace(contents, keys=(old,))

    device.store.change(age)
    assert "more than three days old" in next_step()
