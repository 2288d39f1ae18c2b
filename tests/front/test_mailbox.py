"""The demo's mailbox: a real SMTP server fills it, two pages show it."""

import smtplib
from email.message import EmailMessage

import html5lib
import pytest

from membership.cli.mailbox import serve_mailbox
from membership.front.queries.mailbox import list_mails, split_links
from tests.conftest import make_settings
from tests.factories.smtp import free_port


@pytest.fixture
def settings(database_url, tmp_path):
    return make_settings(
        database_url=database_url,
        queue_path=str(tmp_path / "queue.db"),
        demo=True,
        demo_mailbox=str(tmp_path / "mail"),
    )


@pytest.fixture
def post(tmp_path):
    """Sends a mail to the mailbox over SMTP."""
    port = free_port()
    controller = serve_mailbox(tmp_path / "mail", port)

    def send(subject="Your sign-in code", text="Open http://localhost/signin now.", html="<p>Hello</p>", to="a@b.org"):
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "The Harbour Post <support@example.org>", to, subject
        message["Date"] = "Sun, 22 Nov 2026 16:00:00 +0000"
        message.set_content(text)
        message.add_alternative(f"<!DOCTYPE html><html><head><title>x</title></head>{html}</html>", subtype="html")
        with smtplib.SMTP("127.0.0.1", port, timeout=5) as server:
            server.send_message(message)

    yield send
    controller.stop()


def page_of(answer):
    assert answer.status_code == 200
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    return parser.parse(answer.get_data(as_text=True))


def text_of(element) -> str:
    return " ".join("".join(element.itertext()).split())


def first_mail(client) -> str:
    return page_of(client.get("/demo/mail")).find(".//td/a").get("href")


def test_an_empty_mailbox_says_how_a_mail_gets_there(client):
    page = page_of(client.get("/demo/mail"))
    assert "No mail yet" in text_of(page)
    assert page.find(".//main//a[@href='/signin']") is not None


def test_mails_are_listed_newest_first(client, post):
    for subject in ("First", "Second", "Third"):
        post(subject, to="olena@example.org")
    rows = [text_of(row) for row in page_of(client.get("/demo/mail")).findall(".//tbody/tr")]
    assert [row.split()[0] for row in rows] == ["Third", "Second", "First"]
    assert "olena@example.org" in rows[0]
    assert "November 22, 2026" in rows[0]


def test_a_link_to_our_own_site_can_be_followed_from_the_text(client, post):
    post(text="Open http://localhost/signin/link/abc.\nNot https://evil.example.org/x nor http://localhost.evil.org/")
    page = page_of(client.get(first_mail(client)))
    assert [link.get("href") for link in page.findall(".//p[@class='mail-text']/a")] == [
        "http://localhost/signin/link/abc"
    ]
    assert "https://evil.example.org/x" in text_of(page)


def test_the_html_part_stands_in_a_frame_that_may_do_nothing(client, post):
    post(html="<script>alert(1)</script><p>Hello</p>")
    page = page_of(client.get(first_mail(client)))
    frame = page.find(".//iframe")
    assert frame.get("sandbox") == "allow-top-navigation-by-user-activation"
    answer = client.get(frame.get("src"))
    policy = answer.headers["Content-Security-Policy"]
    assert "sandbox allow-top-navigation-by-user-activation" in policy
    assert "frame-ancestors 'self'" in policy
    assert "default-src 'none'" in policy
    assert "form-action 'none'" in policy
    assert '<base target="_top">' in answer.text


def test_only_the_page_of_a_mail_may_hold_a_frame(client, post):
    post()
    assert "frame-src" not in client.get("/demo/mail").headers["Content-Security-Policy"]
    policy = client.get(first_mail(client)).headers["Content-Security-Policy"]
    assert "frame-src 'self'" in policy
    assert "style-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize("key", ["nothing", "..%2F..%2Fetc%2Fpasswd", "%2e%2e", "new", "tmp"])
def test_a_mail_that_is_not_there_is_not_found(client, post, key):
    post()
    assert client.get(f"/demo/mail/{key}").status_code == 404
    assert client.get(f"/demo/mail/{key}/html").status_code == 404


def test_words_of_a_mail_stay_words(client, post):
    post(subject="<img src=x>", text="<b>bold</b> & http://localhost/?a=<script>")
    page = page_of(client.get(first_mail(client)))
    assert text_of(page.find(".//h1")) == "<img src=x>"
    assert "<b>bold</b> &" in text_of(page)


def test_a_mail_that_is_no_mail_is_shown_as_far_as_it_goes(client, tmp_path):
    serve_mailbox(tmp_path / "mail", free_port()).stop()
    (tmp_path / "mail" / "new" / "1.M2P3Q4.host").write_bytes(b"\xff\x00 no headers\r\n\r\n\xfe")
    assert "No subject" in text_of(page_of(client.get(first_mail(client))))


def test_the_mailbox_speaks_ukrainian(client, post):
    post()
    page = page_of(client.get("/demo/mail", headers={"Accept-Language": "uk"}))
    assert page.get("lang") == "uk"
    assert "22 листопада 2026" in text_of(page)


def test_outside_the_demo_there_is_no_mailbox(app, client):
    known = app.extensions["membership.settings"]
    app.extensions["membership.settings"] = known.model_copy(update={"demo": False})
    for path in ("/demo/mail", "/demo/mail/x", "/demo/mail/x/html"):
        assert client.get(path).status_code == 404


def test_a_folder_that_is_not_there_is_an_empty_mailbox(tmp_path):
    assert list_mails(tmp_path / "nowhere") == []


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("no links", []),
        ("http://localhost", ["http://localhost"]),
        ("(http://localhost/a), http://localhost/b?c=d.", ["http://localhost/a", "http://localhost/b?c=d"]),
        ("http://localhost:81/a http://localhost@evil.org/ https://localhost/", []),
    ],
)
def test_only_our_own_addresses_become_links(text, urls):
    pieces = split_links(text, "http://localhost")
    assert [piece.url for piece in pieces if piece.url] == urls
    assert "".join(piece.text for piece in pieces) == text
