"""The mails of a poll: who gets which, what they say, and that nobody's choice can be told from them."""

from datetime import timedelta
from email import policy
from email.parser import BytesParser
from urllib.parse import urlsplit

import pytest
import time_machine

from membership.db import db
from membership.kernel import clock
from membership.mail import jobs as mail_jobs
from membership.mail.models import OutboxMail
from membership.polls import emails, jobs, queries, services
from membership.polls.rules import shown_order
from tests.factories.polls import CLOSES, NOW, OPENS, cast_ballot, close_poll, make_patron, make_poll
from tests.factories.smtp import MailServer, running, use_server

REMINDED = CLOSES - timedelta(hours=47)


@pytest.fixture
def server(app):
    handler = MailServer()
    with running(handler) as url:
        use_server(app, url)
        yield handler


def spread() -> None:
    assert mail_jobs.spread(clock.now()) is False


def told(kind) -> set[str]:
    db.session.rollback()
    return {row.to_address for row in db.session.query(OutboxMail).filter_by(kind=kind)}


def args_of(poll, person) -> dict:
    return {"poll_id": poll.id, "person_id": person.id}


def arrived(server, to) -> list:
    return [
        BytesParser(policy=policy.default).parsebytes(envelope.content)
        for envelope in server.taken
        if envelope.rcpt_tos == [to]
    ]


def text_of(message) -> str:
    return message.get_body(("plain",)).get_content()


def test_everybody_on_the_roll_hears_of_the_opening_once_in_their_language(app, server):
    make_patron()
    make_patron("taras@example.org", locale="uk")
    poll = make_poll()
    make_patron("late@example.org")
    with time_machine.travel(NOW):
        for _ in range(2):
            spread()
            mail_jobs.sweep(clock.now())
    assert told("polls/opened") == {"olena@example.org", "taras@example.org"}
    (message,) = arrived(server, "olena@example.org")
    assert message["Subject"] == f"Your vote: {poll.title}"
    assert f"http://localhost/polls/{poll.public_id}" in text_of(message)
    assert all(option.title in text_of(message) for option in queries.options_of(poll.id))
    assert [each["Content-Language"] for each in arrived(server, "taras@example.org")] == ["uk"]


def test_the_mail_lists_the_topics_as_the_persons_own_ballot_does(app):
    olena = make_patron()
    poll = make_poll(8)
    titles = [option.title for option in queries.options_of(poll.id)]
    order = shown_order(poll.order_seed, olena.public_id, 8)
    assert emails.opened(args_of(poll, olena), NOW)["options"] == [titles[position] for position in order]


def test_a_poll_that_opens_later_says_when(app):
    olena = make_patron()
    poll = make_poll(now=NOW - timedelta(days=2))
    context = emails.opened(args_of(poll, olena), NOW - timedelta(days=1))
    assert (context["is_open"], context["opens_at"], context["closes_at"]) == (False, OPENS, CLOSES)
    assert emails.opened(args_of(poll, olena), NOW)["is_open"]


def test_only_those_who_have_not_voted_are_reminded_and_only_once(app):
    olena, ihor = make_patron(), make_patron("ihor@example.org")
    poll = make_poll()
    cast_ballot(poll, olena, [0])
    args = args_of(poll, ihor)
    for _ in range(2):
        jobs.remind(REMINDED)
        spread()
    assert told("polls/closing") == {"ihor@example.org"}
    assert emails.closing(args, REMINDED)["closes_at"] == CLOSES


def test_whoever_votes_before_the_reminder_leaves_gets_none(app):
    olena = make_patron()
    poll = make_poll()
    cast_ballot(poll, olena, [])
    assert emails.closing(args_of(poll, olena), REMINDED) is None
    assert emails.opened(args_of(poll, olena), REMINDED) is None


def test_a_mail_that_comes_too_late_is_not_sent(app):
    olena = make_patron()
    poll = make_poll()
    assert emails.closing(args_of(poll, olena), CLOSES) is None
    assert emails.opened(args_of(poll, olena), CLOSES) is None
    assert emails.results(args_of(poll, olena), CLOSES) is None  # not counted yet
    services.cancel(poll.id, "A topic was out of date.", None)
    assert emails.opened(args_of(poll, olena), NOW) is None


def test_the_result_goes_to_the_whole_roll_and_names_what_stands_as_chosen(app, server):
    olena, _ = make_patron(), make_patron("ihor@example.org")
    poll = make_poll(3, n_seats=1)
    cast_ballot(poll, olena, [1])
    args = args_of(poll, olena)
    poll = close_poll(poll)
    spread()
    mail_jobs.sweep(clock.now())
    assert told("polls/results") == {"olena@example.org", "ihor@example.org"}
    options = queries.options_of(poll.id)
    message = next(each for each in arrived(server, "ihor@example.org") if each["Subject"].startswith("The result"))
    assert f"* {options[1].title}" in text_of(message)
    assert "1 person voted, of 2 who could." in text_of(message)
    assert "receipt" not in text_of(message)
    services.skip(poll.id, options[1].topic_id, "The story was out before.", args["person_id"])
    assert options[1].title not in emails.results(args, CLOSES)["chosen"]


def test_mails_are_the_same_whatever_somebody_chose(app):
    people = [make_patron(f"r{number}@example.org") for number in range(6)]
    poll = make_poll(3)
    for person, choice in zip(people, [[0], [1], [2], [0, 1], [], [0, 1, 2]], strict=True):
        cast_ballot(poll, person, choice)
    all_args = [args_of(poll, person) for person in people]
    close_poll(poll)
    spread()
    contexts = [emails.results(args, CLOSES) for args in all_args]
    assert len({str({k: v for k, v in context.items() if k != "stop_url"}) for context in contexts}) == 1
    db.session.rollback()
    rows = [(row.kind, tuple(sorted(row.args))) for row in db.session.query(OutboxMail)]
    kinds = {kind: sum(each == kind for each, _ in rows) for kind, _ in rows if kind.startswith("polls/")}
    assert kinds == {"polls/opened": 6, "polls/results": 6}
    assert {names for kind, names in rows if kind.startswith("polls/")} == {("person_id", "poll_id")}


def test_one_click_stops_reminder_and_result(app, client):
    olena = make_patron()
    poll = make_poll()
    args = args_of(poll, olena)
    url = emails.opened(args, NOW)["stop_url"]
    assert poll.title in client.get(urlsplit(url).path).get_data(as_text=True)
    assert client.post(urlsplit(url).path, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    jobs.remind(REMINDED)
    jobs.close_due(CLOSES)
    spread()
    assert told("polls/closing") | told("polls/results") == set()
    assert emails.results(args, CLOSES) is None
