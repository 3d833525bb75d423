"""What goes with an account: services, keys, open activations; and what the audit keeps."""

from __future__ import annotations

from pathlib import Path

from app.accounts.removal import remove_account
from app.models import AccountService, Activation, MailAccount, ServiceGrant, ServiceKey
from tests.app.pages.seeded import bare_portal, live_in


def test_nothing_of_a_removed_account_can_be_used(tmp_path: Path) -> None:
    with bare_portal(tmp_path) as seeded:
        live_in(seeded)
        database, now = seeded.service.database, seeded.service.clock.now()
        with database.write() as session:
            account = session.get_one(MailAccount, seeded.ann.account_id)
            remove_account(session, account, actor="system", reason="test", now=now)
        with database.read() as session:
            of_account = AccountService.account_id == seeded.ann.account_id
            assert session.query(AccountService).filter(of_account).count() == 0
            assert session.query(ServiceKey).count() == 0
            assert session.query(ServiceGrant).count() == 0
            assert {row.state for row in session.query(Activation)} == {"dead", "redeemed"}
