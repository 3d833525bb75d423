"""The forms of signing in and of adding an account."""

from __future__ import annotations

from typing import Final

from flask_babel import lazy_gettext as _
from wtforms import Form, IntegerField, PasswordField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange, ValidationError

from app.mailservers.address import AddressError, MailAddress, mailbox_name, normalise_domain, parse
from app.mailservers.check import MAX_PASSWORD_OCTETS

MAX_ADDRESS: Final = 320


class AddressForm(Form):  # type: ignore[misc]  # WTForms has no types
    """One field: the mail address."""

    address = StringField(
        _("Your mail address"),
        [InputRequired(_("Enter your mail address.")), Length(max=MAX_ADDRESS)],
    )

    parsed: MailAddress | None = None

    def validate_address(self, field: StringField) -> None:
        """Accept what can be a mail address, and keep it in its normal form."""
        try:
            self.parsed = parse(field.data)
        except AddressError:
            raise ValidationError(_("Enter a mail address like name@example.org.")) from None


class PasswordForm(Form):  # type: ignore[misc]  # WTForms has no types
    """One field: the mail password. It is never filled in again."""

    password = PasswordField(
        _("Password of your mail account"),
        [InputRequired(_("Enter your password.")), Length(max=MAX_PASSWORD_OCTETS)],
    )


class ServerForm(Form):  # type: ignore[misc]  # WTForms has no types
    """A mail server that the person names."""

    host = StringField(
        _("Mail server (IMAP)"),
        [InputRequired(_("Enter the name of the mail server.")), Length(max=253)],
    )
    port = IntegerField(
        _("Port"), [NumberRange(1, 65535, _("Enter a number from 1 to 65535."))], default=993
    )
    security = SelectField(
        _("Encryption"),
        choices=[SelectChoice("tls", "TLS (993)"), SelectChoice("starttls", "STARTTLS (143)")],
    )
    username = StringField(
        _("User name"), [InputRequired(_("Enter your user name.")), Length(max=MAX_ADDRESS)]
    )

    def validate_host(self, field: StringField) -> None:
        """Accept a host name."""
        try:
            field.data = normalise_domain(field.data)
        except AddressError:
            raise ValidationError(_("Enter a name like imap.example.org.")) from None

    def validate_username(self, field: StringField) -> None:
        """Keep one form of it; refuse what would be a second IMAP command, or is not seen."""
        try:
            field.data = mailbox_name(field.data)
        except AddressError:
            raise ValidationError(
                _("The user name is too long, or has an invisible character in it.")
            ) from None
