"""What an editor does at the desk, in a browser."""

from collections.abc import Collection
from datetime import datetime
from urllib.parse import urlsplit

from membership.front.seed import EDITOR
from tests.journeys.reader import Reader

TYPED = "%Y-%m-%dT%H:%M"


class Editor:
    """The editor of the demo's newsroom; every page of the desk that they come to is inspected."""

    def __init__(self, reader: Reader) -> None:
        self.reader, self.page = reader, reader.page

    def signs_in(self) -> None:
        """By the mailed code."""
        self.reader.sign_in_by_code(EDITOR)

    def opens_topic(self, title: str) -> None:
        """From the board to the page of a topic."""
        self.reader.open("/staff/topics")
        self.reader.press(self.page.get_by_role("link", name=title, exact=True).first)

    def shortlists(self, title: str) -> None:
        """Take a proposal up."""
        self.opens_topic(title)
        self.reader.press("form[action$='/shortlist'] button")

    def merges(self, title: str, into: str) -> None:
        """Make a proposal part of one that asks the same, as the page suggests it."""
        self.opens_topic(title)
        self.reader.press(self.page.locator(".merge__one", has_text=into).locator("button"))

    def _acts(self, action: str, **fields: str) -> None:
        form = self.page.locator(f"form[action$='/{action}']")
        if not form.is_visible():
            self.page.locator("details", has=form).locator("summary").click()
        for name, value in fields.items():
            form.locator(f"[name={name}]").fill(value)
        self.reader.press(form.locator("button[type=submit]"))

    def declines(self, title: str, reason: str) -> None:
        """Say no, with a public reason."""
        self.opens_topic(title)
        self._acts("decline", reason=reason)

    def assigns(self, title: str, due_on: datetime) -> None:
        """Report it, until a day."""
        self.opens_topic(title)
        self._acts("assign", due_on=due_on.date().isoformat())

    def tells(self, title: str, words: str) -> None:
        """Say in public how it goes."""
        self.opens_topic(title)
        self._acts("update", words=words)

    def publishes(self, title: str, story_url: str, story_title: str) -> None:
        """The story is out."""
        self.opens_topic(title)
        self._acts("publish", story_url=story_url, story_title=story_title)

    def keeps_draft(self, opens_at: datetime, closes_at: datetime, topics: Collection[str], **fields: str) -> str:
        """Fill in the form of a poll, which is on the page, and save it as a draft; its public id.

        Times are as the newsroom's clock shows them. Who was a patron a day after the opening may vote.
        """
        for row in self.page.locator(".pick__row").all():
            row.locator("input").set_checked(row.locator(".pick__title").inner_text() in topics)
        for name, moment in {"opens_at": opens_at, "closes_at": closes_at, "joined_before": closes_at}.items():
            self.page.fill(f"#{name}", moment.strftime(TYPED))
        for name, value in fields.items():
            field = self.page.locator(f"[name={name}]").first
            if field.get_attribute("type") == "radio":
                self.page.check(f"[name={name}][value='{value}']")
            else:
                field.fill(value)
        self.reader.press("main form button[type=submit]")
        public_id = urlsplit(self.page.url).path.removeprefix("/staff/polls/")
        assert public_id.startswith("pol_"), self.page.locator("main").inner_text()
        return public_id

    def opens_poll(self, public_id: str) -> None:
        """Look it over, and open it for good."""
        self.reader.open(f"/staff/polls/{public_id}")
        self.reader.press("a[href$='/open']")
        self.reader.press("main form button[type=submit]")
        assert urlsplit(self.page.url).path == f"/staff/polls/{public_id}"
