"""A portal's process in which somebody signs in: run as a program, so that it can be killed."""

import os
import sys

from app.accounts import proof, services, sessions
from app.clock import DAY, SystemClock
from app.database import Database

CLIENT = sessions.Client("192.0.2.7", "Firefox")


def main(database_url: str, check_id: str, session_id: str) -> None:
    """Finish a sign-in whose credential the mail server has accepted."""
    here = proof.Here(SystemClock().now(), 0, os.urandom)
    database = Database(database_url)
    made = services.sign_in(database, check_id, session_id, CLIENT, here, lifetime=DAY)
    sys.stdout.write(f"{made.person_id}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
