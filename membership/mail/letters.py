"""Writes mails: from a kind and its context to subject, text and HTML, and from those to a message."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from email import policy
from email.headerregistry import Address, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.utils import format_datetime, formataddr, parseaddr
from functools import lru_cache
from urllib.parse import urlsplit

import css_inline
from flask import render_template
from flask_babel import force_locale
from flask_babel import gettext as _
from markupsafe import escape

from membership.kernel import clock
from membership.mail.catalogue import CatalogueEntry, Context
from membership.mail.models import OutboxMail
from membership.newsroom.queries import colours_drawn, newsroom
from membership.newsroom.rules.faults import Tokens
from membership.resources import resource_dir
from membership.web import settings
from membership.web.i18n import DEFAULT, spoken
from membership.web.links import absolute

LONGEST_SUBJECT = 150
DARK = "@media (prefers-color-scheme: dark)"


class _OneLine(UnstructuredHeader):
    """A header that is never folded: an address longer than a line would be written as an encoded word, which
    no mail program reads as an address. Lines of up to 998 characters are allowed (RFC 5322, 2.1.1).
    """

    def fold(self, *, policy: policy.Policy) -> str:
        """The header as one line."""
        return f"{self.name}: {self}{policy.linesep}"  # type: ignore[attr-defined]


_headers = HeaderRegistry()
_headers.map_to_type("list-unsubscribe", _OneLine)  # type: ignore[arg-type]  # typeshed misses that kinds are mixins
# Seven-bit mails pass every server, whatever it offers.
POLICY = policy.SMTP.clone(cte_type="7bit", header_factory=_headers)


@dataclass(frozen=True, slots=True)
class Letter:
    """What the reader gets: one line of subject, the plain text, and the HTML with its styles inside.

    `stop_url` stops mails about this one thing; None for mails that cannot be stopped, such as a receipt. `locale`
    is the language that it is written in.
    """

    subject: str
    text: str
    html: str
    stop_url: str | None = None
    locale: str = DEFAULT


def write(entry: CatalogueEntry, context: Context, locale: str) -> Letter:
    """Write a mail in `locale`, or in the newsroom's default language where it does not offer that one any more.

    Templates that are missing or broken raise what Jinja raises.
    """
    locale = spoken(locale)
    ours = newsroom()
    with force_locale(locale):
        values: Context = {
            "newsroom_name": ours.name,
            "contact": ours.contact,
            "site_url": settings().public_url,
            "locale": locale,
            "link_to": absolute,
            **context,
        }
        if "stop_url" in context:  # its page speaks the language of the mail
            values["stop_url"] = f"{context['stop_url']}?lang={locale}"
        values["subject"] = _one_line(render_template(entry.template("subject.txt"), **values))
        text = render_template(entry.template("body.txt"), **values)
        html = render_template(entry.template("body.html"), **values)
    text = re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
    return Letter(values["subject"], text, _inliner(_styles()).inline(html), values.get("stop_url"), locale)


def as_test(letter: Letter, locale: str) -> Letter:
    """The same letter, marked as a test in its subject and at its beginning; nothing can be stopped by it."""
    with force_locale(locale):
        mark = str(_("Test"))
        words = str(_("This is a test, sent from the desk: nothing in it is true, and its links lead nowhere."))
    banner = (
        f'<p style="border:2px solid;margin:0;padding:12px 16px;text-align:center"><strong>{escape(words)}</strong></p>'
    )
    html = re.sub(r"(<body[^>]*>)", lambda body: body[1] + banner, letter.html, count=1)
    subject = _one_line(f"[{mark}] {letter.subject}")
    return Letter(subject, f"*** {words} ***\n\n{letter.text}", html)


def make_message(letter: Letter, row: OutboxMail) -> EmailMessage:
    """The message that leaves. ValueError for an address or a header that could smuggle in another one."""
    message = EmailMessage(policy=POLICY)
    message["From"] = sender()
    message["To"] = Address(addr_spec=row.to_address or "")
    message["Subject"] = letter.subject
    contact = newsroom().contact
    if contact and contact != sender_address():
        message["Reply-To"] = Address(addr_spec=contact)
    message["Date"] = format_datetime(clock.real_now())
    message["Message-ID"] = message_id(row)
    message["Auto-Submitted"] = "auto-generated"
    if letter.stop_url:
        message["List-Unsubscribe"] = f"<{letter.stop_url}>"
        if letter.stop_url.startswith("https:"):  # RFC 8058 allows the one click over nothing else
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(letter.text)
    message.add_alternative(letter.html, subtype="html")
    message["Content-Language"] = letter.locale  # after the parts, which take earlier Content-… headers along
    return message


def message_id(row: OutboxMail) -> str:
    """The same for every attempt at one row, so that a second copy can be recognised as one."""
    host = urlsplit(settings().public_url).hostname or "localhost"
    moment = int(row.created_at.timestamp() * 1_000_000)
    return f"<mail.{row.id}.{moment:x}@{host if ':' not in host else 'localhost'}>"


def sender() -> str:
    """Whom a mail is from: MAIL_FROM, under the name that the newsroom has now where the environment says its name."""
    known = settings()
    name, address = parseaddr(known.mail_from)
    return formataddr((newsroom().name, address)) if name == known.newsroom_name else known.mail_from


def sender_address() -> str:
    """The bare address of MAIL_FROM, for the envelope."""
    return parseaddr(settings().mail_from)[1]


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return "".join(sign for sign in line if unicodedata.category(sign) != "Cc")[:LONGEST_SUBJECT]


def _styles() -> str:
    """The look of mails in the newsroom's colours as they are now."""
    style = (resource_dir("templates") / "emails" / "style.css").read_text(encoding="utf-8")
    return with_colours(style, colours_drawn())


@lru_cache(maxsize=4)
def _inliner(styles: str) -> css_inline.CSSInliner:
    return css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False, extra_css=styles)


def with_colours(style: str, colours: Tokens) -> str:
    """`style` with every `var(--name)` as one of `colours`: mail programs know no variables. KeyError for an unknown
    name.
    """
    light, _, dark = style.partition(DARK)
    parts = [_fill(light, colours.light), _fill(dark, colours.dark)]
    return DARK.join(parts) if dark else parts[0]


def _fill(style: str, colours: Mapping[str, str]) -> str:
    return re.sub(r"var\(--([a-z0-9-]+)\)", lambda found: colours[found.group(1)], style)
