"""No more mails about this: one click, by the reader or by the mail program, and never by a scanner."""

import re
from datetime import timedelta
from email import policy
from email.parser import BytesParser
from urllib.parse import urlsplit

import pytest
import time_machine

from membership.db import in_transaction
from membership.kernel import clock
from membership.mail import jobs, letters, services, stopping
from membership.mail.catalogue import find_entry
from membership.mail.stopping import Stopper

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


class Stopped(set):
    """Who is stopped, as (row, person); counts the calls."""

    n_calls = 0

    def stop(self, row_id, person_id):
        assert in_transaction()
        self.n_calls += 1
        self.add((row_id, person_id))

    def resume(self, row_id, person_id):
        self.discard((row_id, person_id))


@pytest.fixture
def stopped(app, monkeypatch) -> Stopped:
    stopped = Stopped()
    names = {7: "Why do the trams stand still?", 8: "<b>Bridges</b>"}
    monkeypatch.setitem(
        app.extensions,
        "membership.stoppers",
        {
            "topic": Stopper((stopped.stop,), names.get, stopped.resume),
            "poll": Stopper((stopped.stop, stopped.stop), names.get),
        },
    )
    return stopped


def path_of(what="topic", row_id=7, person_id=3) -> str:
    return urlsplit(stopping.stop_url(what, row_id, person_id)).path


def page(answer) -> str:
    return answer.get_data(as_text=True)


def test_looking_at_the_link_changes_nothing(client, stopped):
    for _ in range(20):
        assert client.get(path_of()).status_code == 200
        assert client.head(path_of()).status_code == 200
        assert client.options(path_of()).status_code == 200
    assert (stopped, stopped.n_calls) == (set(), 0)


def test_the_page_names_what_its_button_stops(client, stopped):
    path = path_of()  # once: it holds the second in which it was made
    shown = page(client.get(path))
    assert "Why do the trams stand still?" in shown
    assert f'<form method="post" action="{path}?lang=en">' in shown
    assert "Stop these mails" in shown
    assert "&lt;b&gt;Bridges&lt;/b&gt;" in page(client.get(path_of(row_id=8)))


def test_the_button_stops_without_cookie_and_without_form_token(client, stopped):
    answer = client.post(path_of())
    assert (answer.status_code, answer.location) == (200, None)
    assert "Done." in page(answer)
    assert stopped == {(7, 3)}
    assert answer.headers.getlist("Set-Cookie") == []


def test_a_mail_program_stops_by_one_click(client, stopped):
    headers = {"Origin": "https://mail.example", "Sec-Fetch-Site": "cross-site"}
    assert client.post(path_of() + "?lang=uk", data=ONE_CLICK, headers=headers).status_code == 200
    assert stopped == {(7, 3)}


def test_stopping_twice_is_stopping(client, stopped):
    for _ in range(3):
        assert client.post(path_of(), data=ONE_CLICK).status_code == 200
    assert stopped == {(7, 3)}


def test_everything_that_sends_such_mails_is_stopped(client, stopped):
    client.post(path_of("poll", 7, 5))
    assert (stopped, stopped.n_calls) == ({(7, 5)}, 2)


def test_it_is_undone_where_that_is_possible(client, stopped):
    assert "Undo" in page(client.post(path_of()))
    answer = client.post(path_of() + "/undo")
    assert (answer.status_code, stopped) == (200, set())
    assert "The mails come again" in page(answer)


def test_what_cannot_be_undone_offers_no_undo(client, stopped):
    assert "Undo" not in page(client.post(path_of("poll")))
    assert client.post(path_of("poll") + "/undo").status_code == 404
    assert stopped == {(7, 3)}


def test_the_page_speaks_the_language_of_the_mail(client, stopped):
    path = path_of()
    shown = page(client.get(path + "?lang=uk", headers={"Accept-Language": "en"}))
    assert '<html lang="uk">' in shown
    assert f'action="{path}?lang=uk"' in shown


@pytest.mark.parametrize("end", ["", "/undo"])
def test_a_link_that_somebody_changed_stops_nothing_and_says_so(client, stopped, end):
    path = path_of()
    for broken in (path[:-2] + end, path + "xx" + end, path.replace("stop/", "stop/A") + end, "/mail/stop/x" + end):
        for answer in (client.post(broken), client.get(broken.removesuffix("/undo"))):
            assert answer.status_code == 404
            assert "This link stops nothing" in page(answer)
    assert stopped == set()


def test_a_link_for_something_else_stops_nothing(client, stopped):
    from membership.web.tokens import signed

    other = signed("accounts.next", ["topic", 7, 3], 60)
    assert client.post(f"/mail/stop/{other}").status_code == 404
    assert client.post(path_of("weather")).status_code == 404
    assert stopped == set()


def test_what_is_gone_can_still_be_stopped(client, stopped):
    assert client.get(path_of(row_id=99)).status_code == 200
    client.post(path_of(row_id=99))
    assert stopped == {(99, 3)}


def test_a_link_works_for_years(client, stopped):
    path = path_of()
    with time_machine.travel(clock.real_now() + timedelta(days=4 * 365)):
        client.post(path)
    assert stopped == {(7, 3)}
    with time_machine.travel(clock.real_now() + timedelta(days=6 * 365)):
        assert client.post(path).status_code == 404


# In the mail --------------------------------------------------------------------------------------------


def use_https(app) -> None:
    known = app.extensions["membership.settings"]
    app.extensions["membership.settings"] = known.model_copy(update={"public_url": "https://join.example.org"})


def send(note, kind, locale="en"):
    note["context"] = note["context"] | {"stop_url": stopping.stop_url("topic", 7, 3)}
    services.send(kind, "olena@example.org", locale, {"note_id": 1})
    jobs.sweep(clock.now())


def read(server):
    return BytesParser(policy=policy.default).parsebytes(server.taken[0].content)


def test_a_mail_that_can_be_stopped_says_how_to_reader_and_program(app, note, note_mail, server):
    use_https(app)
    send(note, note_mail, "uk")
    message = read(server)
    url = message["List-Unsubscribe"].strip("<>")
    assert url.startswith("https://join.example.org/mail/stop/")
    assert url.endswith("?lang=uk")
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message.get_body(("plain",)).get_content().rstrip().endswith(url)
    assert f'href="{url}"' in message.get_body(("html",)).get_content()
    assert f"List-Unsubscribe: <{url}>\r\n".encode() in server.taken[0].content  # never folded, never encoded


def test_without_https_no_program_is_asked_to_click(app, note, note_mail, server):
    send(note, note_mail)
    assert read(server)["List-Unsubscribe"].startswith("<http://localhost/mail/stop/")
    assert read(server)["List-Unsubscribe-Post"] is None


def test_the_link_in_the_mail_is_the_one_that_stops(app, client, stopped, note, note_mail, server):
    send(note, note_mail)
    parts = urlsplit(read(server)["List-Unsubscribe"].strip("<>"))
    assert client.post(f"{parts.path}?{parts.query}", data=ONE_CLICK).status_code == 200
    assert stopped == {(7, 3)}


def test_a_mail_that_cannot_be_stopped_has_no_such_line(app, note_mail, server):
    services.send(note_mail, "olena@example.org", "en", {"note_id": 1})
    jobs.sweep(clock.now())
    assert read(server)["List-Unsubscribe"] is None
    letter = letters.write(find_entry(note_mail), {"subject_line": "A note", "words": "Hi"}, "en")
    assert "stop" not in letter.text + re.sub(r"<style>.*?</style>", "", letter.html, flags=re.DOTALL)
