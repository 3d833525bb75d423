"""Deny by default: every route is classified, and asks for what it is classified as."""

from __future__ import annotations

import pytest
from flask import Flask

from app.permissions import PUBLIC, UnclassifiedRouteError, check_every_route, permission_of
from tests.app.portal_fixtures import ISSUER, Portal


def example(rule: str) -> str:
    """Return an address that a rule matches."""
    parts = rule.split("/")
    return "/".join("A" * 22 if part.startswith("<") else part for part in parts)


def test_the_public_list_names_existing_routes_only(portal: Portal) -> None:
    assert set(portal.app.view_functions) >= PUBLIC


def test_everything_else_asks_to_sign_in_first(portal: Portal) -> None:
    client = portal.app.test_client()
    asked = 0
    for rule in portal.app.url_map.iter_rules():
        if permission_of(portal.app, rule.endpoint) is None:
            continue
        for method in (rule.methods or set()) - {"OPTIONS", "HEAD"}:
            answer = client.open(example(rule.rule), method=method, base_url=ISSUER)
            if rule.endpoint.startswith(("api.", "admin_api.", "metrics.")):
                # A program is told so; the token is all it could sign in with.
                assert (answer.status_code, answer.get_json()["code"]) == (401, "sign-in-needed")
            else:
                assert answer.status_code == 303, rule
                gate = "/admin/sign-in" if rule.endpoint.startswith("webadmin.") else "/sign-in"
                assert answer.headers["Location"].startswith(gate), rule
            asked += 1
    assert asked > 30


def test_a_program_is_told_401_instead(portal: Portal) -> None:
    answer = portal.app.test_client().get(
        "/", base_url=ISSUER, headers={"Accept": "application/json"}
    )
    assert (answer.status_code, answer.get_json()["status"]) == (401, 401)


def test_a_route_that_nobody_classified_stops_the_build() -> None:
    flask = Flask("test", static_folder=None)
    flask.add_url_rule("/new", "feature.new", lambda: "")
    with pytest.raises(UnclassifiedRouteError):
        check_every_route(flask)


def test_a_foreign_thing_is_a_missing_thing(portal: Portal) -> None:
    ann, bob = portal.browser(), portal.browser()
    ann.sign_in("ann@example.org")
    path = bob.give_address("bob@example.org")
    foreign, missing = ann.get(path), ann.get("/sign-in/" + "A" * 22)
    assert foreign.status_code == missing.status_code == 404
