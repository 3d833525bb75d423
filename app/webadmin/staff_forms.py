"""The forms of staff: signing in, being somebody, looking after others."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from flask_babel import lazy_gettext as _
from wtforms import (
    Form,
    HiddenField,
    PasswordField,
    RadioField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from app.mailservers.address import AddressError, parse
from app.models import Reach
from app.staff.passwords import MAX_LENGTH
from app.staff.signing_in import MAX_LOGIN, normal_login
from app.webadmin.words import REACH_NAMES

LOGIN: Final = re.compile(r"[a-z0-9][a-z0-9._@+-]{1,98}[a-z0-9]")
MAX_REASON: Final = 200


class SignInForm(Form):  # type: ignore[misc]  # WTForms has no types
    """Who it is, and their password."""

    login = StringField(_("Login"), [InputRequired(_("Enter your login.")), Length(max=MAX_LOGIN)])
    password = PasswordField(
        _("Password"), [InputRequired(_("Enter your password.")), Length(max=4 * MAX_LENGTH)]
    )
    next = HiddenField()


class CodeForm(Form):  # type: ignore[misc]  # WTForms has no types
    """A code of an app, or a printed one."""

    code = StringField(_("Code"), [InputRequired(_("Enter a code.")), Length(max=100)])


class ConfirmForm(Form):  # type: ignore[misc]  # WTForms has no types
    """Password and code, once more."""

    password = PasswordField(
        _("Password"), [InputRequired(_("Enter your password.")), Length(max=4 * MAX_LENGTH)]
    )
    code = StringField(_("Code"), [InputRequired(_("Enter a code.")), Length(max=100)])
    next = HiddenField()


class LinkForm(Form):  # type: ignore[misc]  # WTForms has no types
    """The secret part of a one-time link; a script puts it in."""

    link = StringField(
        _("The part of the link after #"),
        [InputRequired(_("Copy it from the link that you were given.")), Length(max=100)],
    )


class PasskeyForm(Form):  # type: ignore[misc]  # WTForms has no types
    """What the browser made, and what its owner calls it."""

    answer = HiddenField(validators=[InputRequired(), Length(max=16 * 1024)])
    name = StringField(
        _("Name of this passkey"),
        [Length(max=100), Optional()],
        description=_("So that you know it again, such as “blue key” or “laptop”."),
    )


def plain_line(field: StringField) -> None:
    """Accept one line of text that can be seen, and keep it without spaces around it."""
    text = unicodedata.normalize("NFC", (field.data or "").strip())
    if any(unicodedata.category(letter) in {"Cc", "Cf", "Zl", "Zp", "Cs"} for letter in text):
        raise ValidationError(_("There is an invisible character in it."))
    field.data = text


class NameForm(Form):  # type: ignore[misc]  # WTForms has no types
    """What somebody is called."""

    name = StringField(_("Name"), [InputRequired(_("Enter a name.")), Length(max=100)])

    def validate_name(self, field: StringField) -> None:
        """Keep what can be seen."""
        plain_line(field)
        if not field.data:
            raise ValidationError(_("Enter a name."))


class LoginForm(NameForm):
    """Somebody new: a name and what they sign in with."""

    login = StringField(
        _("Login"),
        [InputRequired(_("Enter a login.")), Length(max=MAX_LOGIN)],
        description=_("Small letters, digits and . _ @ + - without spaces."),
    )

    def validate_login(self, field: StringField) -> None:
        """Keep it as it is compared."""
        field.data = normal_login(field.data)
        if not LOGIN.fullmatch(field.data):
            raise ValidationError(
                _("Use three or more small letters, digits or . _ @ + -, without spaces.")
            )


class NewPasswordForm(Form):  # type: ignore[misc]  # WTForms has no types
    """A new password, twice."""

    password = PasswordField(
        _("New password"),
        [InputRequired(_("Choose a password.")), Length(max=4 * MAX_LENGTH)],
        description=_(
            "At least 8 characters. Four or five words that have nothing to do with each other "
            "are easy to remember and hard to guess. A password manager may fill it in."
        ),
    )
    again = PasswordField(
        _("The same once more"),
        [InputRequired(_("Enter it once more.")), Length(max=4 * MAX_LENGTH)],
    )

    def validate_again(self, field: PasswordField) -> None:
        """Accept the same twice."""
        if field.data != self.password.data:
            raise ValidationError(_("These two are not the same."))


class WelcomeForm(NewPasswordForm, NameForm):
    """Who was invited: their name and a password."""


class FirstOwnerForm(NewPasswordForm, LoginForm):
    """Who comes first: a name, a login and a password."""


class PlaceForm(Form):  # type: ignore[misc]  # WTForms has no types
    """What somebody may do, and for whom."""

    role = RadioField(_("Role"), [InputRequired(_("Choose a role."))])
    reach = RadioField(
        _("Whom they may see and act on"),
        [InputRequired(_("Choose one."))],
        choices=[SelectChoice(reach.value, name) for reach, name in REACH_NAMES.items()],
        default=Reach.EVERYONE.value,
    )
    groups = SelectMultipleField(
        _("Groups"),
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        validate_choice=True,
    )

    def validate_groups(self, field: SelectMultipleField) -> None:
        """Accept at least one where the reach is groups."""
        if self.reach.data == Reach.GROUPS and not field.data:
            raise ValidationError(_("Choose at least one group."))


class AddressForm(Form):  # type: ignore[misc]  # WTForms has no types
    """The mail address of a colleague."""

    address = StringField(
        _("Mail address"),
        [Optional(), Length(max=320)],
        description=_(
            "May be left empty. Customer care cannot act on the person in the portal who has "
            "proven this address."
        ),
    )

    def validate_address(self, field: StringField) -> None:
        """Keep it in its normal form."""
        try:
            field.data = parse(field.data).text
        except AddressError:
            raise ValidationError(_("Enter a mail address like name@example.org.")) from None


class InviteForm(PlaceForm, AddressForm, LoginForm):
    """A new colleague."""


class MemberForm(AddressForm, NameForm):
    """What a colleague is called."""


class ReasonForm(Form):  # type: ignore[misc]  # WTForms has no types
    """Why something is done."""

    reason = TextAreaField(
        _("Reason"),
        [
            InputRequired(_("Say why.")),
            Length(3, MAX_REASON, _("Say it in 3 to 200 characters.")),
        ],
        description=_("It stands in the audit."),
    )

    def validate_reason(self, field: TextAreaField) -> None:
        """Keep one line."""
        field.data = " ".join((field.data or "").split())
        plain_line(field)


class GroupForm(NameForm):
    """What a group is called."""
