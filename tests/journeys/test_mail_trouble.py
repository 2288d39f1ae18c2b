"""The mail server is down: the sign-in page says so, the mail waits, and arrives when the server is back."""

import os
import signal
from contextlib import contextmanager

from playwright.sync_api import expect

from tests.journeys.demo import until

WORDS = {"en": "Our mail is slow at the moment", "uk": "Наша пошта зараз повільна"}


@contextmanager
def no_mail_server(demo):
    """The demo's mail server stands still: it neither answers nor refuses."""
    pid = demo.pid_of("mailbox")
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def state_of_mail(demo, email):
    """How the newest mail to somebody stands: state and, if an attempt failed, why."""
    found = demo.rows("SELECT state, failure FROM outbox_mails WHERE to_address = ? ORDER BY id DESC", email)
    return found[0] if found else None


def test_the_sign_in_page_says_that_mail_is_slow_and_the_mail_comes_later(demo, new_reader, email):
    reader, neighbour = new_reader("en"), new_reader("uk", has_scripts=False)
    reader.becomes_patron(email)
    reader.read_mail(email, "receipt")
    with no_mail_server(demo):
        reader.asks_to_sign_in(email)
        until(lambda: state_of_mail(demo, email) == ("waiting", "server"), 40, "the failed attempt")
        for somebody in (reader, neighbour):
            for path in ("/signin", "/signin/sent"):
                somebody.open(path)
                somebody.says(WORDS[somebody.language])
        assert reader.mails(email, "sign_in") == []
        neighbour.open("/contribute")  # the rest goes on
    # The next attempt is a minute away in real time, which no clock of ours moves: let that minute be over.
    demo.rows("UPDATE outbox_mails SET next_try_at = '2000-01-01 00:00:00' WHERE state = 'waiting'")
    code = reader.code_for(email)
    reader.open("/signin/sent")
    expect(reader.page.locator("main")).not_to_contain_text(WORDS["en"])
    reader.page.fill("#code", code)
    reader.press("main form button")
    assert reader.page.url == demo.site + "/account"
