"""A house that is no demo, as its owners run it: website, worker and mail server, at a name instead of a number.

Passkeys belong to a name, so browsers make none for the demo's 127.0.0.1.
"""

import email
import re
import subprocess
import sys
import urllib.request
from contextlib import suppress
from email import policy
from pathlib import Path

from tests.journeys.demo import a_free_port, until
from tests.runtime.conftest import Program, good_settings

CODE = re.compile(r"\b(\d{4}) (\d{4})\b")


class GrownHouse:
    """Three programs in a folder of their own, ended by `end`."""

    def __init__(self, folder: Path) -> None:
        port = a_free_port()
        self.folder, self.site, self._mails = folder, f"http://localhost:{port}", folder / "mail"
        self.sandbox = self.site  # nobody goes to a payment page here
        self._settings = good_settings(
            folder,
            PUBLIC_URL=self.site,
            SMTP_URL=f"smtp://127.0.0.1:{port + 1}",
            QUEUE_PATH=str(folder / "queue.db"),
            KEYS_PATH=str(folder / "keys"),
            STRIPE_API_BASE="http://127.0.0.1:9",  # nobody listens there
            RATE_LIMITS="false",  # the same person signs in more often than three times in a quarter of an hour
        )
        self.run("db", "upgrade")
        mailbox = ("mailbox", "--port", str(port + 1), "--maildir", str(self._mails))
        self._programs = [
            Program(folder, self._settings, *command)
            for command in (mailbox, ("serve", "--port", str(port)), ("worker",))
        ]
        self._programs[0].wait_for_word("is kept in")
        self._programs[2].wait_for_word("The worker is ready.")
        until(self._answers, 60, "the website")

    def _answers(self) -> bool:
        with suppress(OSError), urllib.request.urlopen(f"{self.site}/healthz", timeout=5):  # noqa: S310 - loopback
            return True
        return False

    def run(self, *command: str) -> str:
        """What `membership …` says about this house."""
        done = subprocess.run(
            [sys.executable, "-m", "membership.cli", *command],
            cwd=self.folder, env=self._settings, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def mails_to(self, address: str, words: str) -> list[str]:
        """The plain text of every mail to somebody in which these words stand, in the order in which they came."""
        found = []
        for path in sorted((self._mails / "new").glob("*"), key=lambda path: path.stat().st_mtime_ns):
            mail = email.message_from_bytes(path.read_bytes(), policy=policy.default)
            text = mail.get_body(("plain",)).get_content()
            if address in mail["To"] and words in text:
                found.append(text)
        return found

    def read_mail(self, address: str, words: str, n: int = 1) -> str:
        """Wait for the n-th mail of that kind."""
        return until(lambda: (found := self.mails_to(address, words))[n - 1 :] and found[n - 1], 30, words)

    def end(self) -> None:
        for program in reversed(self._programs):
            program.end()
