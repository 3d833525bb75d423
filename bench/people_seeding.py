"""A database with as many people as are wanted, made in sets: a million in about a minute.

One in twenty was invited and never came, one in twenty has no device, the others have one with a
key; a few are disabled, have a second address that is unproven, or mail to them came back.
"""

import sqlite3
from pathlib import Path
from typing import Final

from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from app.clock import DAY, SECOND
from app.models import Base

_NAMES: Final = """
Ann Bob Cem Dora Eve Finn Gül Hana Ivo Jun Kai Lea Mia Noa Olu Pia Quim Rui Sam Tom Uma Vera Wim
Xia Yann Zoë Adil Bea Carl Dina Emil Fay Gita Hugo Ines Jan Kim Lars Mona Nils
"""
# So many people have a family name in common, however many people there are.
_FAMILY: Final = 20
# Without these the seeding takes five times as long; what is lost by a crash is seeded again.
_PRAGMAS: Final = (
    "journal_mode = OFF",
    "synchronous = OFF",
    "temp_store = MEMORY",
    "cache_size = -400000",
)
_ID: Final = "substr(lower(hex(randomblob(11))), 1, 22)"
# One row for each person, from which all others are made; the later ones are the newer ones.
_SOMEONE: Final = f"""
CREATE TEMP TABLE someone AS
WITH RECURSIVE number(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n + 1 < :count)
SELECT n, {_ID} AS id, {_ID} AS account, {_ID} AS service, {_ID} AS device, {_ID} AS activation,
  {_ID} AS "grant", :now - (:count - n) * :step AS at, name AS first,
  printf('Family%06d', n % :families) AS last,
  ascii || printf('.family%06d.', n % :families) || n AS local,
  'd' || (n % 50) || '.example.org' AS domain,
  CASE n % 20 WHEN 0 THEN 'invited' WHEN 1 THEN 'idle' ELSE 'active' END AS kind
FROM number JOIN first_name ON first_name.place = n % :names
"""  # noqa: S608  # no value of anybody's is in it
_ROWS: Final = (
    """INSERT INTO person (id, created_at, name, disabled_at)
       SELECT id, at, first || ' ' || last, CASE WHEN n % 17 = 7 THEN at END FROM someone""",
    """INSERT INTO mail_account (id, person_id, address, proven_at, vouched_by, host, port,
         security, username, checked_at, bounced_at, created_at)
       SELECT account, id, local || '@' || domain, CASE WHEN kind != 'invited' THEN at END,
         CASE WHEN kind = 'invited' THEN 'staff' ELSE 'pin' END, 'mail.example.org', 993, 'tls',
         local, CASE WHEN kind != 'invited' THEN at END, CASE WHEN n % 19 = 9 THEN at END, at
       FROM someone""",
    f"""INSERT INTO mail_account (id, person_id, address, vouched_by, created_at)
       SELECT {_ID}, id, 'other.' || n || '@elsewhere.example', 'manual', at FROM someone
       WHERE n % 13 = 11""",  # noqa: S608  # as above
    """INSERT INTO account_service (id, account_id, service, service_uid, created_at)
       SELECT service, account, 'mail', service, at FROM someone""",
    """INSERT INTO device (id, person_id, jkt, identity, name, platform, handler, state, created_at,
         seen_at, confirmed_at)
       SELECT device, id, device || '0123456789abcdefghijk', x'00', first || '''s laptop',
         CASE n % 3 WHEN 0 THEN 'Windows' WHEN 1 THEN 'Darwin' ELSE 'Linux' END, 'handfast 0.1',
         CASE WHEN n % 61 = 5 THEN 'revoked' ELSE 'active' END, at, at, at
       FROM someone WHERE kind = 'active'""",
    """INSERT INTO activation (id, person_id, ticket, kind, state, created_at, expires_at, attempts,
         redeemed_at, device_id, made_by)
       SELECT activation, id, activation, 'document',
         CASE WHEN kind = 'active' THEN 'redeemed' ELSE 'open' END, at, :now + :week, 0,
         CASE WHEN kind = 'active' THEN at END, CASE WHEN kind = 'active' THEN device END,
         CASE WHEN kind = 'invited' THEN 'staff:bench' END
       FROM someone WHERE kind != 'idle'""",
    """INSERT INTO service_grant (id, account_service_id, activation_id, position, state,
         created_at, expires_at)
       SELECT "grant", service, activation, 0,
         CASE WHEN kind = 'active' THEN 'redeemed' ELSE 'issued' END, at, :now + :week
       FROM someone WHERE kind != 'idle'""",
    f"""INSERT INTO service_key (id, person_id, device_id, account_service_id, activation_id,
         grant_id, key_sealed, fingerprint, state, created_at, proven_at, rotate_at, received)
       SELECT {_ID}, id, device, service, activation, "grant", x'00', randomblob(8),
         CASE WHEN n % 61 = 5 THEN 'revoked' ELSE 'active' END, at, at, at + 90 * :day, 1
       FROM someone WHERE kind = 'active'""",  # noqa: S608  # as above
    f"""INSERT INTO invitation (id, person_id, address, services, state, reason, invited_by,
         created_at, expires_at)
       SELECT {_ID}, id, local || '@' || domain, 'mail', 'open', 'new here', 'staff:bench', at,
         :now + :week FROM someone WHERE kind = 'invited'""",  # noqa: S608  # as above
    f"""INSERT INTO web_session (id, token_hash, person_id, flow, address, user_agent,
         created_at, seen_at, expires_at, kind)
       SELECT {_ID}, randomblob(32), id, '{{}}', '192.0.2.7', 'Firefox/153.0', at, :now,
         :now + :day, 'browser' FROM someone WHERE n % 10 = 2""",  # noqa: S608  # as above
    """INSERT INTO audit (at, actor, act, subject_id, target, record)
       SELECT at, 'person:' || id, act, id, account, x'7b7d'
       FROM (SELECT 'account-added' AS act UNION ALL SELECT 'signed-in') JOIN someone""",
    """INSERT INTO person_group (id, name, created_at)
       VALUES ('one-in-ten', 'One in ten', :now), ('a-few', 'A few', :now)""",
    """INSERT INTO group_member (group_id, person_id)
       SELECT 'one-in-ten', id FROM someone WHERE n % 10 = 3""",
    """INSERT INTO group_member (group_id, person_id)
       SELECT 'a-few', id FROM someone WHERE n % (:count / 20) = 3""",
    # The same words as app.people.terms finds in such names and addresses.
    """INSERT INTO person_term (term, person_id)
       SELECT DISTINCT term, id FROM (
         SELECT lower(first) AS term, id FROM someone
         UNION ALL SELECT ascii, id FROM someone JOIN first_name ON first_name.name = first
         UNION ALL SELECT lower(last), id FROM someone
         UNION ALL SELECT CAST(n AS TEXT), id FROM someone
         UNION ALL SELECT local, id FROM someone
         UNION ALL SELECT domain, id FROM someone
         UNION ALL SELECT substr(local || '@' || domain, 1, 64), id FROM someone
       ) ORDER BY term, id""",
)


def seed(path: Path, count: int, *, now: int) -> None:
    """Make a new SQLite file with our tables and so many people."""
    names = _NAMES.split()
    values = {
        "count": count,
        "now": now,
        "step": 30 * SECOND,
        "families": max(1, count // _FAMILY),
        "names": len(names),
        "week": 7 * DAY,
        "day": DAY,
    }
    with sqlite3.connect(path, isolation_level=None) as connection:
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        tables = Base.metadata.sorted_tables
        for table in tables:
            connection.execute(str(CreateTable(table).compile(dialect=sqlite.dialect())))
        connection.execute("CREATE TEMP TABLE first_name (place INTEGER PRIMARY KEY, name, ascii)")
        rows = [(place, name, _plain(name)) for place, name in enumerate(names)]
        connection.executemany("INSERT INTO first_name VALUES (?, ?, ?)", rows)
        connection.execute(_SOMEONE, values)
        for statement in _ROWS:
            connection.execute(statement, values)
        # Built at the end, each index is written once and in order.
        for table in tables:
            for index in sorted(table.indexes, key=lambda each: str(each.name)):
                connection.execute(str(CreateIndex(index).compile(dialect=sqlite.dialect())))
    connection.close()


def _plain(name: str) -> str:
    return name.lower().translate(str.maketrans("ëü", "eu"))
