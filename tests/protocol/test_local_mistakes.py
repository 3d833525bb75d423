"""What the other side would refuse is refused here first, as our own bug."""

from dataclasses import replace

import pytest

from protocol.activation import sign_document
from protocol.errors import LocalProtocolError
from protocol.handshake import DeviceDescription
from protocol.trust import sign_key_set
from tests.vectors import cast


@pytest.mark.parametrize("name", ["", "a" * 101, "a\nb", "a\u202eb", "a\udcffb"])
def test_device_names_that_cannot_be_sent(name: str) -> None:
    with pytest.raises(LocalProtocolError):
        DeviceDescription(name, "linux", "handfast")


def test_device_names_in_any_script() -> None:
    assert DeviceDescription("Ännchens 電話 📱", "linux", "handfast").name


def test_documents_unfit_to_be_signed() -> None:
    with pytest.raises(LocalProtocolError):
        sign_document(replace(cast.DOCUMENT, grants=()), cast.DOCUMENTS)


def test_key_sets_unfit_to_be_signed() -> None:
    with pytest.raises(LocalProtocolError):
        sign_key_set(replace(cast.KEY_SET, documents=()), cast.ROOT)
