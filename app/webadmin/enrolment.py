"""What setting up a sign-in takes, behind a one-time link and later on one's own page."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext
from markupsafe import Markup

from app.extensions import handfast
from app.staff import enrolling, passkeys, passwords, recovery, totp
from app.staff.passwords import WeakPasswordError
from app.webadmin.here import staff_here
from app.webadmin.staff_forms import NewPasswordForm, PasskeyForm
from app.webadmin.staff_words import WEAKNESSES


def password_is_good(form: NewPasswordForm, about: list[str]) -> bool:
    """Tell whether a password will do; where not, the form says why."""
    name = handfast().config.service_name
    try:
        passwords.check(form.password.data, [*about, name, "handfast"])
    except WeakPasswordError as weak:
        form.password.errors = [str(WEAKNESSES[weak.why])]
        return False
    return True


def keep_passkey(session: str, staff_id: str, form: PasskeyForm) -> bool:
    """Keep a passkey that a browser made; False when it is not one to our question."""
    database, answer = handfast().database, form.answer.data
    name = (form.name.data or "").strip() or gettext("Passkey")
    try:
        enrolling.keep_passkey(database, session, staff_id, answer, name, staff_here())
    except passkeys.PasskeyError:
        return False
    return True


def new_codes(staff_id: str) -> list[str]:
    """Make recovery codes in place of the earlier ones, to be shown this once."""
    surroundings = staff_here()
    codes = recovery.new_codes(surroundings)
    hashes = recovery.hashes_of(staff_id, codes, surroundings)
    with handfast().database.write() as database:
        enrolling.make_codes(database, staff_id, hashes, surroundings)
    return codes


def secret_shown(secret: bytes, login: str) -> dict[str, Any]:
    """Return what a page shows of a new secret: a picture, and the text in groups of four."""
    text = totp.as_text(secret)
    groups = " ".join(text[place : place + 4] for place in range(0, len(text), 4))
    picture = Markup(totp.picture(secret, login, staff_here()))  # noqa: S704  # nothing but squares
    return {"picture": picture, "secret": groups}


def wrong_code() -> str:
    """Say that the first code of an app was not right."""
    return str(
        gettext("This is not the code that the app shows now. Is the telephone's clock right?")
    )


def not_made() -> str:
    """Say that a passkey did not come about."""
    return str(gettext("No passkey was made. Try again, or use an authenticator app."))
