"""The pictures of the README, taken of the real pages: a demo in which members lived some months, and a browser.

.venv/bin/python -m tests.pictures            all of them, into docs/pictures (some minutes)
.venv/bin/python -m tests.pictures --only contribute phone
"""

import argparse
import io
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright
from rich.console import Console

from tests.conftest import CHROMIUM, CHROMIUM_ARGUMENTS
from tests.journeys.before_polls import DOCTOR, FLOOD, KYIV, STADIUM, TREES
from tests.journeys.crowd import Mailbox, all_at_once
from tests.journeys.demo import Demo, until
from tests.journeys.lively import STEPS, Months, live
from tests.journeys.newsroom import Editor
from tests.journeys.reader import Reader

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
NEWCOMERS = (4, 5, 3, 6, 5, 7)
N_DAYS = sum(STEPS) * len(NEWCOMERS)
MOST_BYTES = 150_000
COLOURS = 96
N_VOTERS = 12
TALL, DESK, PHONE = (1100, 1000), (1280, 1080), (390, 760)
SCHEMES = ("light", "dark")


@dataclass(frozen=True)
class Picture:
    """A page as somebody sees it: `who` is "reader", "member" or "editor"; `at` is what is scrolled to the top."""

    name: str
    path: str
    who: str = "reader"
    at: str = ""
    window: tuple[int, int] = (1100, 760)


def pictures(poll: str, counted: str, person: str) -> list[Picture]:
    return [
        Picture("appeal", "/demo/article", at=".appeal"),
        Picture("contribute", "/contribute"),
        Picture("account", "/account", "member"),
        Picture("ballot", f"/polls/{poll}", "member", window=TALL),
        Picture("result", f"/polls/{counted}", window=TALL),
        Picture("dashboard", "/staff/dashboard?range=quarter", "editor", window=DESK),
        Picture("person", f"/staff/people/{person}", "editor", window=DESK),
        Picture("phone", "/contribute", window=PHONE),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.pictures", description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", default=[], help="names of pictures")
    only = parser.parse_args().only
    console, began = Console(highlight=False), time.monotonic()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        demo = Demo(Path(folder), RATE_LIMITS="false")
        try:
            with console.status("Some months pass in a demo …"):
                demo.wait()
                months = live(demo, Months(NEWCOMERS))
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
            too_large = _take_all(console, demo, browser, months, only)
            browser.close()
        finally:
            demo.end()
    console.print(f"{time.monotonic() - began:.0f} s.")
    return 1 if too_large else 0


def _take_all(console: Console, demo: Demo, browser: Browser, months: Months, only: list[str]) -> int:
    """Take each in both lights; how many came out too large."""
    people = {who: Reader(_window(browser), demo, "en") for who in ("reader", "member", "editor")}
    poll = _opens_a_poll(demo, people["editor"])
    voter = demo.rows("SELECT email FROM contributions WHERE state = 'active' ORDER BY id")[0][0]
    people["member"].sign_in_by_code(voter)
    _others_vote(demo, months, poll)
    _wait_for_sums(demo)
    counted = demo.rows("SELECT public_id FROM polls WHERE state = 'closed' ORDER BY id")[0][0]
    person = demo.rows("SELECT public_id FROM people WHERE email = ?", months.failing[0].email)[0][0]
    FOLDER.mkdir(parents=True, exist_ok=True)
    n_too_large = 0
    for picture in pictures(poll, counted, person):
        if only and picture.name not in only:
            continue
        for scheme in SCHEMES:
            file = FOLDER / f"{picture.name}-{scheme}.png"
            file.write_bytes(_small(_shot(people[picture.who], picture, scheme)))
            n_bytes = file.stat().st_size
            n_too_large += n_bytes > MOST_BYTES
            console.print(f"{'[red]' if n_bytes > MOST_BYTES else ''}{file.name:<24}{n_bytes / 1000:>6.0f} kB")
    return n_too_large


def _window(browser: Browser):
    context = browser.new_context(locale="en-IE", reduced_motion="reduce")
    context.set_default_timeout(20_000)
    return context


def _opens_a_poll(demo: Demo, reader: Reader) -> str:
    """The draft that waits in the demo, with dates of now."""
    editor = Editor(reader)
    editor.signs_in()
    draft = demo.rows("SELECT public_id FROM polls WHERE state = 'draft'")[0][0]
    now = (datetime.now(UTC) + timedelta(days=N_DAYS)).astimezone(KYIV)
    reader.open(f"/staff/polls/{draft}/edit")
    editor.keeps_draft(now - timedelta(minutes=5), now + timedelta(days=14), {FLOOD, TREES, STADIUM, DOCTOR})
    editor.opens_poll(draft)
    return draft


def _others_vote(demo: Demo, months: Months, poll: str) -> None:
    """So that the turnout says something."""
    mailbox, voters = Mailbox(demo), months.members[-N_VOTERS - 2 : -2]

    def votes(member) -> None:
        member.signs_in(mailbox)
        member.votes(poll, chosen=[1, 2])

    on_roll = demo.rows(
        "SELECT p.email FROM roll_entries r JOIN people p ON p.id = r.person_id JOIN polls o ON o.id = r.poll_id"
        " WHERE o.public_id = ?", poll,
    )  # fmt: skip
    all_at_once([member for member in voters if (member.email,) in on_roll], votes)


def _wait_for_sums(demo: Demo) -> None:
    """The worker sums the days every minute."""
    wanted = str(datetime.now(UTC) + timedelta(days=N_DAYS))[:19]
    until(lambda: demo.rows("SELECT rolled_to FROM rollup_state")[0][0] > wanted, 150, "days that are summed")


def _shot(reader: Reader, picture: Picture, scheme: str) -> bytes:
    page = reader.page
    width, height = picture.window
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    reader.open(picture.path)
    if picture.at:
        page.locator(picture.at).first.evaluate("here => window.scrollTo(0, here.offsetTop - innerHeight / 3)")
    return page.screenshot()


def _small(raw: bytes) -> bytes:
    """The same picture in few colours: pages are flat, and nobody looks at a README through a glass."""
    out = io.BytesIO()
    picture = Image.open(io.BytesIO(raw)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


if __name__ == "__main__":
    sys.exit(main())
