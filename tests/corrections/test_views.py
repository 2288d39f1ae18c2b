"""Pages of corrections for readers and for the desk."""

import re
import xml.etree.ElementTree as ET

import pytest
from sqlalchemy import select

from membership.corrections import queries, services
from membership.corrections.models import CorrectionPassage, CorrectionReport
from membership.db import db
from tests.factories.corrections import ARTICLE, NOTE, QUOTE, SITE, make_passage, make_passage_at, make_report
from tests.factories.people import any_token, make_person, make_staff, sign_in

SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(1)>"
FORM = "/corrections/report"
ATOM = "{http://www.w3.org/2005/Atom}"


def fields(**changes) -> dict:
    return {"article": ARTICLE, "quote": QUOTE, "context": "", "note": NOTE, "email": ""} | changes


def send(client, path=FORM, **typed):
    return client.post(path, data={"csrf_token": any_token(client)} | typed)


def read(client, path, **headers) -> str:
    return client.get(path, headers={"Accept-Language": "en"} | headers).get_data(as_text=True)


def reports() -> list[CorrectionReport]:
    db.session.rollback()
    return list(db.session.scalars(select(CorrectionReport).order_by(CorrectionReport.id)))


# Readers -----------------------------------------------------------------------------------------------


def test_the_form_knows_the_article_that_led_to_it(client):
    page = read(client, f"{FORM}?article={ARTICLE}%3Futm_source=x&quote=teh")
    assert f'value="{ARTICLE}"' in page
    assert ">\nteh</textarea>" in page.replace("\r", "")
    assert '"https://evil.example' not in read(client, f"{FORM}?article=https://evil.example/a")


def test_a_report_arrives_and_is_thanked_for(client):
    context = f"The port {QUOTE} for the basin."
    answer = send(client, **fields(context=context, email="Olena@Example.org"))
    assert (answer.status_code, answer.location) == (303, f"/corrections/thanks?article={ARTICLE}")
    (report,) = reports()
    assert (report.quote, report.prefix, report.suffix) == (QUOTE, "The port", "for the basin.")
    assert (report.note, report.email, report.way, report.person_id) == (NOTE, "olena@example.org", "form", None)
    page = read(client, answer.location)
    assert "Thank you" in page
    assert f'href="{ARTICLE}"' in page


def test_thanks_lead_to_no_other_site(client):
    page = read(client, "/corrections/thanks?article=https://evil.example/a")
    assert '"https://evil.example' not in page
    assert 'href="/"' in page


def test_who_is_signed_in_is_remembered_with_it(client):
    person = make_person()
    sign_in(client)
    assert 'value="olena@example.org"' in read(client, FORM)
    send(client, **fields(email="olena@example.org"))
    assert reports()[0].person_id == person.id


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"article": ""}, "Please copy the address of the article."),
        ({"article": "https://evil.example/a"}, "This address is not on our own site."),
        ({"article": "javascript:alert(1)"}, "This is not the address of an article."),
        ({"quote": "", "note": ""}, "Please copy the words with the mistake, or say what is wrong."),
        ({"quote": "x" * 1001}, "Please mark only the sentence with the mistake"),
        ({"note": "x" * 2001}, "Please say it shorter"),
        ({"email": "nobody"}, "This is not an e-mail address"),
    ],
)
def test_a_mistake_in_the_form_stands_beside_its_field_and_nothing_is_lost(client, changes, sentence):
    answer = send(client, **fields(**changes))
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert sentence in page
    assert changes.get("note", NOTE)[:50] in page
    assert reports() == []


def test_where_the_newsroom_has_named_no_site_the_form_says_so(app, client, settings):
    app.extensions["membership.settings"] = settings.model_copy(update={"site_origins": ()})
    assert "not in use yet" in read(client, FORM)
    assert send(client, **fields()).status_code == 422


def test_a_flood_from_one_place_is_slowed_down_and_what_was_typed_is_kept(client):
    for n in range(10):
        assert send(client, **fields(note=f"Mistake {n}")).status_code == 303
    answer = send(client, **fields(note="One too many"))
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert "One too many" in answer.get_data(as_text=True)
    assert len(reports()) == 10


def test_another_website_cannot_send_the_form(client):
    token = any_token(client)
    answer = client.post(FORM, data={"csrf_token": token} | fields(), headers={"Origin": SITE})
    assert answer.status_code == 403
    assert reports() == []


# The log -----------------------------------------------------------------------------------------------


def test_the_log_shows_corrections_only_and_no_word_of_readers(client, editor):
    make_passage_at("fixed", editor, note="SECRET note")
    make_passage_at("declined", editor, quote="another", note="SECRET other")
    page = read(client, "/corrections")
    for words in ("1.2 million", "2.1 million", "Ten years of dredging", "Corrected on"):
        assert words in page
    for words in ("SECRET", "olena@", "Well read.", "another", "The budget was changed"):
        assert words not in page


def test_the_log_goes_on_where_it_ended(client, editor):
    for n in range(21):
        row = make_passage("", note=f"Mistake {n}")
        services.fix(row.id, f"before {n}.", f"after {n}.", "", "", editor.id)
    page = read(client, "/corrections")
    assert page.count('class="corrections__item"') == 20
    rest = read(client, re.search(r'href="(/corrections\?before=[^"]+)"', page)[1])
    assert rest.count('class="corrections__item"') == 1
    assert "before 0." in rest


def test_what_was_taken_back_leaves_log_and_feed(client, editor):
    row = make_passage_at("fixed", editor)
    services.reopen(row.id, editor.id)
    assert "2.1 million" not in read(client, "/corrections")
    assert "2.1 million" not in read(client, "/corrections/feed.atom")
    assert "No correction yet" in read(client, "/corrections")


def test_the_feed_is_atom_and_is_asked_for_again_in_short(client, editor):
    row = make_passage_at("fixed", editor)
    answer = client.get("/corrections/feed.atom")
    feed = ET.fromstring(answer.get_data())  # noqa: S314 - our own answer
    assert answer.mimetype == "application/atom+xml"
    (entry,) = feed.findall(f"{ATOM}entry")
    assert entry.find(f"{ATOM}id").text == f"http://localhost/corrections#{row.public_id}"
    assert "2.1 million" in entry.find(f"{ATOM}content").text
    again = client.get("/corrections/feed.atom", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


# The desk ----------------------------------------------------------------------------------------------


def act(client, passage, action, **typed):
    return send(client, f"/staff/corrections/{passage.public_id}/{action}", **typed)


def test_the_queue_groups_what_was_reported_and_filters_by_links(desk, editor):
    passage = make_passage()
    make_report(email="two@example.org")
    make_passage_at("declined", editor, quote="in Aprli", prefix="", suffix="")
    page = read(desk, "/staff/corrections")
    assert "2 reports" in page
    assert f"/staff/corrections/{passage.public_id}" in page
    assert "in Aprli" not in page
    assert "in Aprli" in read(desk, "/staff/corrections?state=declined")
    assert "2 reports" in read(desk, "/staff/corrections?state=nonsense")
    assert "2 reports" not in read(desk, "/staff/corrections?who=mine")
    act(desk, passage, "take")
    assert "2 reports" in read(desk, "/staff/corrections?who=mine")


def test_an_editor_fixes_a_passage_and_sees_what_became_of_it(desk):
    passage = make_passage()
    page = read(desk, f"/staff/corrections/{passage.public_id}")
    assert QUOTE in page
    assert NOTE in page
    assert "olena@example.org" not in page  # it is answered by mail, and needs no eyes
    answer = act(desk, passage, "fix", before="1.2 million", after="2.1 million", headline="", reply="Thanks.")
    assert answer.status_code == 303
    page = read(desk, answer.location)
    assert "the readers are thanked" in page
    assert "published the correction" in page
    assert "2.1 million" in read(desk, "/corrections")


@pytest.mark.parametrize(
    ("action", "typed", "sentence"),
    [
        ("fix", {"before": "x", "after": "x", "headline": "", "reply": ""}, "the same words as before"),
        ("fix", {"before": "", "after": "", "headline": "", "reply": ""}, "as they were and as they are now"),
        ("decline", {"reply": " "}, "Please write a sentence or two"),
        ("duplicate", {"into": ""}, "Please choose one."),
        ("duplicate", {"into": "fix_unknown"}, "There is no such report."),
        ("assign", {"owner": "999"}, "Not a valid choice"),
    ],
)
def test_a_mistake_of_staff_stands_beside_its_field(desk, action, typed, sentence):
    passage = make_passage()
    answer = act(desk, passage, action, **typed)
    assert answer.status_code == 422
    assert sentence in answer.get_data(as_text=True)
    assert queries.get(passage.id).state == "new"


def test_every_other_action_is_one_button(desk, editor):
    one, two = make_passage(), make_passage("in Aprli", prefix="to be opened ", suffix=" by the same office")
    page = read(desk, f"/staff/corrections/{two.public_id}")
    assert f'value="{one.public_id}"' in page
    assert act(desk, two, "duplicate", into=one.public_id).status_code == 303
    assert "It is the same as another report" in read(desk, f"/staff/corrections/{two.public_id}")
    assert "Duplicates of this one" in read(desk, f"/staff/corrections/{one.public_id}")
    assert act(desk, two, "reopen").status_code == 303
    assert act(desk, two, "assign", owner=str(editor.id)).status_code == 303
    assert act(desk, two, "assign", owner="0").status_code == 303
    assert act(desk, two, "spam").status_code == 303
    assert act(desk, one, "decline", reply="It is right.").status_code == 303
    assert act(desk, one, "spam").status_code == 409
    states = {row.id: row.state for row in db.session.scalars(select(CorrectionPassage))}
    assert states == {one.id: "declined", two.id: "spam"}


def test_a_report_is_taken_out_of_its_group(desk):
    passage = make_passage()
    other = make_report(email="two@example.org")
    answer = send(desk, f"/staff/corrections/{passage.public_id}/apart/{other.public_id}")
    assert answer.status_code == 303
    assert answer.location != f"/staff/corrections/{passage.public_id}"
    assert "1 report" in read(desk, answer.location)


@pytest.mark.parametrize("role", ["viewer", "finance"])
def test_who_may_only_look_sees_everything_and_changes_nothing(client, role):
    make_staff("look@example.org", role)
    sign_in(client, "look@example.org")
    passage = make_passage()
    page = read(client, f"/staff/corrections/{passage.public_id}")
    assert "Owners and editors decide." in page
    assert "<textarea" not in page
    for action in ("fix", "decline", "duplicate", "spam", "reopen", "take", "assign", "apart/rep_x"):
        assert act(client, passage, action).status_code == 403


def test_a_passage_that_is_not_there_is_not_found(desk):
    assert desk.get("/staff/corrections/fix_unknown").status_code == 404


def test_script_in_every_field_is_shown_as_it_was_typed(desk, editor):
    hostile = f"{ARTICLE}?x=%22%3E%3Cscript%3Ealert(1)%3C/script%3E"
    typed = fields(article=hostile, quote=SCRIPT, context=f"{SCRIPT} before {SCRIPT} after {SCRIPT}", note=SCRIPT)
    assert send(desk, **typed).status_code == 303
    (report,) = reports()
    passage = queries.get(report.passage_id)
    act(desk, passage, "fix", before=SCRIPT, after=SCRIPT + ".", headline=SCRIPT, reply=SCRIPT)
    make_passage("", note=SCRIPT, article=hostile)
    pages = (
        "/corrections", "/corrections/feed.atom", "/staff/corrections", "/staff/corrections?state=fixed",
        f"/staff/corrections/{passage.public_id}", f"/corrections/thanks?article={hostile}",
        f"{FORM}?article={hostile}&quote={SCRIPT}",
    )  # fmt: skip
    for path in pages:
        page = read(desk, path)
        assert "<script>alert" not in page, path
        assert "<img src=x" not in page, path
    assert "&lt;script&gt;alert" in read(desk, f"/staff/corrections/{passage.public_id}")
