"""One call signs in with several accounts and answers with one document."""

from __future__ import annotations

from tests.app.api.caller import Caller
from tests.app.portal_fixtures import ANN, Portal


def test_one_call_gives_a_token_and_a_document_for_every_service(
    signing: Portal, caller: Caller
) -> None:
    answer = caller.activate()
    assert answer.status_code == 200, answer.get_json()
    given = answer.get_json()
    (outcome,) = given["accounts"]
    assert (outcome["address"], outcome["outcome"], outcome["proven"]) == (ANN, "accepted", True)
    assert [each["service"] for each in outcome["services"]] == ["mail", "contacts", "calendar"]
    assert "." in given["document"]
    assert len(given["token"]) == 43
