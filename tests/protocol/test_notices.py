"""Only the exchange says that a key is over."""

import pytest
from msgspec import structs

from protocol.encoding import encode
from protocol.errors import LocalProtocolError
from protocol.notice import Notice, open_notice, sign_notice
from protocol.signing import unverified_payload
from protocol.trust import verify_key_set
from tests.protocol.test_vectors import Case, load, named, outcome
from tests.vectors import cast, notices

NOTICES = load("handfast-notice.json")


def opened(case: Case) -> Notice:
    asked = {**NOTICES, **case}
    key_set = verify_key_set(NOTICES["key_set"].encode(), cast.BUNDLE, now=NOTICES["now"])
    return open_notice(case["notice"].encode(), key_set, asked["exchange"], now=asked["now"])


@pytest.mark.parametrize("case", named(NOTICES["cases"]))
def test_notice(case: Case) -> None:
    assert outcome(lambda: opened(case)) == case["expect"]
    if case["expect"] == "accepted":
        notice = opened(case)
        assert notice.key == NOTICES["key"]
        assert encode(notice) == unverified_payload(case["notice"].encode())


def test_what_no_device_takes_is_not_signed() -> None:
    good = Notice(iss=cast.ISSUER, iat=cast.NOW, key=NOTICES["key"], state="retired")
    assert sign_notice(good, cast.EXCHANGE_KEY) == notices._good("retired")
    for change in ({"aud": "handfast-portal"}, {"key": "A"}, {"state": "active"}):
        with pytest.raises(LocalProtocolError):
            sign_notice(structs.replace(good, **change), cast.EXCHANGE_KEY)
