"""The mail check against the demo's mail server."""

from collections.abc import Iterator

import pytest

from app.mailservers.causes import Cause, MailCheckError
from app.mailservers.check import check
from app.mailservers.deadline import Deadline
from app.mailservers.server import MailPin, MailServer, from_pin
from tests.peers.ca import certificate_authority
from tests.peers.pymap_server import pymap_server

USERS = {"ann@example.org": "correct horse", "bob@example.org": "pässwörd ✓"}


@pytest.fixture(scope="module")
def server() -> Iterator[MailServer]:
    """The running server as an administrator would pin it."""
    with (
        certificate_authority() as ca,
        pymap_server(USERS, ca.issue("localhost")) as running,
    ):
        yield from_pin("example.org", MailPin("localhost", running.port, ca_pem=ca.pem))


@pytest.mark.parametrize("username", USERS)
def test_everybody_signs_in_with_their_own_password(username: str, server: MailServer) -> None:
    assert check(server, username, USERS[username], deadline=Deadline(5)).username == username


def test_nobody_signs_in_with_another_ones_password(server: MailServer) -> None:
    with pytest.raises(MailCheckError) as raised:
        check(server, "ann@example.org", USERS["bob@example.org"], deadline=Deadline(5))
    assert raised.value.cause is Cause.WRONG_CREDENTIAL
