"""A mail proves an address: once, in time, for whoever asked, and nobody guesses the code."""

from __future__ import annotations

import json
import threading

import pytest
from sqlalchemy import select

from app.accounts import challenges, proof
from app.accounts.challenges import (
    NoAccountError,
    NoChallengeError,
    ProvenAlreadyError,
    WrongCodeError,
)
from app.clock import HOUR, MINUTE
from app.home.services import is_last_proven
from app.mailservers.server import VouchedBy
from app.models import (
    AuditEntry,
    Invitation,
    MailAccount,
    MailChallenge,
    OutgoingMail,
    Reach,
)
from app.provisioning.services import Here as Terms
from app.provisioning.services import change_address
from app.rights import ROLES, Role
from app.staff.reach import Actor
from app.throttle import TooManyError
from tests.app.service_fixtures import Owner, Service

CLAIMED = "claimed@example.net"


def claim(service: Service, owner: Owner, account_id: str = "claim") -> str:
    """Give somebody an account whose server they named themselves."""
    with service.database.write() as session:
        session.add(
            MailAccount(
                id=account_id,
                person_id=owner.person_id,
                address=CLAIMED,
                proven_at=None,
                vouched_by=VouchedBy.MANUAL,
                host="mail.example.net",
                port=993,
                security="tls",
                username=CLAIMED,
                created_at=service.clock.now(),
            )
        )
    return account_id


def ask(service: Service, owner: Owner, account_id: str = "claim") -> None:
    """Press "Send the mail"."""
    challenges.ask(
        service.database,
        owner.person_id,
        account_id,
        now=service.clock.now(),
        entropy=service.entropy,
    )


def deliver(service: Service) -> str:
    """Do what the worker does when the newest mail goes out, and return the code in it."""
    with service.database.write() as session:
        rows = session.scalars(select(MailChallenge)).all()
        newest = max(rows, key=lambda row: (row.created_at, row.expires_at))
        code = challenges.give_code(
            session,
            newest.id,
            keys=service.keys.staff,
            now=service.clock.now(),
            entropy=service.entropy,
        )
    assert code is not None
    return code


def answer(service: Service, owner: Owner, typed: str, account_id: str = "claim") -> str:
    """Type a code."""
    here = proof.Here(now=service.clock.now(), shard=0, entropy=service.entropy)
    return challenges.answer(
        service.database, owner.person_id, account_id, typed, keys=service.keys.staff, here=here
    )


def account(service: Service, account_id: str = "claim") -> MailAccount | None:
    """Return an account as it is in the database."""
    with service.database.read() as session:
        return session.get(MailAccount, account_id)


def wrong(code: str) -> str:
    """A code that is another one."""
    return ("1" if code[0] != "1" else "2") + code[1:]


def test_the_code_from_the_mail_proves_the_address(service: Service) -> None:
    claim(service, service.ann)
    ask(service, service.ann)

    assert answer(service, service.ann, deliver(service)) == CLAIMED

    found = account(service)
    assert found is not None
    assert (found.proven_at, found.vouched_by) == (service.clock.now(), VouchedBy.CHALLENGE)
    with service.database.read() as session:
        acts = session.scalars(select(AuditEntry.act).order_by(AuditEntry.id)).all()
        mails = session.scalars(select(OutgoingMail).order_by(OutgoingMail.kind)).all()
    assert acts == ["address-challenged", "address-proven"]
    # The address that was known before is told.
    told = [(mail.kind, mail.address) for mail in mails]
    assert told == [("address-challenge", CLAIMED), ("address-proven", "ann@example.org")]


@pytest.mark.parametrize("spelling", ["lower", "spaced", "letters for digits"])
def test_the_code_may_be_typed_as_people_type(sqlite_service: Service, spelling: str) -> None:
    claim(sqlite_service, sqlite_service.ann)
    ask(sqlite_service, sqlite_service.ann)
    code = deliver(sqlite_service)
    typed = {
        "lower": code.lower(),
        "spaced": " ".join(code.replace("-", "")),
        "letters for digits": code.replace("0", "o").replace("1", "l"),
    }[spelling]
    assert answer(sqlite_service, sqlite_service.ann, typed) == CLAIMED


def test_the_code_is_in_no_column(sqlite_service: Service) -> None:
    claim(sqlite_service, sqlite_service.ann)
    ask(sqlite_service, sqlite_service.ann)
    code = deliver(sqlite_service).replace("-", "")
    with sqlite_service.database.read() as session:
        [challenge] = session.scalars(select(MailChallenge)).all()
        [mail] = session.scalars(select(OutgoingMail)).all()
    assert code.encode() not in (challenge.token_hash or b"")
    assert code not in mail.facts
    assert set(json.loads(mail.facts)) == {"challenge", "account", "account_id"}


def test_after_five_wrong_codes_the_right_one_is_dead(service: Service) -> None:
    claim(service, service.ann)
    ask(service, service.ann)
    code = deliver(service)
    left = []
    for _ in range(5):
        with pytest.raises(WrongCodeError) as error:
            answer(service, service.ann, wrong(code))
        left.append(error.value.left)
    assert left == [4, 3, 2, 1, 0]
    with pytest.raises(NoChallengeError):
        answer(service, service.ann, code)
    found = account(service)
    assert found is not None
    assert found.proven_at is None


def test_tries_at_the_same_time_are_no_more_tries(service: Service) -> None:
    claim(service, service.ann)
    ask(service, service.ann)
    code = deliver(service)
    outcomes: list[str] = []

    def guess() -> None:
        try:
            answer(service, service.ann, wrong(code))
        except (WrongCodeError, NoChallengeError) as error:
            outcomes.append(type(error).__name__)

    threads = [threading.Thread(target=guess) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["NoChallengeError"] * 7 + ["WrongCodeError"] * 5


def test_a_code_works_once(service: Service) -> None:
    claim(service, service.ann)
    ask(service, service.ann)
    code = deliver(service)
    answer(service, service.ann, code)
    with pytest.raises(NoChallengeError):
        answer(service, service.ann, code)


def test_a_code_typed_several_times_at_once_works_once(service: Service) -> None:
    claim(service, service.ann)
    ask(service, service.ann)
    code = deliver(service)
    outcomes: list[str] = []

    def type_it() -> None:
        try:
            outcomes.append(answer(service, service.ann, code))
        except NoChallengeError:
            outcomes.append("no challenge")

    threads = [threading.Thread(target=type_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [CLAIMED, *["no challenge"] * 3]
    with service.database.read() as session:
        kinds = session.scalars(select(OutgoingMail.kind)).all()
    assert sorted(kinds) == ["address-challenge", "address-proven"]


def test_a_code_is_of_use_to_nobody_else(sqlite_service: Service) -> None:
    claim(sqlite_service, sqlite_service.ann)
    claim(sqlite_service, sqlite_service.bob, "claim of Bob")
    ask(sqlite_service, sqlite_service.ann)
    code = deliver(sqlite_service)
    for account_id in ("claim", "claim of Bob"):
        with pytest.raises(NoChallengeError):
            answer(sqlite_service, sqlite_service.bob, code, account_id)
    # It cost Ann no try.
    assert answer(sqlite_service, sqlite_service.ann, code) == CLAIMED


def test_a_code_has_half_an_hour_from_when_it_was_sent(sqlite_service: Service) -> None:
    claim(sqlite_service, sqlite_service.ann)
    ask(sqlite_service, sqlite_service.ann)
    sqlite_service.clock.advance(20 * MINUTE)
    code = deliver(sqlite_service)
    sqlite_service.clock.advance(30 * MINUTE)
    with pytest.raises(NoChallengeError):
        answer(sqlite_service, sqlite_service.ann, code)


def test_a_new_mail_ends_the_code_before(sqlite_service: Service) -> None:
    claim(sqlite_service, sqlite_service.ann)
    ask(sqlite_service, sqlite_service.ann)
    first = deliver(sqlite_service)
    sqlite_service.clock.advance(MINUTE)
    ask(sqlite_service, sqlite_service.ann)
    second = deliver(sqlite_service)
    with pytest.raises(WrongCodeError):
        answer(sqlite_service, sqlite_service.ann, first)
    assert answer(sqlite_service, sqlite_service.ann, second) == CLAIMED


def test_nobody_floods_a_mailbox(service: Service) -> None:
    claim(service, service.ann)
    for _ in range(3):
        ask(service, service.ann)
    with pytest.raises(TooManyError):
        ask(service, service.ann)
    service.clock.advance(HOUR)
    ask(service, service.ann)


def test_nobody_uses_up_what_the_owner_of_a_mailbox_may_ask_for(service: Service) -> None:
    claim(service, service.ann)
    claim(service, service.bob, "claim of Bob")
    for _ in range(3):
        ask(service, service.ann)
    with pytest.raises(TooManyError):
        ask(service, service.ann)
    for _ in range(3):
        ask(service, service.bob, "claim of Bob")
    # Six in all is what a mailbox gets, whoever else asks.
    eve = service.add_person("eve")
    claim(service, eve, "claim of Eve")
    with pytest.raises(TooManyError):
        ask(service, eve, "claim of Eve")


def test_what_somebody_else_proved_stays_theirs(service: Service) -> None:
    claim(service, service.ann)
    claim(service, service.bob, "claim of Bob")
    ask(service, service.ann)
    code = deliver(service)
    with service.database.write() as session:
        owner = session.get_one(MailAccount, "claim of Bob")
        owner.proven_at, owner.vouched_by = service.clock.now(), VouchedBy.PIN

    with pytest.raises(proof.AddressTakenError):
        answer(service, service.ann, code)
    with pytest.raises(proof.AddressTakenError):
        ask(service, service.ann)
    found = account(service)
    assert found is not None
    assert found.proven_at is None


def test_what_others_claimed_goes_away(service: Service) -> None:
    claim(service, service.ann)
    claim(service, service.bob, "claim of Bob")
    ask(service, service.ann)
    answer(service, service.ann, deliver(service))

    assert account(service, "claim of Bob") is None


def test_nothing_is_left_to_prove_of_a_proven_account(sqlite_service: Service) -> None:
    with pytest.raises(ProvenAlreadyError):
        ask(sqlite_service, sqlite_service.ann, "account-ann")


def test_somebody_elses_account_is_a_missing_one(sqlite_service: Service) -> None:
    claim(sqlite_service, sqlite_service.ann)
    with pytest.raises(NoAccountError):
        ask(sqlite_service, sqlite_service.bob)


def test_an_address_proven_by_mail_alone_lets_nobody_give_up_the_other(
    sqlite_service: Service,
) -> None:
    claim(sqlite_service, sqlite_service.ann)
    ask(sqlite_service, sqlite_service.ann)
    answer(sqlite_service, sqlite_service.ann, deliver(sqlite_service))
    with sqlite_service.database.write() as session:
        assert is_last_proven(session, sqlite_service.ann.person_id, "account-ann")


def test_an_address_that_staff_entered_is_accepted_and_the_one_to_sign_in_with_stays(
    sqlite_service: Service,
) -> None:
    here, ann = sqlite_service, sqlite_service.ann
    role = Role.CUSTOMER_CARE
    olu = Actor("staff:olu", ROLES[role], Reach.EVERYONE, None, role)
    with here.database.write() as session:
        change_address(
            session,
            olu,
            ann.person_id,
            ann.account_id,
            CLAIMED,
            keep_old=False,
            reason="married",
            here=Terms(here.clock.now(), here.entropy, here.config),
        )
    with here.database.read() as session:
        entered = session.scalars(select(MailAccount).where(MailAccount.address == CLAIMED)).one()
    ask(here, ann, entered.id)
    answer(here, ann, deliver(here), entered.id)

    with here.database.read() as session:
        assert session.scalars(select(Invitation.state)).all() == ["accepted"]
        assert session.get_one(MailAccount, entered.id).proven_at is not None
        # Its new server may be one that vouches for nobody.
        assert session.get_one(MailAccount, ann.account_id).proven_at is not None
