"""A Monday morning at the desk: how it stands, a failed payment, money back, a poll, a guest, a list for a letter.

Once with nothing but a keyboard at a desk, once with a thumb on a phone; each page is inspected as it is seen.
"""

import csv
import io
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pyotp
import pytest
from playwright.sync_api import expect

from tests.journeys.before_polls import DESK, DOCTOR, FLATS, FLOOD, KYIV, RIVER, SCHOOL, STADIUM
from tests.journeys.crowd import Mailbox
from tests.journeys.demo import Demo, until
from tests.journeys.inspection import overflow, violations
from tests.journeys.lively import Months, live, run
from tests.journeys.newsroom import Editor

MOST_STOPS = 200
NEWCOMERS = (3, 4, 5)
N_DAYS = 31 * len(NEWCOMERS)
SHOTS = os.environ.get("SHOTS")
OPTIONS = {
    "keyboard": {"viewport": DESK, "reduced_motion": "reduce"},
    "touch": {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True, "color_scheme": "dark",
              "reduced_motion": "reduce"},
}  # fmt: skip
TOPICS = {"keyboard": {FLATS, SCHOOL, RIVER}, "touch": {FLOOD, STADIUM, DOCTOR}}
LANGUAGE = {"keyboard": "en", "touch": "uk"}
TITLE = {"keyboard": "Which of the old questions first?", "touch": "Про що написати далі?"}
SEGMENT = {"keyboard": ("monthly", "Give every month"), "touch": ("once", "Разові")}
"""By which rhythm people are filtered, and under which name that is kept."""


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """Three months have passed; two cards have failed since."""
    demo = Demo(tmp_path_factory.mktemp("monday"), RATE_LIMITS="false")
    try:
        demo.wait()
        demo.months = live(demo, Months(NEWCOMERS))
        yield demo
        demo.check_books()
    finally:
        demo.end()


class Keyboard:
    """Somebody who has no pointer."""

    def __init__(self, page) -> None:
        self.page = page

    def reaches(self, what) -> None:
        """Tab until it has the focus; it is seen then."""
        for _ in range(MOST_STOPS):
            if what.evaluate("here => here === document.activeElement"):
                expect(what).to_be_in_viewport()
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{what} cannot be reached")

    def presses(self, what) -> None:
        self.reaches(what)
        self.page.keyboard.press("Enter")

    def ticks(self, what) -> None:
        self.reaches(what)
        self.page.keyboard.press("Space")

    def types(self, what, text: str) -> None:
        self.reaches(what)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)

    def types_day(self, what, day: datetime) -> None:
        """In the order in which this browser asks for its parts."""
        for order in ("%d%m%Y", "%m%d%Y"):
            if what.input_value() != day.date().isoformat():
                what.evaluate("here => { here.value = ''; here.blur(); }")
                self.reaches(what)
                self.page.keyboard.type(day.strftime(order))
        expect(what).to_have_value(day.date().isoformat())

    def chooses(self, what, words: str) -> None:
        self.reaches(what)
        self.page.keyboard.type(words)

    def goes_to(self, letter: str) -> None:
        """To another desk, by its key."""
        self.page.keyboard.press("g")
        self.page.keyboard.press(letter)


class Thumb:
    """Somebody on a phone."""

    def __init__(self, page) -> None:
        self.page = page

    def presses(self, what) -> None:
        what.tap()

    ticks = presses

    def types(self, what, text: str) -> None:
        what.tap()
        what.fill(text)

    def types_day(self, what, day: datetime) -> None:
        what.fill(day.date().isoformat())

    def chooses(self, what, words: str) -> None:
        what.select_option(label=words)

    def goes_to(self, letter: str) -> None:
        self.page.locator(".desk-nav__narrow summary").tap()
        self.page.locator(f".desk-nav__sheet [data-key={letter}]").tap()


class Morning:
    """One member of staff; `hand` is how they use a browser."""

    def __init__(self, reader, house, kind: str) -> None:
        self.reader, self.page, self.house, self.kind = reader, reader.page, house, kind
        self.hand = Keyboard(reader.page) if kind == "keyboard" else Thumb(reader.page)
        self.address = f"{kind}.monday@example.org"
        self.faults: list[str] = []
        self.mailbox = Mailbox(house)

    def leads(self, deed, name: str) -> None:
        """What leads to another page, and a look at that."""
        with self.page.expect_navigation():
            deed()
        self.reader.look()
        self.looks(name)

    def presses(self, what, name: str) -> None:
        where = self.page.locator(what) if isinstance(what, str) else what
        self.leads(lambda: self.hand.presses(where), name)

    def goes_to(self, letter: str, name: str) -> None:
        self.leads(lambda: self.hand.goes_to(letter), name)

    def looks(self, name: str) -> None:
        """At the page as it stands in this window."""
        found = overflow(self.page) + violations(self.page)
        self.faults += [f"{self.kind}, {name}: {fault}" for fault in found]
        if SHOTS:
            self.page.screenshot(path=Path(SHOTS) / f"monday-{self.kind}-{name.replace(' ', '-')}.png", full_page=True)

    @property
    def path(self) -> str:
        return urlsplit(self.page.url).path

    @property
    def today(self) -> datetime:
        """As the newsroom's clock shows it, which was moved on."""
        return (datetime.now(UTC) + timedelta(days=N_DAYS)).astimezone(KYIV)


@pytest.fixture(params=["keyboard", "touch"])
def morning(request, house, new_reader):
    """A colleague with an app for the second factor, signed out; a draft of a poll waits for them."""
    kind = request.param
    reader = new_reader(LANGUAGE[kind], house=house, **OPTIONS[kind])
    mine = Morning(reader, house, kind)
    run(house, "staff", "add", mine.address, "--role", "owner", "--name", "A Colleague", "--locale", LANGUAGE[kind])
    colleague = Editor(reader)
    reader.sign_in_by_code(mine.address)
    reader.open("/staff/factor/app")
    app = pyotp.TOTP(reader.page.locator(".secret").text_content().replace(" ", ""))
    mine.typed = app.now()
    reader.page.fill("#code", mine.typed)
    reader.press("main form button")
    mine.app = app
    reader.open("/staff/polls/new")
    dates = mine.today - timedelta(minutes=5), mine.today + timedelta(days=14)
    mine.poll = colleague.keeps_draft(*dates, TOPICS[kind], title=TITLE[kind], intro="…")
    reader.press("form[action='/signout'] button")
    return mine


@pytest.mark.timeout(600)
def test_a_monday_morning(morning):
    signs_in(morning)
    sees_how_it_stands(morning)
    member = helps_with_a_failed_payment(morning)
    gives_money_back(morning)
    opens_a_poll(morning)
    makes_somebody_a_guest(morning)
    keeps_and_exports_a_list(morning)
    assert morning.faults == []
    assert member in {each.email for each in morning.house.months.failing}


def signs_in(me):
    """By the mailed code, then by the app."""
    n_before = len(me.reader.mails(me.address, "sign_in"))
    me.reader.open("/signin?next=staff")
    me.hand.types(me.page.locator("#email"), me.address)
    me.presses("main form button", "code asked for")
    code = until(lambda: (now := me.app.now()) != me.typed and now, 40, "a code that was not typed yet")
    tab = me.reader.another_tab()
    digits = tab.code_for(me.address, n_before + 1)
    tab.page.close()
    me.hand.types(me.page.locator("#code"), digits)
    me.presses("main form button", "asked for the app")
    assert me.path == "/staff/factor"
    me.hand.types(me.page.locator("#app-code"), code)
    me.presses("form[action$='/app-code'] button", "today")
    assert me.path == "/staff"


def sees_how_it_stands(me):
    """The worker sums the days every minute; whoever comes in on a Monday finds them summed."""
    summed_to = "SELECT rolled_to FROM rollup_state"
    until(lambda: me.house.rows(summed_to)[0][0] > str((me.today - timedelta(hours=12)).astimezone(UTC))[:19], 90)
    me.goes_to("n", "overview")
    assert me.path == "/staff/dashboard"
    expect(me.page.locator(".tile")).to_have_count(5)
    me.presses(me.page.locator(".tile a").first, "patrons")
    assert me.path == "/staff/dashboard/patrons"


def helps_with_a_failed_payment(me) -> str:
    """Why it failed, and our mail to them once more."""
    me.goes_to("f", "failed payments")
    row = me.page.locator("tbody", has=me.page.locator("a[href*='/mail']")).last
    written_to = row.locator("a[href^='mailto:']").get_attribute("href").removeprefix("mailto:")
    address = unquote(written_to.partition("?")[0])
    n_before = len(mails_about_failure(me, address))
    me.presses(row.locator("a[href*='/staff/trouble/']").first, "mail again")
    me.hand.types(me.page.locator("#reason"), "They rang us")
    me.presses("main form button[type=submit]", "mail is sent")
    until(lambda: len(mails_about_failure(me, address)) > n_before, 60, "the mail")
    return address


def mails_about_failure(me, address):
    return me.mailbox.mails(address, "Your payment of")


def finds(me, member, name: str) -> None:
    """By the beginning of an address, then their page."""
    me.goes_to("p", "people")
    me.hand.types(me.page.locator("#q"), member.email.partition("@")[0])
    me.presses(".people-search button", f"{name} found")
    me.presses(me.page.get_by_role("link", name=member.email, exact=True), name)


def gives_money_back(me):
    """Half of a payment, with a reason; it is looked at once more before it goes."""
    member = me.house.months.members[0 if me.kind == "keyboard" else 1]
    finds(me, member, "somebody who paid")
    me.presses(me.page.locator("a[href*='/refund']").first, "refund")
    me.hand.types(me.page.locator("#amount"), "1.50")
    me.hand.types(me.page.locator("#reason"), "They gave more than they meant to")
    me.presses("main form button[type=submit]", "refund once more")
    me.presses("main form button[type=submit]", "refund done")
    back = "SELECT r.id FROM refunds r JOIN contributions c USING (reference) WHERE c.email = ? AND r.state = 'done'"
    until(lambda: me.house.rows(back, member.email), 60, "money that is back")


def opens_a_poll(me):
    me.goes_to("v", "polls")
    me.presses(me.page.get_by_role("link", name=TITLE[me.kind]), "draft")
    me.presses("a[href$='/open']", "last look")
    me.presses("main form button[type=submit]", "poll is open")
    assert me.house.rows("SELECT state FROM polls WHERE public_id = ?", me.poll) == [("open",)]


def makes_somebody_a_guest(me):
    member = me.house.months.failing[0 if me.kind == "keyboard" else 1]
    finds(me, member, "somebody whose card fails")
    me.presses(me.page.locator("a[href$='/comp']").first, "comp")
    me.hand.types_day(me.page.locator("#until"), me.today + timedelta(days=90))
    me.hand.types(me.page.locator("#reason"), "While their card is replaced")
    me.presses("main form button[type=submit]", "comp done")
    comps = "SELECT 1 FROM coverage_grants g JOIN people p ON p.id = g.person_id WHERE g.cause = 'comp' AND p.email = ?"
    assert len(me.house.rows(comps, member.email)) == 1


def keeps_and_exports_a_list(me):
    """Everybody who gives in one rhythm, kept under a name, and as a file."""
    wanted, name = SEGMENT[me.kind]
    me.goes_to("p", "people again")
    me.hand.presses(me.page.locator(".people-more summary"))
    rhythm = me.page.locator("#f-rhythm")
    me.hand.chooses(rhythm, rhythm.locator(f"option[value={wanted}]").inner_text())
    me.presses(".people-filter__button button", "filtered")
    me.hand.types(me.page.locator("#keep #name"), name)
    me.presses("#keep button", "filter is kept")
    expect(me.page.get_by_role("link", name=name)).to_be_visible()
    me.presses(me.page.locator("a[href*='/people/export']"), "export")
    with me.page.expect_download() as download:
        me.hand.presses(me.page.locator("main form button[type=submit]"))
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8-sig"))))
    emails = {email for (email,) in me.house.rows("SELECT DISTINCT email FROM contributions WHERE rhythm = ?", wanted)}
    assert {row["address"] for row in rows} == emails
