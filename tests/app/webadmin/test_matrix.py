"""Every route of WebAdmin × every role: each gets exactly what ``app.rights`` says."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from werkzeug.routing import Rule

from app.accounts.sessions import Client, csrf_token
from app.models import Base, StaffRole, StaffStage
from app.permissions import PUBLIC, permission_of
from app.rights import ROLES, Permission, permissions_of
from app.staff import sessions
from app.tokens.services import grantable
from app.webadmin.gate import COOKIE
from tests.app.admin_api.programs import program
from tests.app.portal_fixtures import ISSUER, Browser, Portal
from tests.app.test_security_routes import example
from tests.app.webadmin.desk import DOMAIN, at_desk, hire
from tests.app.webadmin.newcomer import give_keys

CHANGES = ("POST", "PUT", "PATCH", "DELETE")


def rules(portal: Portal) -> list[tuple[Rule, str, Permission]]:
    """Return every route behind WebAdmin's gate, with each of its methods."""
    found = []
    for rule in portal.app.url_map.iter_rules():
        needed = permission_of(portal.app, rule.endpoint)
        if rule.endpoint.startswith("webadmin.") and needed is not None:
            methods = sorted((rule.methods or set()) - {"OPTIONS", "HEAD"})
            found += [(rule, method, needed) for method in methods]
    return found


def ask(browser: Browser, rule: Rule, method: str, token: str = "") -> int:
    """Ask for a route with nothing in the form but the token."""
    headers = {"Origin": ISSUER, "Sec-Fetch-Site": "same-origin"}
    data = {"csrf_token": token} if method in CHANGES else None
    answer = browser.client.open(
        example(rule.rule),
        method=method,
        base_url=ISSUER,
        data=data,
        headers=headers,
        environ_overrides={"REMOTE_ADDR": browser.address},
    )
    return answer.status_code


@pytest.mark.parametrize("role", list(StaffRole))
def test_each_role_gets_what_it_may_and_no_more(portal: Portal, role: StaffRole) -> None:
    give_keys(portal)
    staff_id, wrong, allowed = hire(portal.app, role), [], 0
    for rule, method, needed in rules(portal):
        # A new session for each, since some of them end it.
        browser = at_desk(portal.app, staff_id)
        status = ask(browser, rule, method, token_of(browser))
        may = needed in permissions_of(role)
        allowed += may
        if (status == 403) is may or status >= 500:
            wrong.append((rule.rule, method, needed, status))
    assert wrong == []
    assert allowed > 10


@pytest.mark.parametrize("role", list(StaffRole))
def test_a_token_with_all_it_can_have_gets_no_more_than_its_maker(
    portal: Portal, role: StaffRole
) -> None:
    give_keys(portal)
    made, wrong, asked = program(portal.app, hire(portal.app, role)), [], 0
    for rule in portal.app.url_map.iter_rules():
        needed = permission_of(portal.app, rule.endpoint)
        if not rule.endpoint.startswith("admin_api.") or needed is None:
            continue
        for method in (rule.methods or set()) - {"OPTIONS", "HEAD"}:
            path = example(rule.rule).removeprefix("/api/v1/admin")
            status = made.call(method, path, {} if method in CHANGES else None).status_code
            may = needed in grantable(permissions_of(role))
            asked += 1
            if (status == 403) is may or status == 401 or status >= 500:
                wrong.append((rule.rule, method, needed, status))
    assert wrong == []
    assert asked > 10


def test_being_somewhere_else_opens_nothing(portal: Portal) -> None:
    ann = portal.browser()
    ann.sign_in()
    for rule, method, _ in rules(portal):
        assert ask(ann, rule, method) == 303, rule


@pytest.mark.parametrize("stage", [StaffStage.PASSWORD, StaffStage.ENROL])
def test_being_on_the_way_in_opens_nothing(portal: Portal, stage: StaffStage) -> None:
    staff_id, here = hire(portal.app, StaffRole.OWNER), portal.here
    with here.database.write() as database:
        token, _ = sessions.start(
            database,
            Client("192.0.2.9", "Firefox/153.0"),
            staff_id=staff_id,
            stage=stage,
            now=here.clock.now(),
            entropy=here.entropy,
        )
    browser = portal.browser()
    browser.client.set_cookie(COOKIE, token, domain=DOMAIN, secure=True)
    for rule, method, _ in rules(portal):
        assert ask(browser, rule, method) == 303, rule


def test_what_needs_no_permission_is_the_way_in(portal: Portal) -> None:
    open_to_all = {one for one in PUBLIC if one.startswith("webadmin.")}
    paths = {rule.rule for rule in portal.app.url_map.iter_rules() if rule.endpoint in open_to_all}
    assert all(path.startswith(("/admin/sign-in", "/admin/welcome")) for path in paths)


def test_no_get_changes_anything(portal: Portal) -> None:
    give_keys(portal)
    sam = at_desk(portal.app, hire(portal.app, StaffRole.OWNER))
    before = everything_kept(portal)
    for rule, method, _ in rules(portal):
        assert method in {"GET", "POST"}, rule
        if method == "GET":
            ask(sam, rule, method)
    assert everything_kept(portal) == before


def everything_kept(portal: Portal) -> dict[str, list[str]]:
    """Return every row of every table but for when a session was last seen."""
    with portal.database.read_connection() as connection:
        return {
            table.name: sorted(str(row) for row in connection.execute(select(table)))
            for table in Base.metadata.sorted_tables
            if table.name != "staff_session"
        }


def token_of(browser: Browser) -> str:
    """Return the token that this browser's forms have."""
    cookie = browser.client.get_cookie(COOKIE, domain=DOMAIN)
    return "" if cookie is None else csrf_token(cookie.value)


def test_no_role_has_everything_and_each_permission_is_somebodys() -> None:
    everything = frozenset(Permission)
    assert all(permissions < everything for permissions in ROLES.values())
    assert frozenset[Permission]().union(*ROLES.values()) == everything
