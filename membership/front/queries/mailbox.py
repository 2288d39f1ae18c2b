"""Reads the demo's mailbox: the Maildir that the demo's SMTP server fills."""

import mailbox
import re
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import parsedate_to_datetime
from pathlib import Path

from membership.kernel.errors import NotFound

MOST_SHOWN = 200
URL = re.compile(r"https?://[^\s<>\"')\]]+")
TRAILING = ".,;:!?"
NAMED = re.compile(r"(\d+)\.M(\d+)P\d+Q(\d+)\.")


@dataclass(frozen=True, slots=True)
class MailLine:
    """One mail in the list. `sent_at` is None where its Date header cannot be read."""

    key: str
    to: str
    subject: str
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of plain text; `url` is set where it is an address that may be followed."""

    text: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class OpenedMail:
    """One mail: its line, its sender, its text in pieces, and its HTML ("" where it has none)."""

    line: MailLine
    sender: str
    pieces: tuple[Piece, ...]
    html: str


def list_mails(maildir: Path) -> list[MailLine]:
    """The newest 200 mails, newest first; empty while nothing came and where there is no mailbox."""
    box = _open(maildir)
    if box is None:
        return []
    newest = sorted(box.keys(), key=_moment, reverse=True)[:MOST_SHOWN]
    return [_line(key, _parse(box.get_bytes(key))) for key in newest]


def get_mail(maildir: Path, key: str, own_url: str) -> OpenedMail:
    """One mail by its key; NotFound where there is none. Addresses under `own_url` in its text can be followed."""
    box = _open(maildir)
    if box is None or key not in box.keys():  # noqa: SIM118 - `in box` would look for a file of that name
        raise NotFound("mail_unknown", "There is no such mail in the mailbox.")
    message = _parse(box.get_bytes(key))
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    return OpenedMail(
        line=_line(key, message),
        sender=str(message["From"] or ""),
        pieces=split_links(text.get_content() if text else "", own_url),
        html=html.get_content() if html else "",
    )


def split_links(text: str, own_url: str) -> tuple[Piece, ...]:
    """`text` cut into pieces, so that addresses of our own site, and no others, become links."""
    pieces, end = [], 0
    for found in URL.finditer(text):
        url = found.group().rstrip(TRAILING)
        if not (url + "/").startswith(own_url + "/"):
            continue
        pieces += [Piece(text[end : found.start()]), Piece(url, url)]
        end = found.start() + len(url)
    return (*pieces, Piece(text[end:]))


def _open(maildir: Path) -> mailbox.Maildir | None:
    return mailbox.Maildir(maildir, create=False) if (maildir / "new").is_dir() else None


def _moment(key: str) -> tuple[int, ...]:
    """When the stdlib named this file: seconds, microseconds, and a count per process."""
    named = NAMED.match(key)
    return tuple(int(number) for number in named.groups()) if named else (0,)


def _parse(raw: bytes) -> EmailMessage:
    return BytesParser(EmailMessage, policy=policy.default).parsebytes(raw)


def _line(key: str, message: EmailMessage) -> MailLine:
    try:
        sent_at = parsedate_to_datetime(str(message["Date"]))
    except ValueError:
        sent_at = None
    return MailLine(key, str(message["To"] or ""), str(message["Subject"] or "").strip(), sent_at)
