"""The pages of gifts, with the real SDK and the sandbox between the form and the money."""

import html
import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from membership.contributions.models import Contribution
from membership.db import db
from membership.gifts.forms import day_of
from membership.gifts.models import Gift
from membership.gifts.rules import Stage
from membership.kernel import clock
from membership.mail.models import OutboxMail
from membership.patrons.queries import standing_of
from tests.factories.checkout import DECLINED_CARD, GOOD_CARD, pay
from tests.factories.gifts import code_for, make_gift
from tests.factories.people import any_token, make_person, sign_in

CODE = re.compile(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}")


@pytest.fixture(autouse=True)
def fresh_sandbox(sandbox):
    sandbox.reset()


def fill_in(client, url="/gift", **changes):
    page = client.get(url).get_data(as_text=True)
    form = re.search(r'<form[^>]*class="form gift".*?</form>', page, re.DOTALL).group(0)
    tags = re.findall(r'<input[^>]*type="hidden"[^>]*>', form)
    sent = {re.search(r'name="([^"]+)"', tag).group(1): re.search(r'value="([^"]*)"', tag).group(1) for tag in tags}
    typed = {
        "email": "olena@example.org", "months": "3", "cups": "2", "way": "mail", "from_name": "Olena",
        "receiver_name": "Taras", "receiver_email": "taras@example.org", "send_on": day_of(clock.now()),
        "message": "Happy birthday!",
    }  # fmt: skip
    return {name: html.unescape(value) for name, value in sent.items()} | typed | changes


def begin(client, **changes):
    answer = client.post("/gift", data=fill_in(client, **changes))
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return answer.location


def buy(client, **changes):
    """The thanks page after paying."""
    paid = pay(begin(client, **changes), GOOD_CARD)
    return client.get(paid.headers["Location"].removeprefix("http://localhost")).get_data(as_text=True)


def the_gift() -> Gift:
    return db.session.scalars(select(Gift), execution_options={"populate_existing": True}).one()


def kinds():
    return sorted(db.session.scalars(select(OutboxMail.kind)).all())


def test_a_gift_for_today_is_paid_mailed_and_thanked_for(app, client):
    page = buy(client)
    assert "Your gift is paid" in page
    assert CODE.search(page) is None, "what we mail needs no code on the page"
    gift = the_gift()
    assert (gift.stage, gift.n_months, gift.n_cups) == (Stage.SENT, 3, 2)
    assert db.session.scalars(select(Contribution)).one().charge_minor == 400 * 3 * 2
    assert kinds() == ["contributions/receipt", "gifts/bought", "gifts/for_you"]


def test_by_hand_the_code_is_shown_to_the_browser_that_bought_it_and_to_no_other(app, client):
    paid = pay(begin(client, way="hand", receiver_email="", send_on=""), GOOD_CARD)
    path = paid.headers["Location"].removeprefix("http://localhost")
    assert code_for(the_gift()) not in app.test_client().get(path).get_data(as_text=True)
    assert code_for(the_gift()) in client.get(path).get_data(as_text=True)


def test_a_declined_card_makes_no_gift_and_another_card_does(app, client):
    url = begin(client)
    pay(url, DECLINED_CARD)
    assert (the_gift().stage, kinds()) == (Stage.UNPAID, [])
    pay(url, GOOD_CARD)


def test_coming_back_from_the_payment_page_loses_nothing_that_was_typed(app, client):
    begin(client, months="6", message="Many thanks")
    page = client.get("/gift?came_back=1").get_data(as_text=True)
    for typed in ("olena@example.org", "taras@example.org", "Many thanks", "Nothing was charged"):
        assert typed in page
    assert re.search(r'value="6"[^>]*checked|checked[^>]*value="6"', page)
    other = app.test_client().get("/gift?came_back=1").get_data(as_text=True)
    assert "taras@example.org" not in other


def test_pressing_twice_is_one_page_and_another_receiver_is_the_same_gift(app, client):
    first = begin(client)
    assert begin(client) == first
    assert begin(client, receiver_name="Maria", receiver_email="maria@example.org") == first
    assert the_gift().receiver_email == "maria@example.org"


def test_after_a_gift_the_next_one_is_another(app, client):
    buy(client)
    buy(client, receiver_email="maria@example.org")
    assert db.session.scalar(select(func.count()).select_from(Gift)) == 2


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"receiver_email": "taras"}, "Please type an e-mail address"),
        ({"receiver_name": " "}, "Please type the name of the one who gets it"),
        ({"from_name": "x" * 61}, "at most 60"),
        ({"send_on": "2020-01-01"}, "This day is over"),
        ({"send_on": "soon"}, "Please choose a day"),
        ({"send_on": "2999-01-01"}, "within the next twelve months"),
        ({"message": "x" * 501}, "at most 500"),
        ({"months": "7"}, "Not a valid choice"),
        ({"email": "olena"}, "Please type an e-mail address"),
    ],
)
def test_every_mistake_is_told_beside_its_field_and_asks_for_no_money(app, client, changes, said):
    answer = client.post("/gift", data=fill_in(client, **changes))
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert said in page
    assert "Happy birthday!" in page or "message" in changes
    assert db.session.scalar(select(func.count()).select_from(Gift)) == 0


def test_a_code_is_redeemed_by_who_signs_in_and_waits_for_it_meanwhile(app, client):
    gift, taras = make_gift(), app.test_client()
    assert taras.get(f"/gift/redeem/{code_for(gift).lower()}").location == "/gift/redeem"
    assert code_for(gift) in taras.get("/gift/redeem").get_data(as_text=True)
    answer = taras.post("/gift/redeem", data={"csrf_token": any_token(taras), "code": code_for(gift)})
    assert answer.location == "/signin?next=redeem"
    assert sign_in(taras, "taras@example.org", next="redeem").location == "/gift/redeem"
    assert code_for(gift) in taras.get("/gift/redeem").get_data(as_text=True)
    page = taras.post("/gift/redeem", data={"csrf_token": any_token(taras), "code": code_for(gift)})
    text = page.get_data(as_text=True)
    assert "The membership is yours" in text
    assert "12" not in re.sub(r"<[^>]+>", "", text).split("The membership is yours")[1].split("until")[0], "no price"
    assert standing_of(make_person("taras@example.org").id, clock.now()).is_patron


def test_looking_at_the_mailed_link_redeems_nothing(app, client):
    gift = make_gift()
    make_person()
    sign_in(client)
    client.get(f"/gift/redeem/{code_for(gift)}", follow_redirects=True)
    db.session.refresh(gift)
    assert gift.redeemed_at is None


def test_wrong_codes_get_one_answer_and_are_counted(app, client):
    known = app.extensions["membership.settings"]
    app.extensions["membership.settings"] = known.model_copy(update={"rate_limits": True})
    make_person()
    sign_in(client)
    answers = [
        client.post("/gift/redeem", data={"csrf_token": any_token(client), "code": f"0000-0000-{n:04}"})
        for n in range(21)
    ]
    assert {answer.status_code for answer in answers[:20]} == {422}
    assert answers[20].status_code == 429
    assert "This code does not work" in answers[0].get_data(as_text=True)


def test_the_giver_sees_changes_and_prints_the_gift(app, client):
    gift = make_gift(receiver_email="taras@example.org", send_at=clock.now() + timedelta(days=9))
    sign_in(client)
    assert "for Taras" in client.get("/account/gifts").get_data(as_text=True)
    path = f"/account/gifts/{gift.public_id}"
    assert code_for(gift) in client.get(path).get_data(as_text=True)
    fields = {
        "csrf_token": any_token(client), "from_name": "O.", "receiver_name": "Maria", "way": "hand",
        "receiver_email": "", "send_on": "", "message": "",
    }  # fmt: skip
    assert client.post(path, data=fields).status_code == 303
    card = client.get(f"{path}/card").get_data(as_text=True)
    assert "Maria" in card
    assert code_for(gift) in card
    assert "€" not in card


def test_the_giver_has_it_mailed_again_three_times_a_day_at_most(app, client):
    known = app.extensions["membership.settings"]
    app.extensions["membership.settings"] = known.model_copy(update={"rate_limits": True})
    gift = make_gift(receiver_email="taras@example.org", send_at=clock.now())
    sign_in(client)
    path = f"/account/gifts/{gift.public_id}/send"
    answers = [client.post(path, data={"csrf_token": any_token(client)}).status_code for _ in range(4)]
    assert answers == [303, 303, 303, 429]
    assert kinds().count("gifts/for_you") == 4


def test_a_gift_is_there_for_its_giver_only(app, client):
    gift = make_gift()
    make_person("eve@example.org")
    sign_in(client, "eve@example.org")
    for path in ("", "/card"):
        assert client.get(f"/account/gifts/{gift.public_id}{path}").status_code == 404
    assert (
        client.post(f"/account/gifts/{gift.public_id}/send", data={"csrf_token": any_token(client)}).status_code == 404
    )


def test_a_message_is_shown_as_it_was_typed_and_never_as_markup(app, client):
    gift = make_gift(message="<script>alert(1)</script>")
    sign_in(client)
    assert "<script>alert" not in client.get(f"/account/gifts/{gift.public_id}/card").get_data(as_text=True)
