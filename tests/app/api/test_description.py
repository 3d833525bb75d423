"""The description of the API: complete, true of every answer, and readable by people."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig

from app.admin_api.views import admin_api
from app.api import openapi
from app.api.operations import Operation
from app.api.problems import BY_STATUS, KINDS
from app.api.reading import CAUSES, EXAMPLES
from app.api.views import api
from app.mailservers.causes import Cause
from app.permissions import permission_of
from tests.app.api.caller import LAPTOP, PREFIX, client_of
from tests.app.pages.pseudo_locale import LANGUAGE, translate, unmarked
from tests.app.pages.seeded import Seeded
from tests.app.portal_fixtures import ISSUER, Portal

# An operation that ends things is asked last.
SIGNED_IN = sorted(
    (one for one in api.table if one.needs is not None), key=lambda one: one.method == "DELETE"
)


def description(portal: Portal) -> dict[str, Any]:
    answer = portal.app.test_client().get(f"{PREFIX}/openapi.json", base_url=ISSUER)
    assert answer.mimetype == "application/json"
    found: dict[str, Any] = answer.get_json()
    return found


def test_every_route_of_the_api_is_described_and_nothing_else(portal: Portal) -> None:
    described = {
        (method.upper(), path)
        for path, methods in description(portal)["paths"].items()
        for method in methods
    }
    routed = {
        (method, re.sub(r"<(\w+)>", r"{\1}", rule.rule.removeprefix(PREFIX)))
        for rule in portal.app.url_map.iter_rules()
        if rule.endpoint.startswith("api.")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert described == routed


def test_the_description_says_who_needs_a_token(portal: Portal) -> None:
    paths = description(portal)["paths"]
    for one in api.table:
        needed = permission_of(portal.app, f"api.{one.name}")
        security = paths[openapi.path_of(one)][one.method.lower()]["security"]
        # An empty one says that it goes without, too.
        without: list[dict[str, object]] = [{}] if one.heeds_token else []
        heeded = needed is not None or one.heeds_token
        assert security == ([*without, {"client": []}] if heeded else [])


def test_the_description_is_a_valid_one(portal: Portal) -> None:
    schema = schemathesis.openapi.from_dict(description(portal))
    schema.validate()
    assert len(list(schema.get_all_operations())) == len(api.table)


def test_no_pattern_of_python_alone_is_in_it(portal: Portal) -> None:
    assert r"\Z" not in json.dumps(description(portal))


@pytest.mark.parametrize("operation", SIGNED_IN, ids=lambda operation: operation.name)
def test_an_answer_about_real_things_keeps_to_the_description(
    operation: Operation, shared: Seeded
) -> None:
    ann = client_of(shared, shared.ann)
    _, session = shared.start_session(shared.ann)
    real = {
        "session_id": session,
        "activation_id": shared.waiting,
        "key_id": shared.key,
        "device_id": shared.laptop,
    }
    schema = schemathesis.openapi.from_wsgi(
        f"{PREFIX}/openapi.json", shared.app, config=SchemathesisConfig(), base_url=ISSUER
    )
    named = re.findall(r"<(\w+)>", operation.path)
    found = schema[openapi.path_of(operation)][operation.method]
    body: dict[str, Any] = {} if operation.takes is None else {"body": {"device": LAPTOP}}
    case = found.Case(
        path_parameters={name: real[name] for name in named}, media_type="application/json", **body
    )
    headers = {"Authorization": f"Bearer {ann.token}"}
    answer = case.call_and_validate(base_url=ISSUER + PREFIX, headers=headers)
    assert answer.status_code == (204 if operation.gives is None else 200)


def test_the_examples_are_what_the_api_takes() -> None:
    assert set(EXAMPLES) == {one.takes for one in api.table if one.takes is not None}
    for kind, example in EXAMPLES.items():
        assert msgspec.json.decode(msgspec.json.encode(example), type=kind) == example


def test_every_problem_has_words_and_every_status_a_problem() -> None:
    assert all(KINDS[code].status == status for status, code in BY_STATUS.items())
    operations = (*api.table, *admin_api.table)
    assert {code for one in operations for code in openapi.problems_of(one)} | {"method"} == set(
        KINDS
    )
    assert set(CAUSES) > set(Cause)


def test_the_page_shows_every_operation_and_where_problems_lead(portal: Portal) -> None:
    text = portal.browser().get("/api").get_data(as_text=True)
    for one in api.table:
        assert f"<code>{one.method} {openapi.path_of(one)}</code>" in text
    for code in KINDS:
        assert f'id="problem-{code}"' in text
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len(set(ids))


def test_the_page_puts_no_secret_on_a_command_line(portal: Portal) -> None:
    page = portal.browser()
    page.get("/api")
    commands = [line for line in page.text().splitlines() if "curl" in line]
    assert len(commands) > 15
    assert not any(re.search(r"password|Bearer|--user|-u |--data", line) for line in commands)


def test_the_page_can_be_translated(lived_in: Seeded, tmp_path_factory: Any) -> None:
    translate(lived_in.app, tmp_path_factory.mktemp("translations"))
    answer = lived_in.app.test_client().get(
        "/api", base_url=ISSUER, headers={"Accept-Language": LANGUAGE}
    )
    assert set(unmarked(answer.get_data(as_text=True))) <= {"Handfast", ",", ":"}
