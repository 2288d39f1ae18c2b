"""Logs: one JSON object per line on standard error, without personal data (security.md S35).

Everything passes here, structlog and the standard library's `logging` alike. Lines carry ids, route patterns,
codes and counts. As a second fence, whatever still looks like a mail address or a secret is masked before it is
written; control characters are escaped by JSON.
"""

import logging
import re
import secrets
import sys
import time
from collections.abc import MutableMapping
from datetime import datetime
from typing import Any, TextIO

import structlog
from flask import Flask, Response, g, request

from membership.config import Settings
from membership.web import metrics

# Bounded, so that a long line without any address costs no more than its length.
ADDRESS = re.compile(r"[^\s@<>'\"(),;:=]{1,64}@[^\s@<>'\"(),;:=]{1,255}")
KEY = re.compile(r"\b(?:[sr]k_(?:test|live)_|whsec_)\w+")
# As long as a sign-in token (43), and no name of an object at the provider, such as cs_test_….
SECRET = re.compile(r"(?<![\w-])(?![a-z]{2,6}_)[A-Za-z0-9_-]{40,}(?![\w-])")
CREDENTIALS = re.compile(r"(?<=://)[^/\s@]+@")
REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
DEEPEST = 4

access_log = structlog.get_logger("membership.access")


def configure(level: str) -> None:
    """Write the logs of this process as JSON lines to standard error; calling it again changes only the level."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.filter_by_level,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    if not any(isinstance(handler, _StandardError) for handler in root.handlers):
        handler = _StandardError()
        handler.setFormatter(_formatter())
        root.addHandler(handler)
    root.setLevel(level)
    # A line for every call, with the addresses of payment pages in it; "mail.log" is aiosmtpd's.
    for chatty in ("stripe", "alembic", "mail.log"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level]))


def _formatter() -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.contextvars.merge_contextvars, structlog.stdlib.ExtraAdder()],
        processors=[
            _name_line,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.format_exc_info,
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _mask,
            structlog.processors.JSONRenderer(sort_keys=True, ensure_ascii=True),
        ],
    )


class _StandardError(logging.StreamHandler[TextIO]):
    """Writes to what `sys.stderr` is at the moment, which tests and the demo replace."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr


def _name_line(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    record: logging.LogRecord = event["_record"]
    event["level"], event["logger"] = record.levelname.lower(), record.name
    event.pop("message", None)  # another handler may have left it on the record; `event` says the same
    return event


def _mask(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {name: masked(value) for name, value in event.items()}


def masked(value: Any, depth: int = 0) -> Any:
    """`value` without anything that looks like a mail address, a key or a token; other objects become their type.

    Strings inside lists and maps are masked too, down to four levels.
    """
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str):
        for pattern, word in ((CREDENTIALS, ""), (ADDRESS, "<address>"), (KEY, "<key>"), (SECRET, "<secret>")):
            value = pattern.sub(word, value)
        return value
    if depth < DEEPEST and isinstance(value, dict):
        return {masked(str(name)): masked(inner, depth + 1) for name, inner in value.items()}
    if depth < DEEPEST and isinstance(value, list | tuple | set | frozenset):
        return [masked(inner, depth + 1) for inner in value]
    return masked(str(value)) if isinstance(value, Exception) else f"<{type(value).__name__}>"


def install(app: Flask, settings: Settings) -> None:
    """Configure this process's logs and write one line per request of `app`. Install it before other rooms."""
    configure(settings.log_level)
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    g.began = time.perf_counter()
    asked = request.headers.get("X-Request-Id", "")
    g.request_id = asked if REQUEST_ID.fullmatch(asked) else secrets.token_hex(8)
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _end(answer: Response) -> Response:
    seconds = time.perf_counter() - g.get("began", time.perf_counter())
    route = request.url_rule.rule if request.url_rule is not None else "(none)"
    method = request.method if request.method in metrics.METHODS else "OTHER"
    metrics.count_request(method, route, answer.status_code, seconds)
    access_log.info(
        "request", method=method, route=route, status=answer.status_code, milliseconds=round(seconds * 1000, 1)
    )
    answer.headers["X-Request-Id"] = g.get("request_id", "")
    return answer
