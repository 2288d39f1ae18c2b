"""A reader who types their mark into every field there is, and everything that we hold afterwards."""

import json
import re
from pathlib import Path

import requests
from sqlalchemy import JSON, LargeBinary, String, inspect, select, text

from membership.accounts import emails
from membership.accounts.models import AddressProof
from membership.billing import jobs as billing_jobs
from membership.contributions.models import Contribution
from membership.db import db
from membership.kernel import clock
from membership.topics import services as topics
from membership.topics.models import Topic
from tests.billing.conftest import post as post_notice
from tests.contributions.test_way import fill_in as fill_in_ask
from tests.factories.checkout import GOOD_CARD, pay
from tests.factories.corrections import ARTICLE
from tests.factories.people import any_token, sign_in
from tests.factories.support import press
from tests.gifts.test_views import fill_in as fill_in_gift

MARK = "qzx7"
FIRST, SECOND, WALLET = f"{MARK}.one@example.org", f"{MARK}.two@example.org", f"{MARK}.wallet@example.org"
PUBLIC_TITLE = "Where do the dredging contracts go this year?"
KEY = ("sk_test_123456789", "")


def post(client, path, **fields):
    return client.post(path, data={"csrf_token": any_token(client)} | fields)


def code_in_mail() -> str:
    newest = db.session.scalar(select(AddressProof.id).order_by(AddressProof.id.desc()).limit(1))
    return emails.prove({"proof_id": newest}, clock.now())["code"].replace(" ", "")


def give(client, path=f"/contribute?article={MARK}article&utm_source={MARK}letter", **typed) -> str:
    """Press the button of the ask; the address of the payment page."""
    answer = client.post(path, data=fill_in_ask(client, path, **typed))
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return answer.location


def come_back(client, paid) -> None:
    assert client.get(paid.headers["Location"].removeprefix("http://localhost")).status_code == 200


def everything(client, sandbox) -> Contribution:
    """The whole life of the reader, through the pages; their support, cancelled with a reason, and an open one."""
    # Left open, never paid: once by themselves, once by nobody who is signed in, under the address of later.
    for address in (FIRST, SECOND):
        give(client.application.test_client(), email=address, public_name=f"{MARK} again", rhythm="once")
    come_back(client, pay(give(client, email=FIRST, public_name=f"{MARK} Name"), GOOD_CARD, WALLET))
    sign_in(client, FIRST)
    propose(client, f"A {MARK} question that nobody else has seen")
    propose(client, PUBLIC_TITLE)
    report_mistake(client)
    public = db.session.scalar(select(Topic).where(Topic.title == PUBLIC_TITLE))
    topics.shortlist(public.id, None)
    support = db.session.scalar(
        select(Contribution).where(Contribution.email == FIRST, Contribution.person_id.is_not(None))
    )
    reference = support.reference
    cancelled = press(client, f"/account/support/{reference}/cancel", reason="other", words=f"{MARK} reasons of my own")
    assert cancelled.status_code == 303
    bought = client.post("/gift", data=fill_in_gift(
        client, email=FIRST, from_name=f"{MARK} giver", receiver_name=f"{MARK} receiver",
        receiver_email=f"{MARK}.friend@example.org", message=f"{MARK} wishes",
    ))  # fmt: skip
    come_back(client, pay(bought.location, GOOD_CARD, WALLET))
    post(client, "/account/email", email=SECOND)
    assert post(client, "/account/email/code", code=code_in_mail()).status_code == 303
    post(client, "/signout")
    deliver_news(client, sandbox)
    sign_in(client, SECOND)
    return db.session.scalar(select(Contribution).where(Contribution.reference == reference))


def propose(client, title) -> None:
    fields = {
        "title": title,
        "why": f"{MARK} says why" if MARK in title else "Readers ask.",
        "links": "",
        "locale": "en",
    }
    if MARK in title:
        fields["links"] = f"https://example.org/{MARK}"
    page = client.get("/topics/propose").get_data(as_text=True)
    assert 'name="title"' in page
    answer = post(client, "/topics/propose", **fields, step="")
    if answer.status_code == 200:  # near-duplicates were shown
        answer = post(client, "/topics/propose", **fields, step="send")
    assert answer.status_code == 303, answer.get_data(as_text=True)


def report_mistake(client) -> None:
    typed = {
        "article": f"{ARTICLE}/{MARK}",
        "quote": f"the {MARK} quote",
        "context": f"{MARK} before the {MARK} quote, {MARK} after",
        "note": f"{MARK} knows better",
        "email": FIRST,
    }
    assert post(client, "/corrections/report", **typed).status_code == 303


def deliver_news(client, sandbox, suffix="") -> None:
    """Every notice of the sandbox, as Stripe would have sent it; with `suffix` as new notices of the same."""
    url = f"{sandbox.public_url}/v1/events?limit=100"
    for event in reversed(requests.get(url, auth=KEY, timeout=20).json()["data"]):
        answer = post_notice(client, json.dumps(event | {"id": event["id"] + suffix}).encode())
        assert answer.status_code == 200
    db.session.rollback()
    billing_jobs.drain(clock.now())


# What is held ---------------------------------------------------------------------------------------------


def words_of() -> dict[tuple[str, str], str]:
    """Everything that every column of the database holds, as one text each, in lower case."""
    db.session.rollback()
    found = {}
    with db.engine.connect() as connection:
        for table in inspect(connection).get_table_names():
            rows = connection.execute(text(f"SELECT * FROM {table}")).mappings().all()  # noqa: S608 - our own tables
            for name in rows[0] if rows else ():
                found[table, name] = "\n".join(_as_text(row[name]) for row in rows).lower()
    return found


def _as_text(value) -> str:
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode("latin-1")
    return json.dumps(value, ensure_ascii=False, default=str)


def columns_with(mark=MARK) -> set[tuple[str, str]]:
    return {place for place, words in words_of().items() if mark in words}


def files_with(folder: Path, mark=MARK) -> set[str]:
    """Files of this installation that hold the mark: database, log, queue, keys."""
    db.session.rollback()
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.name for path in files if re.search(mark.encode(), path.read_bytes(), re.IGNORECASE)}


def columns_of_words() -> set[tuple[str, str]]:
    """Every column that could hold words."""
    kinds = (String, JSON, LargeBinary)
    return {
        (table.name, column.name)
        for table in db.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, kinds)
    }
