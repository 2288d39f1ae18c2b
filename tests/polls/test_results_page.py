"""The page of a result and its files, from ballots that were really cast, on both databases."""

import json
import re

import pytest
from click.testing import CliRunner

from membership.cli.count import count_file as count_command
from membership.db import db
from membership.kernel import ids
from membership.polls import queries, services
from membership.polls.counting import Count, count
from membership.polls.counting.files import read
from membership.polls.sealing import plain_receipt
from membership.polls.views.results import recount_command
from tests.factories.people import any_token, make_person
from tests.factories.polls import cast_ballot, close_poll, make_patron, make_patrons, make_poll, refund
from tests.polls.tampering import tamper

APPROVALS = [[0, 1]] * 4 + [[0, 1, 2]] * 3 + [[0]] + [[2]] * 3 + [[3]] * 2 + [[]]
RANKINGS = [[0, 1]] * 5 + [[1, 0]] * 4 + [[2, 1]] * 2 + [[2, 0], [3, 2], []]


def closed_poll(ballots, **changes):
    """A closed poll in which so many people voted so."""
    people = make_patrons(len(ballots))
    poll = make_poll(**({"publish_from": 5} | changes))
    for person, positions in zip(people, ballots, strict=True):
        cast_ballot(poll, person, positions)
    return close_poll(poll)


def page_of(client, poll, language="en"):
    answer = client.get(f"/polls/{poll.public_id}", headers={"Accept-Language": language})
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def words_of(page):
    """What a reader sees of the main part, as one line of text."""
    main = re.search(r"<main.*?</main>", page, re.DOTALL)[0]
    text = re.sub(r"<[^>]+>", " ", re.sub(r"<option.*?</option>|<title.*?</title>", " ", main, flags=re.DOTALL))
    text = text.replace("&#39;", "'").replace("&amp;", "&").replace("\N{NO-BREAK SPACE}", " ")
    return re.sub(r"\s+([.,:;])", r"\1", re.sub(r"\s+", " ", text))


def command_of(poll):
    """What the page says to type after the name of the file."""
    words = recount_command(poll).split()
    assert words[:3] == ["membership", "count", "ballots.json"]
    return words[3:]


def titles_of(poll):
    return [option.title for option in queries.options_of(poll.id)]


def file_of(client, poll, name, **headers):
    return client.get(f"/polls/{poll.public_id}/{name}", headers=headers)


def test_who_won_stands_before_everything_else(client):
    poll = closed_poll(APPROVALS)
    page = page_of(client, poll)
    titles = titles_of(poll)
    winners = re.findall(r'class="winners__title"><a href="(/topics/[^"]+)"[^>]*>([^<]+)<', page)
    assert [title for _, title in winners] == [titles[0], titles[2]]
    assert "Members chose 2 topics out of 4." in words_of(page)
    assert "Ticked on 8 of 14 ballots" in words_of(page)
    assert page.index("winners__title") < page.index("round-1")


def test_spav_is_told_place_by_place(client):
    poll = closed_poll(APPROVALS)
    a, b, c, _ = titles_of(poll)
    words = words_of(page_of(client, poll))
    assert f"A {a} was ticked most: 8 votes." in words
    assert "8 ballots count ½ each" in words
    assert f"With these weights B {c} leads with 4.5 votes; it was ticked on 6 ballots." in words
    assert f"By ticks alone C {b} would have come next with 7 votes" in words
    assert "14 of 14 members voted. 1 ballot was blank." in words


def test_what_missed_stays_and_says_by_how_much(client):
    poll = closed_poll(APPROVALS)
    words = words_of(page_of(client, poll))
    assert "These topics stay on our list and can come back in a later poll." in words
    assert f"{titles_of(poll)[1]} missed by 1 vote" in words
    assert f"{titles_of(poll)[3]} missed by 2.5 votes" in words


def test_other_rules_say_what_would_differ(client):
    poll = closed_poll(APPROVALS)
    words = words_of(page_of(client, poll))
    assert f"Approval voting C {titles_of(poll)[1]} instead of B {titles_of(poll)[2]}." in words


def test_a_ranked_poll_is_told_round_by_round_and_head_to_head(client):
    poll = closed_poll(RANKINGS, rule="stv", n_seats=1)
    page = page_of(client, poll)
    words, titles = words_of(page), titles_of(poll)
    assert f"{titles[3]} had the fewest votes, 1, and was dropped. They moved on: 1 vote to C {titles[2]}." in words
    assert f"{titles[2]} had the fewest votes, 4, and was dropped." in words
    assert "1 vote named no other topic that was left." in words
    assert "more than half" in words
    assert 'role="img" aria-labelledby="flow-title flow-words"' in page
    assert "Head to head" in words


def test_a_tie_names_the_lot(client):
    poll = closed_poll([[0]] * 3 + [[1]] * 3, rule="plurality", n_seats=1)
    words = words_of(page_of(client, poll))
    winner = titles_of(poll)[queries.winners_now(poll)[0]]
    assert "were equal at 3 votes." in words
    assert f"The lot order, drawn and published when the poll opened, decided for A {winner}." in words


def test_hours_are_shared_out(client):
    poll = closed_poll([[0, 1]] * 6 + [[2]] * 4 + [[3]], rule="equal-shares", n_seats=2, budget_hours=30)
    words = words_of(page_of(client, poll))
    assert "Where 30 hours of reporting go" in words
    assert "Its 6 voters paid for it together" in words


def test_blank_ballots_alone_choose_nothing(client):
    poll = closed_poll([[]] * 6, rule="approval")
    assert "Nobody named a topic, so none was chosen." in words_of(page_of(client, poll))


def test_hours_stay_where_nobody_named_a_topic(client):
    poll = closed_poll([[]] * 6, rule="equal-shares", n_seats=2, budget_hours=30)
    words = words_of(page_of(client, poll))
    assert queries.winners_now(poll) == []
    assert "No topic was chosen this time." in words
    assert "Nobody named a topic, so none was chosen." in words


def test_set_aside_ballots_are_a_number(client):
    patron = make_patron()
    people = make_patrons(6)
    poll = make_poll(publish_from=5)
    for person in [patron, *people]:
        cast_ballot(poll, person, [1])
    refund(patron)
    poll = close_poll(poll)
    assert "1 ballot was set aside" in words_of(page_of(client, poll))
    assert "Ticked on 6 of 6 ballots" in words_of(page_of(client, poll))


def test_few_ballots_are_not_taken_apart_anywhere(client):
    poll = closed_poll([[0, 1], [0], [2], [0]])
    page = page_of(client, poll)
    words = words_of(page)
    assert titles_of(poll)[0] in words
    assert "Only 4 ballots were counted. With fewer than five" in words
    assert not re.search(r"Ticked on|Round \d|missed by|instead of|count\.json|ballots\.json", page)
    assert file_of(client, poll, "count.json").status_code == 404
    assert file_of(client, poll, "ballots.json").status_code == 404
    assert len(file_of(client, poll, "receipts.txt").get_data(as_text=True).splitlines()) == 4


def test_a_winner_that_was_passed_over_is_told_with_its_reason_and_who_moved_up(client):
    poll = closed_poll(APPROVALS)
    editor = make_person("editor@example.org")
    options = queries.options_of(poll.id)
    services.skip(poll.id, options[2].topic_id, "Another newsroom has just published it.", editor.id)
    page = page_of(client, poll)
    words = words_of(page)
    assert f"B {options[2].title} was chosen by the count, but our editors cannot take it on." in words
    assert "Another newsroom has just published it." in words
    assert f"C {options[1].title} was next in the order of the count and moved up." in words
    assert options[2].title not in re.search(r'<ol class="winners.*?</ol>', page, re.DOTALL)[0]


def test_the_receipts_are_those_that_voters_got(client):
    people = make_patrons(6)
    poll = make_poll()
    receipts = [cast_ballot(poll, person, [0]).receipt for person in people]
    poll = close_poll(poll)
    answer = file_of(client, poll, "receipts.txt")
    assert answer.mimetype == "text/plain"
    assert answer.get_data(as_text=True).splitlines() == sorted(ids.digest(plain_receipt(one)) for one in receipts)


@pytest.mark.parametrize(
    ("rule", "ballots", "changes"),
    [
        ("spav", APPROVALS, {}),
        ("approval", APPROVALS, {}),
        ("stv", RANKINGS, {"n_seats": 2}),
        ("plurality", [[0]] * 4 + [[1]] * 4 + [[2], []], {"n_seats": 1}),
        ("equal-shares", APPROVALS, {"budget_hours": 25}),
    ],
)
def test_counting_the_published_ballots_gives_the_published_count(client, tmp_path, rule, ballots, changes):
    poll = closed_poll(ballots, rule=rule, **changes)
    file = tmp_path / "ballots.json"
    file.write_bytes(file_of(client, poll, "ballots.json").data)
    published = read(file.name, file.read_bytes())
    recount = count(published.rule, published.profile, published.n_seats)
    assert recount == Count.from_dict(queries.result_of(poll.id).count)
    printed = CliRunner().invoke(count_command, [str(file), *command_of(poll)])
    assert printed.exit_code == 0
    assert printed.output == file_of(client, poll, "count.json").get_data(as_text=True)
    assert "ballots.json" in page_of(client, poll)


@pytest.mark.parametrize("publish_from", [None, 500])
def test_ballots_stay_unpublished_where_the_ballot_said_so(client, publish_from):
    poll = closed_poll(APPROVALS, publish_from=publish_from)
    page = page_of(client, poll)
    assert "The ballots themselves are not published" in page
    assert "ballots.json" not in page
    assert file_of(client, poll, "ballots.json").status_code == 404
    assert file_of(client, poll, "count.json").status_code == 200


def test_published_ballots_carry_no_receipts(client):
    poll = closed_poll(APPROVALS)
    text = file_of(client, poll, "ballots.json").get_data(as_text=True)
    assert not re.search(r"[0-9a-f]{64}", text)
    assert sum(n for n, _ in json.loads(text)["ballots"]) == len(APPROVALS)


def test_files_are_asked_for_once(client):
    poll = closed_poll(APPROVALS)
    for name in ("receipts.txt", "count.json", "ballots.json"):
        first = file_of(client, poll, name)
        assert "max-age" in first.headers["Cache-Control"]
        again = file_of(client, poll, name, **{"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
        assert file_of(client, poll, name, **{"If-None-Match": '"other"'}).data == first.data


def test_an_open_poll_has_no_result_and_no_files(client):
    people = make_patrons(6)
    poll = make_poll(publish_from=5)
    for person in people:
        cast_ballot(poll, person, [0])
    for name in ("receipts.txt", "count.json", "ballots.json"):
        assert file_of(client, poll, name).status_code == 404
    assert "winners__title" not in page_of(client, poll)


def test_the_page_is_drawn_from_what_is_stored(client):
    """With every ballot gone there is nothing to count, and the page still says the same."""
    poll = closed_poll(RANKINGS, rule="stv")
    before = words_of(page_of(client, poll))
    tamper("DELETE FROM counted_ballots")
    assert words_of(page_of(client, poll)) == before


def test_seed_lot_order_head_and_version_stand_in_the_fine_print(client):
    poll = closed_poll(APPROVALS)
    words = words_of(page_of(client, poll))
    result = queries.result_of(poll.id)
    for fact in (poll.lot_seed, queries.head_of(poll.id)[1], result.ballots_digest, result.rule_version):
        assert fact in words
    assert "Receipts: 14 lines" in words
    assert "membership count ballots.json --rule spav --seats 2 --json" in words


def test_a_title_cannot_break_out_of_the_page(client):
    poll = closed_poll(APPROVALS)
    nasty = "<script>alert(1)</script>\"' onload="
    tamper("UPDATE poll_options SET title = :title WHERE position = 0", title=nasty)
    db.session.expire_all()
    page = page_of(client, poll)
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;alert(1)") > 5


def ask_about(client, poll, receipt):
    data = {"csrf_token": any_token(client), "receipt": receipt}
    answer = client.post(f"/polls/{poll.public_id}/receipt", data=data)
    assert answer.status_code == 200
    return words_of(answer.get_data(as_text=True))


def test_a_receipt_shows_its_holder_what_the_ballot_did(client):
    people = make_patrons(len(APPROVALS))
    poll = make_poll()
    receipts = [cast_ballot(poll, *pair).receipt for pair in zip(people, APPROVALS, strict=True)]
    poll = close_poll(poll)
    by_choice = {tuple(choice): receipt for choice, receipt in zip(APPROVALS, receipts, strict=True)}
    both = ask_about(client, poll, by_choice[0, 1, 2])
    assert "Topics on it that were chosen: 2 of 3." in both
    assert "it counted 1, ½, one after another." in both
    assert "Topics on it that were chosen: 0 of 1." in ask_about(client, poll, by_choice[3,])
    assert "It was blank" in ask_about(client, poll, by_choice[()])
    assert not any(title in both for title in titles_of(poll))


def test_the_page_asks_for_the_receipt_where_receipts_are_looked_up(client):
    poll = closed_poll(APPROVALS)
    page = page_of(client, poll)
    form = re.search(rf'<form[^>]*action="/polls/{poll.public_id}/receipt".*?</form>', page, re.DOTALL)[0]
    assert 'name="receipt"' in form
    assert 'name="csrf_token"' in form
