"""The description of the administration's API: complete, and readable by people."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import schemathesis

from app.admin_api.examples import EXAMPLES
from app.admin_api.views import admin_api
from app.api import openapi
from app.models import StaffRole
from app.permissions import permission_of
from app.rights import Permission
from app.tokens.services import OPENED
from app.webadmin.token_views import SCOPES
from tests.app.portal_fixtures import ISSUER, Portal
from tests.app.webadmin.desk import staff_at_desk

PREFIX = "/api/v1/admin"


def description(portal: Portal) -> dict[str, Any]:
    answer = portal.app.test_client().get(f"{PREFIX}/openapi.json", base_url=ISSUER)
    assert answer.mimetype == "application/json"
    found: dict[str, Any] = answer.get_json()
    return found


def test_every_route_is_described_and_nothing_else(portal: Portal) -> None:
    described = {
        (method.upper(), path)
        for path, methods in description(portal)["paths"].items()
        for method in methods
    }
    routed = {
        (method, re.sub(r"<(\w+)>", r"{\1}", rule.rule.removeprefix(PREFIX)))
        for rule in portal.app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/admin/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert described == routed


def test_each_says_which_scope_it_needs(portal: Portal) -> None:
    paths = description(portal)["paths"]
    for one in admin_api.table:
        needed = permission_of(portal.app, f"admin_api.{one.name}")
        security = paths[openapi.path_of(one)][one.method.lower()]["security"]
        assert security == ([] if needed is None else [{"token": [needed]}])


def test_a_token_can_have_exactly_what_opens_something() -> None:
    needed = {one.needs for one in admin_api.table} - {None}
    assert needed | {Permission.METRICS_READ} == OPENED == set(SCOPES)
    assert needed >= {
        Permission.PEOPLE_SEE,
        Permission.PEOPLE_PROVISION,
        Permission.PEOPLE_IMPORT,
        Permission.DEVICES_REVOKE,
        Permission.AUDIT_SEE,
    }


def test_the_description_is_a_valid_one(portal: Portal) -> None:
    schema = schemathesis.openapi.from_dict(description(portal))
    schema.validate()
    assert len(list(schema.get_all_operations())) == len(admin_api.table)


def test_the_examples_are_what_the_api_takes() -> None:
    assert set(EXAMPLES) == {one.takes for one in admin_api.table if one.takes is not None}
    for kind, example in EXAMPLES.items():
        assert msgspec.json.decode(msgspec.json.encode(example), type=kind) == example


def test_every_member_of_staff_can_read_what_there_is(portal: Portal) -> None:
    olu = staff_at_desk(portal.app, StaffRole.CUSTOMER_CARE)
    text = olu.get("/admin/api").get_data(as_text=True)
    for one in admin_api.table:
        assert f"<code>{one.method} {openapi.path_of(one)}</code>" in text
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len(set(ids))
