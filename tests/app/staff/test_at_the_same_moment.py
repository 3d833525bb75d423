"""What may happen once only, asked for twice at the same moment, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pyotp
import pytest
from sqlalchemy import select

from app.accounts.sessions import Client
from app.audit import Act
from app.keystore.sealing import SealError
from app.models import (
    AuditEntry,
    LinkPurpose,
    Reach,
    Staff,
    StaffPasskey,
    StaffRole,
    StaffStage,
    StaffState,
)
from app.rights import permissions_of
from app.staff import (
    enrolling,
    factors,
    links,
    members,
    own,
    recovery,
    sessions,
    signing_in,
    totp,
)
from app.staff.here import StaffHere
from app.staff.members import LastOwnerError, NotYoursError
from app.staff.passwords import Hasher
from app.staff.reach import Actor
from tests.app.service_fixtures import Service

HASHER = Hasher(memory_kib=64)


def here(service: Service) -> StaffHere:
    return StaffHere(
        now=service.clock.now(),
        entropy=service.entropy,
        keys=lambda: service.keys,
        hasher=HASHER,
        issuer=service.config.issuer,
        service_name="Handfast",
        client=Client("192.0.2.9", "Firefox/153.0"),
    )


def hire(service: Service, name: str, role: StaffRole = StaffRole.OWNER) -> Actor:
    with service.database.write() as session:
        session.add(
            Staff(
                id=f"staff-{name}",
                login=name,
                name=name,
                role=role,
                reach=Reach.EVERYONE,
                state=StaffState.ACTIVE,
                created_at=service.clock.now(),
            )
        )
    permissions = permissions_of(role)
    return Actor(f"staff:staff-{name}", permissions, Reach.EVERYONE, f"staff-{name}", role)


def at_once(*calls: Callable[[], object]) -> list[object]:
    """Make the calls as simultaneously as threads can; an error is an outcome."""
    barrier = threading.Barrier(len(calls))
    outcomes: list[object] = [None] * len(calls)

    def run(place: int, call: Callable[[], object]) -> None:
        barrier.wait()
        try:
            outcomes[place] = call()
        except Exception as error:
            outcomes[place] = type(error)

    threads = [threading.Thread(target=run, args=one) for one in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


@pytest.mark.parametrize("act", ["disable", "move", "reset"])
def test_two_owners_who_shut_each_other_out_leave_one(service: Service, act: str) -> None:
    sam, eve = hire(service, "sam"), hire(service, "eve")
    place = members.Place(StaffRole.AUDITOR, Reach.EVERYONE, frozenset())
    now, entropy = service.clock.now(), service.entropy

    def shut_out(actor: Actor, whom: str) -> object:
        with service.database.write() as session:
            if act == "disable":
                members.disable(session, actor, whom, "because", now=now)
            elif act == "move":
                members.move(session, actor, whom, place, now=now)
            else:
                members.reset(session, actor, whom, now=now, entropy=entropy)
        return None

    outcomes = at_once(lambda: shut_out(sam, "staff-eve"), lambda: shut_out(eve, "staff-sam"))
    assert sorted(map(str, outcomes)) == sorted(map(str, [None, LastOwnerError]))
    with service.database.read() as session:
        owners = select(Staff.id).where(
            Staff.role == StaffRole.OWNER, Staff.state == StaffState.ACTIVE
        )
        assert len(session.scalars(owners).all()) == 1


def test_the_last_owner_is_left_alone_by_the_operator_too(service: Service) -> None:
    hire(service, "sam")
    operator = Actor("operator", permissions_of("owner"), Reach.EVERYONE, None, "owner")
    with pytest.raises(LastOwnerError), service.database.write() as session:
        members.disable(session, operator, "staff-sam", "because", now=service.clock.now())


def test_one_code_comes_in_once(service: Service) -> None:
    hire(service, "sam")
    secret, place = b"s" * 20, here(service)
    step = place.now // totp.STEP
    with service.database.write() as session:
        totp.keep(session, "staff-sam", secret, step - 1, place)
    code = pyotp.TOTP(totp.as_text(secret)).generate_otp(step)

    def give() -> object:
        with service.database.write() as session:
            return totp.accept(session, session.get_one(Staff, "staff-sam"), code, place)

    assert sorted(map(str, at_once(give, give, give, give))) == ["False"] * 3 + ["True"]


def test_one_recovery_code_comes_in_once(service: Service) -> None:
    hire(service, "sam")
    place = here(service)
    codes = recovery.new_codes(place)
    hashes = recovery.hashes_of("staff-sam", codes, place)
    with service.database.write() as session:
        enrolling.make_codes(session, "staff-sam", hashes, place)
    given = factors.given_code("staff-sam", codes[0], place)

    def give() -> object:
        with service.database.write() as session:
            staff = session.get_one(Staff, "staff-sam")
            return factors.accept_code(session, staff, given, place)

    outcomes = [outcome for outcome in at_once(give, give, give) if outcome is not None]
    assert outcomes == [factors.Factor.RECOVERY_CODE]


def test_one_link_is_opened_once(service: Service) -> None:
    hire(service, "sam")
    place = here(service)
    with service.database.write() as session:
        token = links.make(
            session,
            "staff-sam",
            LinkPurpose.RESET,
            actor="operator",
            now=place.now,
            entropy=place.entropy,
        )

    def use() -> object:
        with service.database.write() as session:
            return links.use(session, token, now=place.now).purpose

    assert sorted(map(str, at_once(use, use, use))) == sorted(
        map(str, ["reset", links.LinkError, links.LinkError])
    )


def test_the_last_two_second_factors_do_not_go_at_once(service: Service) -> None:
    hire(service, "sam")
    place = here(service)
    with service.database.write() as session:
        totp.keep(session, "staff-sam", b"s" * 20, 1, place)
        session.add(
            StaffPasskey(
                id="passkey",
                staff_id="staff-sam",
                credential_id=b"c",
                credential=b"d",
                sign_count=0,
                name="key",
                created_at=place.now,
            )
        )

    def remove_app() -> object:
        with service.database.write() as session:
            own.remove_totp(session, "staff-sam", place)
        return None

    def remove_key() -> object:
        with service.database.write() as session:
            own.remove_passkey(session, "staff-sam", "passkey", place)
        return None

    outcomes = at_once(remove_app, remove_key)
    assert sorted(map(str, outcomes)) == sorted(map(str, [None, own.LastFactorError]))


def test_a_codes_secret_does_not_open_elsewhere(service: Service) -> None:
    """A ciphertext that somebody moves to another member is worth nothing (B30)."""
    hire(service, "sam")
    hire(service, "eve", StaffRole.AUDITOR)
    place = here(service)
    with service.database.write() as session:
        totp.keep(session, "staff-sam", b"s" * 20, 1, place)
        sealed = session.get_one(Staff, "staff-sam").totp_sealed
        eve = session.get_one(Staff, "staff-eve")
        eve.totp_sealed = sealed
        with pytest.raises(SealError):
            totp.accept(session, eve, "123456", place)


def test_nobody_manages_themselves(service: Service) -> None:
    sam = hire(service, "sam")
    with pytest.raises(NotYoursError), service.database.read() as session:
        members.manageable(session, sam, "staff-sam")


def signed_in(service: Service, staff_id: str) -> str:
    with service.database.write() as session:
        _, row = sessions.start(
            session,
            here(service).client,
            staff_id=staff_id,
            stage=StaffStage.FULL,
            now=service.clock.now(),
            entropy=service.entropy,
        )
    return row.id


def test_a_password_changed_in_a_session_that_ends_at_that_moment_stays(service: Service) -> None:
    hire(service, "sam")
    session_id, place = signed_in(service, "staff-sam"), here(service)
    with service.database.write() as session:
        sessions.end_all(session, "staff-sam", now=place.now)
    with pytest.raises(sessions.EndedError), service.database.write() as session:
        own.change_password(session, "staff-sam", session_id, "another hash", place)
    with service.database.read() as session:
        assert session.get_one(Staff, "staff-sam").password_hash is None
        told = select(AuditEntry).where(AuditEntry.act == Act.STAFF_PASSWORD_CHANGED)
        assert session.scalars(told).all() == []


def test_nobody_shows_who_they_are_in_a_session_that_ended(service: Service) -> None:
    hire(service, "sam")
    session_id, place = signed_in(service, "staff-sam"), here(service)
    secret, step = b"s" * 20, place.now // totp.STEP
    with service.database.write() as session:
        totp.keep(session, "staff-sam", secret, step - 1, place)
        session.get_one(Staff, "staff-sam").password_hash = HASHER.hash("velvet tractor")
        sessions.end_all(session, "staff-sam", now=place.now)
    code = pyotp.TOTP(totp.as_text(secret)).generate_otp(step)
    with pytest.raises(sessions.EndedError):
        signing_in.confirm(service.database, session_id, "staff-sam", "velvet tractor", code, place)
    with service.database.read() as session:
        told = select(AuditEntry).where(AuditEntry.act == Act.STAFF_CONFIRMED)
        assert session.scalars(told).all() == []
