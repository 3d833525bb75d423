"""What a page says about a typed code: one sentence for each stage, with what to do next."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext, ngettext

from app.activation.code_status import CodeStage, CodeStatus
from app.clock import SECOND
from app.exchange.statements import MAX_ATTEMPTS


def status_json(status: CodeStatus, now: int) -> dict[str, Any]:
    """Return what the page's script asks for: plain text, and how many seconds are left."""
    return {
        "stage": status.stage.value,
        "text": told(status),
        "tries": tries(status),
        "left": max(0, (status.expires_at - now) // SECOND),
        "over": status.is_over,
    }


def told(status: CodeStatus) -> str:
    """Return the sentence for how a code stands."""
    if status.stage is CodeStage.USED:
        return str(gettext("Used by the device “%(device)s”.", device=status.device or "?"))
    sentences: dict[CodeStage, str] = {
        CodeStage.OPEN: gettext("Waiting for somebody to type it."),
        CodeStage.TRYING: gettext("A device has begun; this may take some seconds."),
        CodeStage.USED_UP: gettext("It was tried five times and is used up. Make a new one."),
        CodeStage.EXPIRED: gettext("Its ten minutes are over. Make a new one."),
        CodeStage.REPLACED: gettext("A newer code has taken its place."),
        CodeStage.ENDED: gettext("It was ended."),
    }
    return sentences[status.stage]


def tries(status: CodeStatus) -> str:
    """Return how often devices tried it, empty while nobody did."""
    if not status.tries:
        return ""
    used: str = ngettext(
        "%(num)s of %(most)s tries used.",
        "%(num)s of %(most)s tries used.",
        status.tries,
        most=MAX_ATTEMPTS,
    )
    return used
