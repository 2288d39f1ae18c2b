"""Every page, signed in and out, in its every state: readable for everybody, narrow and wide, light and dark."""

import copy
import re
import sqlite3
import subprocess
import sys
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest

from membership.app import create_app
from membership.front.seed import EDITOR
from tests.conftest import make_settings
from tests.journeys.demo import a_free_port, until
from tests.journeys.inspection import faults_in_views
from tests.journeys.reader import DECLINED_CARD

ASKS_BANK_CARD = "4000 0025 0000 3155"


@pytest.fixture(scope="module")
def routes(tmp_path_factory):
    """Every route that can be opened by typing its address."""
    place = tmp_path_factory.mktemp("routes")
    settings = make_settings(demo=True, database_url=f"sqlite:///{place / 'x.db'}", queue_path=str(place / "queue.db"))
    app = create_app(settings)
    found = [rule.rule for rule in app.url_map.iter_rules() if "GET" in rule.methods]
    app.extensions["membership.hints"].close()
    return found


def filled_in(demo, route):
    """The address of something that is there, for a route that names a topic or a poll; other routes as they are."""
    by_state = "SELECT public_id FROM polls WHERE state = ?"
    draft, closed = (demo.rows(by_state, state)[0][0] for state in ("draft", "closed"))
    of_drafts = route.startswith("/staff/polls/") and route.endswith(("/edit", "/preview", "/open", "/cancel"))
    stage = "proposed" if route.startswith("/staff") else "published"
    (topic,) = demo.rows("SELECT public_id FROM topics WHERE stage = ? LIMIT 1", stage)[0]
    winner = "SELECT position FROM poll_options o JOIN topics t ON t.id = topic_id WHERE stage = 'reporting'"
    poll = draft if of_drafts else closed
    (passage,) = demo.rows("SELECT public_id FROM correction_passages WHERE state = 'new' LIMIT 1")[0]
    ((appeal,),) = demo.rows("SELECT public_id FROM appeals LIMIT 1")
    topic = passage if route.startswith("/staff/corrections/") else topic
    topic = appeal if route.startswith("/staff/appeals/") else topic
    named = re.sub(r"<[^<>]*\bpublic_id>", poll if "/polls/" in route else topic, route)
    return re.sub(r"<[^<>]*\bposition>", str(demo.rows(winner)[0][0]), named)


def of_a_patron(demo, email, language):
    """The addresses of what belongs to a patron, in `language`; mailed links are tried with one nobody was sent."""
    person = "SELECT p.public_id, c.reference, c.person_id FROM people p JOIN contributions c ON c.person_id = p.id"
    [(public_id, reference, _)] = until(lambda: demo.rows(f"{person} WHERE p.email = ?", email), what="the patron")
    ((number,),) = demo.rows("SELECT receipt_number FROM payments WHERE reference = ?", reference)
    parts = {"public_id": public_id, "reference": reference, "number": number, "action": "pause", "int:grant_id": "1"}
    parts |= {"int:year": number[:4], "int:line_id": "1", "token": "unknown", "code": "AAAA-BBBB-CCCC"}
    ((notice,),) = demo.rows("SELECT id FROM inbox_events LIMIT 1")
    ((mail,),) = demo.rows("SELECT id FROM outbox_mails LIMIT 1")
    parts |= {"event_id": notice, "int:outbox_id": str(mail), "act": "again", "locale": language}
    parts |= {"room": "contributions", "name": "receipt"}
    wanted = (
        "/account/support/<reference>", "/account/support/<reference>/change", "/account/support/<reference>/pause",
        "/account/support/<reference>/cancel", "/account/support/<reference>/resume",
        "/account/support/<reference>/keep", "/account/support/<reference>/pay",
        "/account/support/<reference>/card/done", "/account/receipts/<number>.pdf", "/account/statements/<int:year>",
        "/account/statements/<int:year>.pdf", "/account/email/undo/<token>", "/contribute/confirm/<token>",
        "/support/keep/<token>", "/support/declared/<reference>", "/gift/redeem/<code>", "/staff/people/<public_id>",
        "/staff/people/<public_id>/comp", "/staff/people/<public_id>/comp/<int:grant_id>/revoke",
        "/staff/people/<public_id>/payments", "/staff/people/<public_id>/history",
        "/staff/people/<public_id>/way-in", "/staff/people/<public_id>/merge", "/staff/people/<public_id>/erase",
        "/staff/people/<public_id>/refund/<number>", "/staff/people/<public_id>/support/<reference>/<action>",
        "/staff/statements/<int:line_id>", "/staff/statements/receipts/<number>", "/staff/trouble/<reference>/mail",
        "/staff/inbox/<event_id>", "/staff/inbox/<event_id>/replay", "/staff/mails/<int:outbox_id>",
        "/staff/mails/<int:outbox_id>/<act>", "/staff/mails/catalogue/<room>/<name>",
        "/staff/mails/catalogue/<room>/<name>/<locale>",
    )  # fmt: skip
    return {route: re.sub(r"<([^<>]+)>", lambda part: parts[part[1]], route) for route in wanted}


@pytest.mark.timeout(900)  # staff see some hundred pages, each in four views
@pytest.mark.parametrize("who", ["anybody", "patron", "editor"])
@pytest.mark.parametrize("language", ["en", "uk"])
def test_every_page_that_has_an_address_is_in_order(new_reader, fresh_email, routes, language, who):
    """A new route is looked at by itself; one with a part to fill in fails here until it is told how."""
    patron, email = new_reader(language), fresh_email()
    patron.becomes_patron(email)
    patron.read_mail(email, "receipt")
    receipt = patron.page.url
    checkout = patron.demo.payment_pages(email)[0]["id"]
    filled = {
        "/static/<path:filename>": "/static/tokens.css",
        "/lang/<code>": f"/lang/{language}?to=/contribute",
        "/signin/link/<token>": "/signin/link/used-up",
        "/contribute/thanks": f"/contribute/thanks?session={checkout}",
        "/demo/mail/<key>": receipt,
        "/demo/mail/<key>/html": receipt + "/html",
        "/account/receipts/<number>": "/account/receipts/2026-000001",
        "/mail/stop/<token>": "/mail/stop/unknown",
        "/staff/dashboard/<key>": "/staff/dashboard/movements?range=year",
        "/staff/dashboard/<key>.csv": "/staff/dashboard/movements.csv",
        "/staff/factor/passkeys/<int:passkey_id>/remove": "/staff/factor/passkeys/1/remove",
        "/staff/team/approvals/<approval_id>": "/staff/team/approvals/apr_unknown",
        "/embed/frame/<name>": f"/embed/frame/goal?lang={language}",
        "/embed/v1-<string(length=16):mark>.js": "/embed/v1-0000000000000000.js",
        "/staff/inbox/<event_id>": "/staff/inbox/evt_unknown",
        "/staff/inbox/<event_id>/replay": "/staff/inbox/evt_unknown/replay",
        "/staff/mails/<int:outbox_id>": "/staff/mails/1",
        "/staff/mails/<int:outbox_id>/<act>": "/staff/mails/1/again",
        "/staff/mails/catalogue/<room>/<name>": "/staff/mails/catalogue/contributions/receipt",
        "/staff/mails/catalogue/<room>/<name>/<locale>": f"/staff/mails/catalogue/contributions/receipt/{language}",
        "/staff/trouble/<reference>/mail": "/staff/trouble/con_unknown/mail",
        "/theme-<mark>.css": "/theme-unknown.css",
        "/staff/settings/<subject>": "/staff/settings/prices",
        "/staff/settings/colours/trial-<six>.css": "/staff/settings/colours/trial-1d4f8f.-.-.-.-.-.css",
    } | of_a_patron(patron.demo, email, language)
    reader = new_reader(language)
    if who == "editor":
        reader.sign_in_by_link(EDITOR)
    if who == "patron":
        reader.sign_in_by_link(email)
        reader.open("/account")
        filled["/account/receipts/<number>"] = reader.page.locator(".table a").first.get_attribute("href")
    n_pages, faults = 0, []
    for route in routes:
        if route.endswith("/badge"):
            continue  # no page but a piece of one, for the newsroom's own site
        path = filled.get(route) or filled_in(reader.demo, route)
        assert "<" not in path, f"Say which address {route} has, above."
        answer = reader.context.request.get(urljoin(reader.demo.site, path))
        is_page = "text/html" in answer.headers["content-type"]
        if not is_page or answer.status == 403 or urlsplit(answer.url).path != urlsplit(path).path:
            continue  # it leads on to a page that has its own turn
        n_pages += 1
        reader.open(path)
        is_mail = route.endswith(("/html", "/<locale>"))
        if is_mail:  # where it stands nothing can be asked of it: its frame runs no scripts
            reader.page.goto("about:blank")
            reader.page.set_content(answer.text())
        faults += faults_in_views(reader.page, f"{language} {who} {route}", is_mail=is_mail)
    assert faults == []
    assert n_pages >= {"anybody": 15, "patron": 20, "editor": 30}[who]


@pytest.mark.parametrize("language", ["en", "uk"])
def test_every_state_of_the_way_to_a_gift_is_in_order(demo, new_reader, email, language):
    reader, faults = new_reader(language), []

    def _look(name):
        faults.extend(faults_in_views(reader.page, f"{language} {name}"))

    reader.open("/contribute")
    reader.fill("nobody", rhythm="yearly", amount="a lot")
    reader.add(fees=True, name="x" * 61)
    reader.press(reader.button)
    _look("contribute with mistakes")
    with demo.fault({"match": "POST /v1/checkout/sessions", "do": "503", "times": 5}):
        reader.open("/contribute")
        reader.fill(email)
        reader.press(reader.button)
        _look("contribute without Stripe")
    reader.open("/contribute")
    reader.give(email)
    _look("payment page")
    checkout = reader.page.url
    reader.pay(DECLINED_CARD)
    _look("payment page, declined")
    reader.open("/contribute/thanks?session=" + checkout.rpartition("/")[2])
    _look("not paid yet")
    reader.press("main a.button")
    reader.press(".back a")
    _look("contribute after coming back")
    reader.give(email)
    reader.pay(ASKS_BANK_CARD)
    _look("bank asks")
    slow = {"match": "GET /v1/checkout/sessions/*", "do": "503", "times": 500}
    with demo.fault(slow, deliveries={"delay": 1, "delay_seconds": 20}):
        reader.press("button[value=yes]")
        reader.page.context.set_offline(True)  # so that the page does not look again while it is looked at
        _look("waiting")
        reader.page.context.set_offline(False)
    demo.ask_sandbox("POST", "/_sandbox/deliver")
    reader.is_thanked()
    _look("thanks for monthly")
    reader.sign_in_by_code(email)
    _look("account of a patron")
    reader.open("/contribute")
    _look("contribute of a patron")
    assert faults == []


@pytest.mark.parametrize("language", ["en", "uk"])
def test_every_state_of_an_account_and_of_signing_in_is_in_order(demo, new_reader, fresh_email, language):
    reader, stranger, email, faults = new_reader(language), new_reader(language), fresh_email(), []

    def _look(name, who=reader):
        faults.extend(faults_in_views(who.page, f"{language} {name}"))

    less_than_a_cup = {"rhythm": "once", "amount": {"en": "2", "uk": "60"}[language]}
    reader.open("/contribute")
    reader.give(email, **less_than_a_cup)
    left = reader.page.url
    demo.advance(seconds=61 * 60)
    until(lambda: demo.state_of(email) == ["abandoned"], what="abandoning")
    reader.open(left)
    _look("payment page, expired")
    reader.open("/contribute/thanks?session=" + left.rpartition("/")[2])
    _look("nothing was charged")
    reader.becomes_patron(email, **less_than_a_cup)
    _look("thanks for once")
    reader.open("/signin")
    reader.page.fill("#email", "nobody")
    reader.press("main form button")
    _look("sign in with a mistake")
    reader.asks_to_sign_in(email)
    reader.page.fill("#code", "1")
    reader.press("main form button")
    _look("code with a mistake")
    reader.read_mail(email, "sign_in")
    _look("mail, sign in")
    link = reader.page.locator(".mail-text a[href*='/signin/link/']").get_attribute("href")
    stranger.open(link)
    _look("link elsewhere", stranger)
    reader.open(link)
    _look("link ready")
    reader.press("main form button")
    _look("account below a cup")
    reader.press(".table a[href*='/account/receipts/']")
    _look("receipt")
    assert faults == []


@pytest.fixture
def strict_house(demo, tmp_path):
    """The same website once more, with limits, on a copy of the demo's database."""
    house = copy.copy(demo)
    database, port = tmp_path / "copy.db", a_free_port()
    with sqlite3.connect(demo.data / "membership.db") as original, sqlite3.connect(database) as made:
        original.backup(made)
    house.site, house.database = f"http://127.0.0.1:{port}", database
    changes = {"PUBLIC_URL": house.site, "DATABASE_URL": f"sqlite:///{database}", "RATE_LIMITS": "true"}
    with (tmp_path / "serve.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "membership.cli", "serve", "--port", str(port)],
            env=demo.environment() | changes, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        until(lambda: _answers(house.site), 60, "the second website")
        yield house
    finally:
        process.terminate()
        process.wait(30)


def _answers(site):
    import urllib.error
    import urllib.request

    try:
        with urllib.request.urlopen(site + "/healthz", timeout=5) as answer:  # noqa: S310 - loopback
            return answer.status == 200
    except (urllib.error.URLError, ConnectionError):
        return False


def send_from_elsewhere(reader, path):
    """Press a button on another website that sends something to ours."""
    reader.page.goto("about:blank")
    reader.page.set_content(f'<form method="post" action="{reader.demo.site}{path}"><button>Go</button></form>')
    reader.press("button")


def break_table(house, name):
    with sqlite3.connect(house.database) as database:
        database.execute(f"DROP TABLE {name}")


@pytest.mark.parametrize("language", ["en", "uk"])
def test_every_error_page_is_in_order(strict_house, new_reader, email, language):
    reader, faults, seen = new_reader(language, house=strict_house), [], []

    def _look(status):
        seen.append(status)
        assert reader.arrived_with == status
        faults.extend(faults_in_views(reader.page, f"{language} error {status}"))

    reader.open("/nowhere")
    _look(404)
    reader.open("/signout")
    _look(405)
    send_from_elsewhere(reader, "/signin")
    _look(403)
    reader.open("/contribute")
    reader.fill(email)
    reader.page.locator("input[name=csrf_token]").evaluate("field => field.remove()")
    reader.press(reader.button)
    _look(400)
    for _ in range(31):
        reader.context.request.get(strict_house.site + "/contribute/thanks?session=cs_unknown")
    reader.open("/contribute/thanks?session=cs_unknown")
    _look(429)
    break_table(strict_house, "rate_counters")
    reader.open("/signin")
    reader.page.fill("#email", email)
    reader.press("main form button")
    _look(503)
    break_table(strict_house, "coverage_spans")
    reader.open("/")
    _look(500)
    assert faults == []


def test_a_reader_who_tries_too_often_is_asked_to_wait_and_loses_nothing(strict_house, new_reader, email):
    reader = new_reader("en", house=strict_house)
    for _ in range(6):
        reader.open("/contribute")
        reader.fill(email, cups=4)
        reader.press(reader.button)
    assert reader.arrived_with == 429
    reader.says("Nothing was charged", "There were many tries from here in a short time")
    assert reader.page.locator("#email").input_value() == email
    assert faults_in_views(reader.page, "en contribute limited") == []


def test_the_control_page_of_the_sandbox_is_in_order(demo, reader, email):
    reader.becomes_patron(email)
    reader.open(demo.sandbox + "/_sandbox")
    assert faults_in_views(reader.page, "en control page") == []


def test_the_demo_says_nothing_but_in_its_own_language(new_reader):
    """The switch keeps the page and is remembered."""
    reader = new_reader("en")
    reader.open("/contribute?rhythm=yearly&cups=4")
    reader.language = "uk"
    reader.press(".languages a")
    assert urlsplit(reader.page.url).path == "/contribute"
    assert reader.page.locator("input[name=rhythm][value=yearly]").is_checked()
    assert reader.page.locator("input[name=cups][value='4']").is_checked()
    reader.open("/")
    assert Path(urlsplit(reader.page.url).path) == Path("/")
