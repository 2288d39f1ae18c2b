"""A reader who does what people do when a page does not come: look again, press again, ask again."""

import html
import re
from urllib.parse import urljoin

import requests

from tests.factories.checkout import pay

PAGE_SECONDS = 10


class Reader:
    """One person in one browser, on the way from the ask to the account."""

    def __init__(self, house, name: str) -> None:
        self.house = house
        self.email = f"{name}@example.org"
        self.browser = requests.Session()

    # What a browser does

    def ask(self, method: str, path: str, **fields) -> requests.Response | None:
        """One request; None where no answer came. No page of ours may take longer than ten seconds."""
        url = urljoin(self.house.url, path)
        try:
            answer = self.browser.request(method, url, timeout=PAGE_SECONDS, allow_redirects=False, **fields)
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
            return None
        assert answer.status_code != 500, f"{method} {path}: {answer.text[:300]}"
        return answer

    def keep_trying(self, what: str, step, seconds: float = 40):
        """Do `step` until it gives something, starting again what has died meanwhile."""
        return self.house.wait_for(what, step, seconds)

    def load(self, path: str) -> requests.Response:
        """A page; reloaded until it comes."""

        def look():
            answer = self.ask("GET", path)
            return answer if answer is not None and answer.status_code == 200 else None

        return self.keep_trying(path, look)

    def form(self, path: str) -> dict[str, str]:
        """The hidden fields of a page's form."""
        inputs = [
            dict(re.findall(r'(\w+)="([^"]*)"', tag)) for tag in re.findall(r"<input [^>]*>", self.load(path).text)
        ]
        return {tag["name"]: html.unescape(tag["value"]) for tag in inputs if tag.get("type") == "hidden"}

    # The way

    def choose(self, cups: int, rhythm: str) -> str:
        """Fill in the form and press; again with the very same form where no payment page came; its address."""
        choice = {"email": self.email, "rhythm": rhythm, "cups": str(cups)}
        fields = self.form("/contribute") | choice

        def press():
            nonlocal fields
            answer = self.ask("POST", "/contribute", data=fields)
            if answer is not None and answer.status_code == 303:
                return answer.headers["Location"]
            if answer is not None:
                assert answer.status_code == 503, f"{answer.status_code}: {answer.text[:300]}"
                fields = self.form("/contribute") | choice
            return None

        return self.keep_trying("the payment page", press)

    def pay(self, page_url: str) -> str:
        """Pay at the provider's page; the address to which it leads back."""
        answer = pay(page_url, email=self.email)
        assert answer.status_code in {302, 303}, answer.text[:300]
        return answer.headers["Location"]

    def wait_for_thanks(self, thanks_url: str) -> None:
        """Look at the thanks page until it thanks."""

        def look():
            answer = self.ask("GET", thanks_url)
            return answer is not None and 'data-state="confirmed"' in answer.text

        self.keep_trying("thanks", look)

    # Mails

    def mails(self, kind: str) -> list:
        """Mails of `kind` that came to this reader, oldest first, copies included."""
        rows = self.house.rows("SELECT message_id, id FROM outbox_mails WHERE kind = :kind AND to_address = :to",
                               kind=kind, to=self.email)  # fmt: skip
        ids = tuple(f"<mail.{row_id}." for _, row_id in rows)
        return [mail for mail in self.letters() if mail["Message-ID"].startswith(ids)] if ids else []

    def letters(self) -> list:
        return [mail for to, mail in self.house.mails.letters() if to == self.email]

    # Signing in

    def ask_for_mail(self) -> str:
        """Ask for a sign-in mail until one has come; its text."""

        def press():
            n_before = len(self.mails("accounts/sign_in"))
            fields = self.form("/signin") | {"email": self.email}
            answer = self.ask("POST", "/signin", data=fields)
            if answer is None:
                return None
            assert answer.status_code == 303, answer.text[:300]
            return self.keep_trying("a sign-in mail", lambda: self.mails("accounts/sign_in")[n_before:])

        newest = self.keep_trying("a page that sends the mail", press)[-1]
        return newest.get_body(("plain",)).get_content()

    def sign_in(self, how: str) -> None:
        """Sign in by the code or the link of a mail; ask for another mail where that does not work."""

        def once():
            text = self.ask_for_mail()
            if how == "code":
                path = "/signin/sent"
                typed = {"code": re.search(r"code there: ([\d ]+)", text).group(1)}
            else:
                path, typed = re.search(r"(/signin/link/\S+)", text).group(1), {}
            answer = self.ask("POST", path, data=self.form(path) | typed)
            return answer is not None and answer.status_code == 303 and answer.headers["Location"].endswith("/account")

        self.keep_trying(f"being signed in by {how}", once)

    def sign_out(self) -> None:
        """Press "sign out" until the account asks to sign in."""

        def once():
            answer = self.ask("GET", "/account")
            if answer is None:
                return False
            if answer.status_code == 303:
                return True
            token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', answer.text).group(1)
            self.ask("POST", "/signout", data={"csrf_token": token})
            return False

        self.keep_trying("being signed out", once)
