"""One person with a browser: what they can do, in their own words. Every page that they come to is inspected."""

import re
from html import unescape
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Request, Response, expect

from tests.journeys.demo import Demo, until
from tests.journeys.inspection import faults_of

GOOD_CARD = "4242 4242 4242 4242"
DECLINED_CARD = "4000 0000 0000 0002"
FAILS_LATER_CARD = "4000 0000 0000 0341"
OTHER_CARD = "5555 5555 5555 4444"
DISPUTED_CARD = "4000 0000 0000 0259"

# How the subjects of our mails begin, by language.
SUBJECTS = {
    "en": {
        "sign_in": "Sign in at",
        "welcome": "Thank you:",
        "receipt": "Receipt",
        "failed": "Your payment of",
        "recovered": "All is well:",
        "lapsed": "Your support of",
        "debit": "Your bank payment of",
        "gift": "Olena gives you",
        "bought": "Your gift of a membership",
        "redeemed": "Your gift was redeemed",
    },
    "uk": {"sign_in": "Вхід", "welcome": "Дякуємо:", "receipt": "Квитанція"},
}
MAIL_ROW = re.compile(r'<tr>(?:(?!<tr>).)*?<a href="(/demo/mail/[^"]+)">(.*?)</a>(.*?)</tr>', re.DOTALL)
CODE = re.compile(r"\b(\d{4}) ?(\d{4})\b")


class Reader:
    """A person in a browser of their own; `language` is "en" or "uk"."""

    def __init__(self, context: BrowserContext, demo: Demo, language: str, *, has_scripts: bool = True) -> None:
        self.context, self.demo, self.language, self.has_scripts = context, demo, language, has_scripts
        self.paper = ""  # the newsroom's own site, where they read articles: its pages may ask us as well
        self.troubles: list[str] = []
        self.arrived_with = 0
        self._arrived: Response | None = None
        self._refused: set[str] = set()
        self.page: Page = context.new_page()
        self.page.on("console", self._hear_console)
        self.page.on("pageerror", lambda error: self.troubles.append(f"script error: {error}"))
        self.page.on("request", self._hear_request)
        self.page.on("response", self._hear_response)

    def another_tab(self) -> "Reader":
        """The same person in a second tab of the same browser."""
        other = Reader(self.context, self.demo, self.language, has_scripts=self.has_scripts)
        other.troubles = self.troubles
        return other

    # --- going somewhere ----------------------------------------------------------------------------------------

    def open(self, path: str) -> Response | None:
        """Type an address."""
        answer = self.page.goto(path if path.startswith("http") else self.demo.site + path)
        self.look()
        return answer

    def press(self, what: Locator | str) -> None:
        """Press what leads to another page, and look at that."""
        where = self.page.locator(what) if isinstance(what, str) else what
        with self.page.expect_navigation():
            where.click()
        self.look()

    def look(self) -> None:
        """Inspect the page that came last, if it was not looked at yet."""
        self.page.wait_for_load_state()
        arrived, self._arrived = self._arrived, None
        if arrived is None or "text/html" not in arrived.headers.get("content-type", ""):
            return
        faults = faults_of(arrived.text(), arrived.headers)
        assert faults == [], (arrived.url, faults)
        assert self.troubles == [], arrived.url
        if arrived.url.startswith(self.demo.site):
            assert self.page.locator("html").get_attribute("lang") == self.language

    def says(self, *words: str) -> None:
        """The page says all of these."""
        for word in words:
            expect(self.page.locator("main")).to_contain_text(word)

    @property
    def heading(self) -> str:
        """The first heading of the page."""
        return self.page.locator("h1").inner_text()

    # --- giving -------------------------------------------------------------------------------------------------

    def fill(
        self,
        email: str | None = None,
        rhythm: str | None = None,
        cups: int | str | None = None,
        amount: str | None = None,
    ) -> None:
        """Fill in the form of /contribute; what is not named stays as it is."""
        if rhythm:
            self._choose("rhythm", rhythm)
        if amount is not None:
            self._choose("cups", "own")
            self.page.fill("#amount", amount)
        elif cups:
            self._choose("cups", str(cups))
        if email is not None:
            self.page.fill("#email", email)

    def add(self, *, fees: bool = False, name: str | None = None) -> None:
        """Fill in what stands behind "Cover the card fee, add a name"."""
        if not self.page.locator("details.more").evaluate("details => details.open"):
            self.page.click("details.more summary")
        if fees:
            self.page.check("#covers_fees")
        if name is not None:
            self.page.fill("#public_name", name)

    def _choose(self, field: str, value: str) -> None:
        option = self.page.locator(f"input[name={field}][value='{value}']")
        self.page.click(f"label[for='{option.get_attribute('id')}']")
        expect(option).to_be_checked()

    @property
    def button(self) -> Locator:
        """The button of the form of /contribute."""
        return self.page.locator("form.give button[type=submit]")

    def give(self, email: str, **wish: Any) -> None:
        """From /contribute to the payment page."""
        self.fill(email, **wish)
        self.press(self.button)
        assert "/c/pay/" in self.page.url, self.page.locator("main").inner_text()

    def pay(self, card: str = GOOD_CARD) -> None:
        """Fill in the payment page and press its button."""
        self.page.fill("#cardNumber", card)
        self.page.fill("#cardExpiry", "12 / 34")
        self.page.fill("#cardCvc", "123")
        self.press("button[type=submit]")

    def is_thanked(self) -> str:
        """Wait until the thanks page says that the money arrived; our reference, as it stands there.

        At that moment the money is in the sandbox's books: thanks are never said before.
        """
        expect(self.page.locator("[data-state=confirmed]")).to_be_visible()
        self.look()
        reference = re.search(r"con_\w+", self.page.locator("main").inner_text())
        assert reference is not None
        assert self.demo.payments(reference.group()) != []
        return reference.group()

    def becomes_patron(self, email: str, card: str = GOOD_CARD, **wish: Any) -> str:
        """The whole way on the quick; our reference."""
        self.open("/contribute")
        self.give(email, **wish)
        self.pay(card)
        return self.is_thanked()

    # --- mail ---------------------------------------------------------------------------------------------------

    def mails(self, to: str, kind: str) -> list[str]:
        """The addresses of the mails of a kind that came for somebody, newest first."""
        listing = self.context.request.get(self.demo.site + "/demo/mail").text()
        begins = SUBJECTS[self.language][kind]
        rows = [(url, unescape(subject), rest) for url, subject, rest in MAIL_ROW.findall(listing)]
        return [url for url, subject, rest in rows if to in rest and subject.startswith(begins)]

    def read_mail(self, to: str, kind: str, n: int = 1) -> str:
        """Wait for the n-th mail of a kind, open it in the demo's mailbox; its plain text."""
        mails = until(lambda: (found := self.mails(to, kind))[n - 1 :] and found, 30, f"{kind} mail {n} to {to}")
        self.open(mails[0])
        return self.page.locator(".mail-text").inner_text()

    def open_mail(self, to: str, subject: str) -> None:
        """Wait for the mail with this subject, and open it in the demo's mailbox."""

        def _listed() -> list[str]:
            listing = self.context.request.get(self.demo.site + "/demo/mail").text()
            return [url for url, title, rest in MAIL_ROW.findall(listing) if to in rest and unescape(title) == subject]

        self.open(until(_listed, 30, f"the mail “{subject}” to {to}")[0])

    # --- signing in and out -------------------------------------------------------------------------------------

    def asks_to_sign_in(self, email: str) -> None:
        """Ask for the mail; the page that takes the code is open then."""
        self.open("/signin")
        self.page.fill("#email", email)
        self.press("main form button")

    def sign_in_by_code(self, email: str) -> None:
        """Ask for the mail and type its code."""
        n_before = len(self.mails(email, "sign_in"))
        self.asks_to_sign_in(email)
        code = self.code_for(email, n_before + 1)
        self.open("/signin/sent")
        self.page.fill("#code", code)
        self.press("main form button")
        assert urlsplit(self.page.url).path == "/account"

    def code_for(self, email: str, n: int = 1) -> str:
        """The code from the n-th sign-in mail to an address."""
        text = self.read_mail(email, "sign_in", n)
        found = CODE.search(re.sub(r"https?://\S+", "", text))
        assert found is not None, text
        return " ".join(found.groups())

    def sign_in_by_link(self, email: str) -> None:
        """Ask for the mail, follow its link in this browser and press the button there."""
        n_before = len(self.mails(email, "sign_in"))
        self.asks_to_sign_in(email)
        self.read_mail(email, "sign_in", n_before + 1)
        self.press(".mail-text a[href*='/signin/link/']")
        assert "/signin/link/" in self.page.url
        self.press("main form button")
        assert urlsplit(self.page.url).path == "/account"

    # --- what goes wrong without a word -------------------------------------------------------------------------

    def _hear_console(self, message: ConsoleMessage) -> None:
        if message.type not in {"error", "warning"}:
            return
        where = message.location.get("url", "")
        if message.text.startswith("Failed to load resource") and where in self._refused:
            return  # the browser's own note about a page that answered with an error, as it should
        self.troubles.append(f"console: {message.text} ({where})")

    def _hear_request(self, request: Request) -> None:
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(request.url))
        own = {self.demo.site, self.demo.sandbox, self.paper}
        if not request.is_navigation_request():
            asking = "{0.scheme}://{0.netloc}".format(urlsplit(request.frame.url))
            own = {self.paper, self.demo.site} if asking == self.paper else own & {asking}
        if origin not in own:
            self.troubles.append(f"asked another place: {request.url}")

    def _hear_response(self, response: Response) -> None:
        if not response.request.is_navigation_request() or response.frame != self.page.main_frame:
            return
        if response.status >= 400:
            self._refused.add(response.url)
        if not 300 <= response.status < 400:
            self._arrived, self.arrived_with = response, response.status
