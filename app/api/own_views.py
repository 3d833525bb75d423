"""A person's accounts, devices, keys and service books."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _

from app.activation import services
from app.activation.confirmation import confirm_device
from app.activation.rotation import ask_rotation
from app.api import overview
from app.api.issuing import signing_keys
from app.api.messages import AccountView, BookView, DeviceView, KeyView
from app.api.operations import api
from app.api.pages import Asked, page_of
from app.api.problems import ProblemError
from app.books.services import books_of
from app.extensions import handfast
from app.models import ServiceName
from app.permissions import current_person
from protocol.service_book import sign_book


@api.add("GET", "/accounts", _("List your mail accounts."), gives=list[AccountView], paged=True)
def list_accounts(page: Asked) -> list[AccountView]:
    """List the accounts, the proven ones first."""
    here = handfast()
    with here.database.read() as database:
        found = overview.list_accounts(database, current_person().id, now=here.clock.now())
    return list(page_of(found, page, lambda each: each.id))


@api.add(
    "GET", "/keys", _("List your keys, the active ones first."), gives=list[KeyView], paged=True
)
def list_keys(page: Asked) -> list[KeyView]:
    """List the keys of all devices; no key itself is told."""
    here = handfast()
    with here.database.read() as database:
        found = overview.list_keys(database, current_person().id, now=here.clock.now())
    return list(page_of(found, page, lambda each: each.id))


@api.add("DELETE", "/keys/<key_id>", _("Revoke a key, for good."))
def revoke_key(key_id: str) -> None:
    """Revoke one key; one that has ended already stays so."""
    _key(key_id)
    services.revoke_key(**_mine(), key_id=key_id)


@api.add(
    "POST",
    "/keys/<key_id>/rotation",
    _("Have a key replaced: its device makes the new one at its next report."),
    gives=KeyView,
    problems=("ended",),
)
def rotate_key(key_id: str) -> KeyView:
    """Ask for a new key; the old one works until the new one is used."""
    _key(key_id)
    if not ask_rotation(**_mine(), key_id=key_id):
        raise ProblemError("ended")
    return _key(key_id)


@api.add(
    "GET",
    "/devices",
    _("List your devices, the active ones first."),
    gives=list[DeviceView],
    paged=True,
)
def list_devices(page: Asked) -> list[DeviceView]:
    """List the devices that hold or held keys."""
    here = handfast()
    with here.database.read() as database:
        found = overview.list_devices(database, current_person().id, now=here.clock.now())
    return list(page_of(found, page, lambda each: each.id))


@api.add(
    "DELETE",
    "/devices/<device_id>",
    _("Revoke a device with all its keys; its client is signed out."),
)
def revoke_device(device_id: str) -> None:
    """Revoke one device; one that is revoked already stays so."""
    _device(device_id)
    services.revoke_device(**_mine(), device_id=device_id)


@api.add(
    "POST",
    "/devices/<device_id>/restoration",
    _("Let a revoked device activate again; its revoked keys stay revoked."),
    gives=DeviceView,
)
def restore_device(device_id: str) -> DeviceView:
    """Restore one device; one that is active already stays so."""
    _device(device_id)
    services.restore_device(**_mine(), device_id=device_id)
    return _device(device_id)


@api.add(
    "POST",
    "/devices/<device_id>/confirmation",
    _("Say that you know a device: until then it gets no service book."),
    gives=DeviceView,
    problems=("ended",),
)
def confirm(device_id: str) -> DeviceView:
    """Confirm one device as the person's own."""
    _device(device_id)
    if not confirm_device(**_mine(), device_id=device_id):
        raise ProblemError("ended")
    return _device(device_id)


@api.add(
    "GET",
    "/books",
    _("List the service books of your accounts: how a device uses each service."),
    gives=list[BookView],
    paged=True,
)
def list_books(page: Asked) -> list[BookView]:
    """Sign one book for each service, with the key that this client's device holds for it."""
    here, person = handfast(), current_person()
    signer = signing_keys().documents.current(here.clock.now())
    with here.database.read_connection() as connection:
        found = books_of(connection, person.id, issuer=here.config.issuer)
        held = overview.keys_of_client(connection, person.session_id, now=here.clock.now())
    return [
        BookView(
            key=held.get(book.service_uid),
            account=book.account,
            service=ServiceName(book.service),
            book=sign_book(book, signer).decode(),
        )
        for book in page_of(found, page, lambda book: book.service_uid)
    ]


def _mine() -> dict[str, Any]:
    here = handfast()
    return {
        "database": here.database,
        "person_id": current_person().id,
        "now": here.clock.now(),
    }


def _key(key_id: str) -> KeyView:
    here = handfast()
    with here.database.read() as database:
        found = overview.find_key(database, current_person().id, key_id, now=here.clock.now())
    if found is None:
        raise ProblemError("not-found")
    return found


def _device(device_id: str) -> DeviceView:
    here = handfast()
    with here.database.read() as database:
        found = overview.find_device(database, current_person().id, device_id, now=here.clock.now())
    if found is None:
        raise ProblemError("not-found")
    return found
