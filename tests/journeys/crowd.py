"""Many members on the quick: each a real patron with real payments and a session, over HTTP and without a browser."""

import re
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any, TypeVar

import html5lib
import requests

from tests.factories.checkout import GOOD_CARD, pay
from tests.journeys.demo import Demo, until

SIGN_IN_LINK = re.compile(r"/signin/link/[\w.-]+")
AT_A_TIME = 4
T = TypeVar("T")


class Mailbox:
    """Every mail that a demo sent, from its Maildir; each file is read once."""

    def __init__(self, demo: Demo) -> None:
        self._folder, self._read = demo.data / "mail" / "new", dict[str, EmailMessage]()

    def mails(self, to: str | None = None, subject: str = "") -> list[EmailMessage]:
        """Those to an address (or to anybody) whose subject begins so, oldest first."""
        for file in sorted(self._folder.iterdir()):
            if file.name not in self._read:
                parser = BytesParser(EmailMessage, policy=policy.default)
                self._read[file.name] = parser.parsebytes(file.read_bytes())
        return [
            mail
            for mail in list(self._read.values())
            if str(mail["Subject"]).startswith(subject) and (to is None or to in str(mail["To"]))
        ]

    def readers_of(self, subject: str) -> list[str]:
        """To whom a mail went, sorted; who got it twice stands there twice."""
        return sorted(str(mail["To"]) for mail in self.mails(subject=subject))


def text_of(mail: EmailMessage) -> str:
    """The plain text of a mail."""
    body = mail.get_body(("plain",))
    assert body is not None
    content: str = body.get_content()
    return content


class Member:
    """Somebody who uses the website over HTTP as a browser without JavaScript does: page, form, button."""

    def __init__(self, demo: Demo, email: str) -> None:
        self.demo, self.email, self.http = demo, email, requests.Session()
        self.receipt = ""

    def get(self, path: str) -> str:
        """A page that must be there."""
        answer = self.http.get(self.demo.site + path, timeout=60)
        assert answer.status_code == 200, (path, answer.status_code)
        return answer.text

    def send(self, path: str, action: str, **values: Any) -> requests.Response:
        """Fill in the form of the page at `path` that goes to `action`, and send it; what it leads to."""
        fields = fields_of(self.get(path), action) | values
        return self.http.post(self.demo.site + action, data=fields, timeout=60)

    def becomes_patron(self, card: str = GOOD_CARD, **wish: str) -> None:
        """Give a cup a month, or what is wished, up to the way back from the payment page."""
        fields = fields_of(self.get("/contribute"), "/contribute") | {"email": self.email} | wish
        url = f"{self.demo.site}/contribute"
        page = self.http.post(url, data=fields, timeout=60, allow_redirects=False).headers["Location"]
        back = pay(page, card, email=self.email).headers["Location"]
        assert self.http.get(back, timeout=60).status_code == 200

    def signs_in(self, mailbox: Mailbox) -> None:
        """By the mailed link."""
        n_before = len(mailbox.mails(self.email, "Sign in at"))
        self.send("/signin", "/signin", email=self.email)
        mails = until(
            lambda: mailbox.mails(self.email, "Sign in at")[n_before:], 60, f"the sign-in mail to {self.email}"
        )
        found = SIGN_IN_LINK.search(text_of(mails[0]))
        assert found is not None
        assert self.send(found.group(), found.group()).url == self.demo.site + "/account"

    def votes(self, poll: str, chosen: Iterable[int] = (), order: Iterable[int] = ()) -> None:
        """Save a ballot: ticks, or a ranking best first; blank where there is neither."""
        values: dict[str, Any] = {"choice": list(chosen)} if chosen else {"order": ",".join(map(str, order))}
        values = values if chosen or order else {"blank": "yes"}
        answer = self.send(f"/polls/{poll}", f"/polls/{poll}/ballot", **values)
        assert answer.url == f"{self.demo.site}/polls/{poll}/saved", answer.status_code
        found = re.search(r'receipt-box__code"><code>([^<]+)<', answer.text)
        assert found is not None
        self.receipt = found.group(1)


def fields_of(page: str, action: str) -> dict[str, str]:
    """What a form of a page would send as it stands: hidden fields, texts, what is ticked."""
    document = html5lib.parse(page, treebuilder="etree", namespaceHTMLElements=False)
    forms = [form for form in document.iter("form") if form.get("method") == "post"]
    form = next(form for form in forms if (form.get("action") or action).partition("?")[0] == action)
    return {
        field.get("name"): field.get("value", "")
        for field in form.iter("input")
        if field.get("name") and (field.get("type") not in {"radio", "checkbox"} or field.get("checked") is not None)
    }


def all_at_once(people: Iterable[T], do: Callable[[T], object]) -> None:
    """Let everybody do something, a few at a time; the first failure is raised."""
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        list(pool.map(do, people))
