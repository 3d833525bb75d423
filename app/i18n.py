"""Which language a page speaks, and times and numbers as people say them.

English is the source and needs no catalogue. The others are in ``app/translations``;
``make i18n`` compiles them, and this starts a new one::

    pybabel extract -F app/translations/babel.cfg -k lazy_gettext -o messages.pot .
    pybabel init -i messages.pot -d app/translations -l fr
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from babel import Locale
from flask import Flask, request
from flask_babel import (
    Babel,
    format_datetime,
    format_decimal,
    format_timedelta,
    get_babel,
    get_locale,
    gettext,
)

from app.clock import SECOND, as_datetime
from app.extensions import handfast

SOURCE: Final = "en"
JUST_NOW: Final = 10 * SECOND


def install(portal: Flask) -> None:
    """Choose the language of each request and give templates the filters for times and numbers."""
    portal.config.setdefault("BABEL_DEFAULT_LOCALE", SOURCE)
    Babel(portal, locale_selector=_choose_locale)
    portal.jinja_env.filters["iso_time"] = iso_time
    portal.jinja_env.filters["exact_time"] = exact_time
    portal.jinja_env.filters["relative_time"] = relative_time
    portal.jinja_env.filters["number"] = format_decimal
    portal.context_processor(_page_language)


def iso_time(moment: int) -> str:
    """Return a moment for programs, to the second."""
    return as_datetime(moment).strftime("%Y-%m-%dT%H:%M:%SZ")


def exact_time(moment: int) -> str:
    """Return a moment with its day and zone, in the language of the page."""
    shown = format_datetime(as_datetime(moment), "d MMMM y HH:mm:ss")
    return str(gettext("%(moment)s UTC", moment=shown))


def relative_time(moment: int) -> str:
    """Return how far a moment is from now, as people say it."""
    away = moment - handfast().clock.now()
    if abs(away) < JUST_NOW:
        return str(gettext("just now"))
    delta = timedelta(microseconds=away)
    return str(format_timedelta(delta, granularity="second", threshold=1, add_direction=True))


def languages() -> list[tuple[str, str]]:
    """Return the code of each language that there is, and what its speakers call it."""
    return [(code, Locale.parse(code).get_display_name() or code) for code in _available()]


def _choose_locale() -> str:
    return request.accept_languages.best_match(_available(), SOURCE) or SOURCE


def _available() -> list[str]:
    found = {str(locale) for locale in get_babel().instance.list_translations()}
    return [SOURCE, *sorted(found - {SOURCE})]


def _page_language() -> dict[str, Any]:
    locale = get_locale() or Locale.parse(SOURCE)
    return {
        "page_locale": str(locale).replace("_", "-"),
        "page_direction": locale.text_direction,
        "page_language": locale.get_display_name(locale),
        # Browsers' clocks go wrong; this tells a page's script by how much.
        "page_time": iso_time(handfast().clock.now()),
    }
