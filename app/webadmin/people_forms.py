"""The forms of acts on people; each asks why."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import (
    BooleanField,
    Form,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, ValidationError

from app.mailservers.address import AddressError, parse
from app.models import ServiceName
from app.provisioning.acts import LONGEST_NAME, LONGEST_REASON, SHORTEST_REASON, is_plain
from app.words_for_people import SERVICE_NAMES

SERVICES = [SelectChoice(service.value, label) for service, label in SERVICE_NAMES.items()]


def _as_shown(field: StringField) -> None:
    """Accept one line in its own direction, without blanks around it."""
    field.data = (field.data or "").strip()
    if not is_plain(field.data):
        raise ValidationError(_("There is a character in it that cannot be shown."))


def _reason() -> Any:
    """Return the field that every form ends with."""
    return StringField(
        _("Reason"),
        [
            InputRequired(_("Say why.")),
            Length(SHORTEST_REASON, LONGEST_REASON, _("Say it in 3 to 200 characters.")),
        ],
        description=_("The person reads it in their history, and it stays in the audit."),
        render_kw={"autocomplete": "off", "maxlength": LONGEST_REASON},
    )


class ActForm(Form):  # type: ignore[misc]  # WTForms has no types
    """Every act on somebody's behalf asks why."""

    def validate_reason(self, field: StringField) -> None:
        """Keep what can be shown as it is."""
        _as_shown(field)
        if len(field.data) < SHORTEST_REASON:
            raise ValidationError(_("Say it in 3 to 200 characters."))


class ReasonForm(ActForm):
    """Why, and nothing else."""

    reason = _reason()


class RenameForm(ActForm):
    """What a person is called."""

    name = StringField(
        _("Name"),
        [Length(max=LONGEST_NAME)],
        description=_("Empty to call them by their mail address."),
        render_kw={"autocomplete": "off", "maxlength": LONGEST_NAME},
    )
    reason = _reason()

    def validate_name(self, field: StringField) -> None:
        """Keep what can be shown as it is."""
        _as_shown(field)


class GroupsForm(ActForm):
    """Which groups a person is in."""

    groups = SelectMultipleField(_("Groups"))
    reason = _reason()


class ServicesForm(ActForm):
    """Which services."""

    services = SelectMultipleField(
        _("Services"), [InputRequired(_("Choose at least one service."))], choices=SERVICES
    )
    reason = _reason()


class ActivationForm(ActForm):
    """What is to wait for a device."""

    account = RadioField(_("Mail account"), [InputRequired(_("Choose a mail account."))])
    services = SelectMultipleField(
        _("Services"), [InputRequired(_("Choose at least one service."))], choices=SERVICES
    )
    reason = _reason()


class AddressForm(ActForm):
    """The new address of somebody."""

    address = StringField(
        _("New mail address"),
        [InputRequired(_("Enter a mail address like name@example.org.")), Length(max=320)],
        render_kw={"autocomplete": "off", "spellcheck": "false", "inputmode": "email"},
    )
    keep_old = BooleanField(_("They keep the old address, too"))
    reason = _reason()

    def validate_address(self, field: StringField) -> None:
        """Keep it in its normal form."""
        try:
            field.data = parse(field.data or "").text
        except AddressError:
            raise ValidationError(_("Enter a mail address like name@example.org.")) from None


class InviteForm(ActForm):
    """Somebody whose device is elsewhere."""

    address = StringField(
        _("Mail address"),
        [InputRequired(_("Enter a mail address like name@example.org.")), Length(max=320)],
        render_kw={"autocomplete": "off", "spellcheck": "false", "inputmode": "email"},
    )
    name = StringField(
        _("Name"),
        [Length(max=LONGEST_NAME)],
        description=_("As you call them; it may be left empty."),
        render_kw={"autocomplete": "off", "maxlength": LONGEST_NAME},
    )
    services = SelectMultipleField(
        _("Services"),
        [InputRequired(_("Choose at least one service."))],
        choices=SERVICES,
        default=[service.value for service in ServiceName],
    )
    groups = SelectMultipleField(_("Groups"))
    language = SelectField(_("Language of mail to them"), default="")
    reason = _reason()

    validate_address = AddressForm.validate_address
    validate_name = RenameForm.validate_name
