"""What articles tell of appeals: batches as browsers send them, most of them of one view."""

import json
import secrets
from pathlib import Path

from membership.app import create_app
from membership.config import Settings
from membership.db import db
from tests.bench import programs
from tests.factories.counts import APPEAL, know

# How many articles are read at the same time.
N_ARTICLES = 40


def prepare(database_url: str, folder: Path) -> None:
    """The appeal that is told of, running: of any other nothing is counted."""
    with create_app(Settings.from_env(programs.settings_for(database_url, 80, folder))).app_context():
        know(APPEAL)
        db.session.remove()
        db.engine.dispose()


def batches(site: str, n: int) -> list[str]:
    """Lines of n batches, none like another; every tenth is of a click as well."""
    made = []
    for number in range(n):
        events = [["view", APPEAL, "ab"[number % 2], 1], *([["click", APPEAL, "a", 1]] if number % 10 == 0 else [])]
        article = f"{site}/articles/{number % N_ARTICLES}?utm_source=letter"
        made.append("\t" + json.dumps({"batch": secrets.token_urlsafe(16), "article": article, "events": events}))
    return made
