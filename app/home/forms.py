"""The form that a code from a mail is typed into."""

from __future__ import annotations

from typing import Final

from flask_babel import lazy_gettext as _
from wtforms import Form, StringField
from wtforms.validators import InputRequired, Length

# Spaces and hyphens between the letters come along.
MOST_TYPED: Final = 32


class CodeForm(Form):  # type: ignore[misc]  # WTForms has no types
    """One field: the code."""

    code = StringField(
        _("Code from the mail"),
        [InputRequired(_("Enter the code from the mail.")), Length(max=MOST_TYPED)],
    )
