"""The portal's codes and the device's words for them: neither side imports the other."""

from app.accounts import causes
from app.api import claiming, problems
from plugin.portal import refusals

# These two never get to be a refusal: the device signs in again, or takes the answer for lost.
MEANT_OTHERWISE = {"sign-in-needed", "bug"}
# Only the administration's operations answer these, which no device calls.
OF_THE_ADMINISTRATION = {
    "address-taken",
    "colleague",
    "key-used-before",
    "name-taken",
    "not-permitted",
    "unusable",
}


def test_the_device_has_words_for_every_code_of_the_portal() -> None:
    assert set(refusals.OF_CALLS) == set(problems.KINDS) - MEANT_OTHERWISE - OF_THE_ADMINISTRATION
    assert set(refusals.OF_ACCOUNTS) == {*map(str, causes.PROBLEMS), *claiming.PROBLEMS}
