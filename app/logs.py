"""JSON logs on standard error: one object a line, with the request's id, secrets redacted."""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback
from collections.abc import Mapping
from typing import Any, Final

from flask import Flask, g, has_request_context, request
from werkzeug.wrappers import Response

from protocol.encoding import b64u

# The parent of every module's logger, so that all of them speak JSON.
LOGGER: Final = "app"
REDACTED: Final = "[redacted]"
SECRET_WORDS: Final = ("password", "secret", "token", "credential", "cookie", "csrf", "prs")
HEADER: Final = "X-Request-Id"

log = logging.getLogger(LOGGER)


class JsonFormatter(logging.Formatter):
    """Turns a record into one line; exceptions show where, never with which values."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one JSON object."""
        line: dict[str, Any] = {
            "at": round(record.created, 6),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "request": request_id(),
            **redact(getattr(record, "facts", {})),
        }
        if record.exc_info and record.exc_info[1] is not None:
            # The text of an exception may quote its input, so only its type is told.
            line["error"] = type(record.exc_info[1]).__qualname__
            line["where"] = [
                f"{frame.filename}:{frame.lineno} {frame.name}"
                for frame in traceback.extract_tb(record.exc_info[2])[-12:]
            ]
        return json.dumps(line, ensure_ascii=True, default=str)


def install(portal: Flask, entropy: Any) -> None:
    """Give every request an id and a line."""
    prepare()

    def begin() -> None:
        g.request_id = b64u(entropy(9))
        g.began = time.monotonic()

    def finish(response: Response) -> Response:
        response.headers[HEADER] = request_id()
        began = g.get("began")
        event(
            "request",
            method=request.method,
            # The rule and not the path: paths name people's things.
            rule=request.url_rule.rule if request.url_rule else None,
            status=response.status_code,
            ms=None if began is None else round((time.monotonic() - began) * 1000, 1),
        )
        return response

    portal.before_request(begin)
    portal.after_request(finish)


def prepare() -> None:
    """Let our loggers write to standard error, one JSON object a line."""
    if any(isinstance(one.formatter, JsonFormatter) for one in log.handlers):
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False


def event(name: str, level: int = logging.INFO, **facts: Any) -> None:
    """Log one event with its facts."""
    log.log(level, name, extra={"facts": facts})


def request_id() -> str:
    """Return the id of this request, as on its error page; empty outside of requests."""
    return str(g.get("request_id", "")) if has_request_context() else ""


def redact(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Replace what a name gives away as a secret, at every depth."""
    return {
        name: REDACTED
        if any(word in name.lower() for word in SECRET_WORDS)
        else redact(value)
        if isinstance(value, Mapping)
        else value
        for name, value in facts.items()
    }
