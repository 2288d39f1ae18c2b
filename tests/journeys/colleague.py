"""Somebody of the staff, in a house that is no demo: how they sign in, show their second factor, and look at pages.

The authenticator is Chromium's own, as its developer tools offer it; everything else is what people have.
"""

import re
from urllib.parse import urlsplit

import pyotp

from tests.journeys.demo import until
from tests.journeys.grown_house import CODE, GrownHouse
from tests.journeys.inspection import faults_in_views
from tests.journeys.reader import Reader

# What stands in the mail, whatever its language.
SIGN_IN = "/signin/link/"
DEVICE = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip


class Colleague:
    """Somebody of the staff with a browser of their own; every page that they come past is inspected."""

    def __init__(self, reader: Reader, house: GrownHouse, address: str) -> None:
        self.reader, self.page, self.house, self.address = reader, reader.page, house, address
        self.faults: list[str] = []
        self._typed: set[str] = set()

    def signs_in(self, place="staff") -> None:
        """By the mailed code."""
        n_before = len(self.house.mails_to(self.address, SIGN_IN))
        self.reader.open(f"/signin?next={place}")
        self.page.fill("#email", self.address)
        self.reader.press("main form button")
        code = CODE.search(re.sub(r"https?://\S+", "", self.house.read_mail(self.address, SIGN_IN, n_before + 1)))
        self.page.fill("#code", code[0])
        self.reader.press("main form button")

    def looks(self, name: str) -> None:
        """Look at the page in every width and light."""
        self.faults += faults_in_views(self.page, f"{self.reader.language} {name}")
        self.page.set_viewport_size({"width": 360, "height": 740})

    def has_a_device(self):
        """A phone that knows its owner by their finger."""
        tools = self.page.context.new_cdp_session(self.page)
        tools.send("WebAuthn.enable")
        return tools, tools.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})["authenticatorId"]

    def signs_out(self) -> None:
        """From any page of the desk."""
        self.reader.press("form[action='/signout'] button")

    def code_of(self, app: pyotp.TOTP) -> str:
        """The next code that they did not type yet; they come every half minute."""
        code = until(lambda: (now := app.now()) not in self._typed and now, 40, "a new code")
        self._typed.add(code)
        return code

    @property
    def path(self) -> str:
        return urlsplit(self.page.url).path

    def sets_up_an_app(self) -> pyotp.TOTP:
        """As who has no second factor yet; the desk is open then."""
        self.reader.press("a[href$='/staff/factor/app']")
        app = pyotp.TOTP(self.page.locator(".secret").text_content().replace(" ", ""))
        self.page.fill("#code", self.code_of(app))
        self.reader.press("main form button")
        self.reader.press("main a.button--primary")
        assert self.path == "/staff"
        return app
