"""The forms of lists of people, and of tokens."""

from __future__ import annotations

from typing import Final

from flask_babel import lazy_gettext as _
from wtforms import (
    FileField,
    Form,
    IntegerField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from app.bulk.services import MOST_STOCK
from app.provisioning.acts import LONGEST_REASON, SHORTEST_REASON, ReasonError, usable_reason
from app.tokens.services import MOST_DAYS
from app.webadmin.staff_forms import NameForm

USUAL_DAYS: Final = 90


def usable(field: StringField) -> None:
    """Accept a reason as services do."""
    try:
        field.data = usable_reason(field.data or "")
    except ReasonError:
        raise ValidationError(
            _(
                "Give a reason of %(least)s to %(most)s letters on one line.",
                least=SHORTEST_REASON,
                most=LONGEST_REASON,
            )
        ) from None


class ListForm(Form):  # type: ignore[misc]  # WTForms has no types
    """A list of people, from a file or pasted."""

    file = FileField(_("File"), description=_("CSV in UTF-8 with up to 100,000 lines and 32 MiB."))
    pasted = TextAreaField(
        _("Or paste the list here"),
        [Optional(), Length(max=1024 * 1024)],
        description=_("What you copy from a spreadsheet is understood, too."),
    )
    stock = IntegerField(
        _("Passwords to make ahead for each service"),
        [NumberRange(0, MOST_STOCK, _("Enter a number from 0 to 5."))],
        default=0,
        description=_(
            "They wait for 90 days, sealed, and spare time when very many people activate their "
            "devices on one day. 0 is right for almost every list."
        ),
    )
    reason = StringField(
        _("Reason"),
        [InputRequired(_("Say why. The people on the list read it."))],
        description=_("Everybody on the list reads it, in the mail to them and in their history."),
    )

    def validate_reason(self, field: StringField) -> None:
        """Accept what people can read."""
        usable(field)


class ExportForm(Form):  # type: ignore[misc]  # WTForms has no types
    """Why people are exported."""

    reason = StringField(
        _("Reason"),
        [InputRequired(_("Say why."))],
        description=_("It is kept in the audit, with how many people were exported."),
    )

    def validate_reason(self, field: StringField) -> None:
        """Accept what can be read."""
        usable(field)


class TokenForm(NameForm):
    """A new token."""

    name = StringField(
        _("Name"),
        [InputRequired(_("Enter a name.")), Length(max=100)],
        description=_("Which program uses it, so that you know whose it is when you end it."),
    )
    scopes = SelectMultipleField(
        _("What it may do"),
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    days = IntegerField(
        _("For how many days"),
        [
            InputRequired(_("Enter a number of days.")),
            NumberRange(1, MOST_DAYS, _("Enter a number from 1 to 365.")),
        ],
        default=USUAL_DAYS,
    )

    def validate_scopes(self, field: SelectMultipleField) -> None:
        """Ask for one of them; a validator of WTForms would have browsers ask for all."""
        if not field.data:
            raise ValidationError(_("Choose at least one."))
