"""A gift from the money to the membership, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
import time_machine
from pydantic import SecretStr
from sqlalchemy import func, select

from membership.accounts.models import TimelineEntry
from membership.billing.books import Scope
from membership.contributions.models import Contribution
from membership.contributions.queries import find_live_support
from membership.db import db, transaction
from membership.gifts import checks as gifts_checks
from membership.gifts import emails, jobs, queries, services
from membership.gifts.models import Gift
from membership.gifts.rules import Delivery, Stage
from membership.kernel.errors import Conflict, InvalidInput, NotFound
from membership.mail.models import OutboxMail
from membership.patrons import services as patrons
from membership.patrons.models import CoverageGrant, Movement
from membership.patrons.queries import standing_of
from membership.patrons.rules import Cause, Why, add_months
from tests.factories.gifts import code_for, give_back, make_gift, make_unpaid_gift, pay_for
from tests.factories.people import make_person

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
A_WEEK = timedelta(days=7)
BY_HAND = Delivery("Olena", "Maria", None, None, None)


@pytest.fixture(autouse=True)
def still_clock(app):
    with time_machine.travel(NOW, tick=False):
        yield


def mails(kind=None):
    rows = db.session.scalars(select(OutboxMail).order_by(OutboxMail.id)).all()
    return [(row.kind, row.to_address) for row in rows if kind is None or row.kind == kind]


def again(gift) -> Gift:
    return db.session.get_one(Gift, gift.id, populate_existing=True)


def to(email="taras@example.org", send_at=NOW) -> dict:
    return {"receiver_email": email, "send_at": send_at}


def redeem(gift, person, at=NOW):
    return services.redeem(code_for(gift), person.id, at)


def test_a_paid_gift_covers_nobody_and_is_no_support_of_the_giver():
    gift = make_gift()
    giver = gift.giver_id
    assert again(gift).stage is Stage.PAID
    assert standing_of(giver, NOW).why is Why.NONE
    assert db.session.scalar(select(func.count()).select_from(CoverageGrant)) == 0
    assert db.session.scalar(select(func.count()).select_from(Movement)) == 0
    assert find_live_support(giver) is None
    assert [kind for kind, _ in mails()] == ["contributions/receipt", "gifts/bought"]


def test_an_unpaid_gift_has_no_code_that_works():
    gift = make_unpaid_gift()
    with pytest.raises(InvalidInput):
        redeem(gift, make_person("taras@example.org"))
    assert again(gift).code_hash is None


def test_the_code_stands_nowhere_in_the_database():
    gift = make_gift()
    plain = code_for(gift).replace("-", "")
    values = [str(getattr(again(gift), column.name)) for column in Gift.__table__.columns]
    assert not [value for value in values if plain in value or code_for(gift) in value]


def test_a_gift_for_today_is_mailed_with_the_money_and_one_for_later_on_its_day():
    make_gift(**to())
    later = make_gift("ivan@example.org", **to("maria@example.org", NOW + A_WEEK))
    assert mails("gifts/for_you") == [("gifts/for_you", "taras@example.org")]
    jobs.send_due(NOW + A_WEEK - timedelta(seconds=1))
    assert again(later).stage is Stage.SCHEDULED
    for _ in range(3):
        jobs.send_due(NOW + A_WEEK)
    assert mails("gifts/for_you")[1:] == [("gifts/for_you", "maria@example.org")]
    assert (again(later).stage, again(later).n_sent) == (Stage.SENT, 1)


def test_money_that_comes_after_the_day_sends_the_mail_at_once():
    gift = make_unpaid_gift(**to(send_at=NOW - A_WEEK))
    jobs.send_due(NOW)
    assert mails() == [], "nobody is promised what is not paid"
    pay_for(gift, NOW)
    assert again(gift).stage is Stage.SENT


def test_a_redeemed_gift_covers_its_months_from_now_and_tells_the_giver():
    gift, taras = make_gift(), make_person("taras@example.org")
    redeem(gift, taras)
    standing = standing_of(taras.id, NOW)
    assert (standing.is_patron, standing.why, standing.until) == (True, Why.GIFT, add_months(NOW, 3))
    assert ("gifts/redeemed", "olena@example.org") in mails()
    kinds = db.session.scalars(select(TimelineEntry.kind).where(TimelineEntry.person_id == taras.id)).all()
    assert kinds == ["gift_redeemed"]


def test_who_is_a_patron_already_gets_the_months_after_their_own():
    gift, taras = make_gift(n_months=6), make_person("taras@example.org")
    own_end = NOW + timedelta(days=20)
    with transaction("test.cover"):
        patrons.grant_period(taras.id, Cause.PAID, "payment:own", paid_at=NOW, starts_at=NOW, ends_at=own_end)
    redeem(gift, taras)
    length = add_months(NOW, 6) - NOW
    assert standing_of(taras.id, NOW).until == own_end + length


def test_redeeming_charges_nobody_and_makes_no_contribution():
    gift, taras = make_gift(), make_person("taras@example.org")
    before = db.session.scalar(select(func.count()).select_from(Contribution))
    redeem(gift, taras)
    assert db.session.scalar(select(func.count()).select_from(Contribution)) == before
    assert find_live_support(taras.id) is None


def test_a_double_click_redeems_once_and_says_the_same_twice():
    gift, taras = make_gift(), make_person("taras@example.org")
    redeem(gift, taras)
    until = standing_of(taras.id, NOW).until
    assert redeem(gift, taras).redeemed_by_id == taras.id
    assert standing_of(taras.id, NOW).until == until


def test_two_people_at_once_and_exactly_one_has_it(app):
    gift = make_gift()
    people = [make_person(f"r{n}@example.org").id for n in range(4)]
    code, barrier = code_for(gift), Barrier(4)
    db.session.rollback()

    def press(person_id):
        with app.app_context():
            barrier.wait()
            try:
                return services.redeem(code, person_id, NOW).redeemed_by_id == person_id
            except InvalidInput:
                return False
            finally:
                db.session.remove()

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(press, people))
    assert results.count(True) == 1
    assert db.session.scalar(select(func.count()).select_from(CoverageGrant)) == 1
    assert again(gift).redeemed_by_id == people[results.index(True)]


def test_wrong_used_and_dead_codes_are_told_apart_by_nobody():
    used, dead, taras = make_gift(), make_gift("ivan@example.org"), make_person("taras@example.org")
    redeem(used, make_person("maria@example.org"))
    give_back(dead, NOW)
    answers = set()
    for typed in ("", "nonsense", "0000-0000-0000", code_for(used), code_for(dead)):
        with pytest.raises(InvalidInput) as refused:
            services.redeem(typed, taras.id, NOW)
        answers.add((refused.value.code, refused.value.message, refused.value.field))
    assert len(answers) == 1


def test_money_that_goes_back_kills_an_unused_code_and_lives_again_when_won():
    gift, taras = make_gift(**to(send_at=NOW + A_WEEK)), make_person("taras@example.org")
    give_back(gift, NOW)
    jobs.send_due(NOW + A_WEEK)
    assert mails("gifts/for_you") == []
    with pytest.raises(InvalidInput):
        redeem(gift, taras)
    give_back(gift, NOW + timedelta(days=1), minor=-1200)
    jobs.send_due(NOW + A_WEEK)
    redeem(gift, taras)
    assert standing_of(taras.id, NOW).is_patron


def test_money_that_goes_back_ends_what_was_redeemed_and_gives_it_again_when_won():
    gift, taras = make_gift(), make_person("taras@example.org")
    redeem(gift, taras)
    later = NOW + A_WEEK
    give_back(gift, later)
    assert not standing_of(taras.id, later).is_patron
    assert again(gift).stage is Stage.RETURNED
    give_back(gift, later + A_WEEK, minor=-1200)
    assert standing_of(taras.id, later + A_WEEK).is_patron
    assert again(gift).stage is Stage.REDEEMED


def test_a_part_that_goes_back_leaves_the_gift_alone():
    gift, taras = make_gift(), make_person("taras@example.org")
    give_back(gift, NOW, minor=400)
    redeem(gift, taras)
    give_back(gift, NOW, minor=400)
    assert standing_of(taras.id, NOW).is_patron
    give_back(gift, NOW, minor=400)
    assert not standing_of(taras.id, NOW + timedelta(seconds=1)).is_patron, "now it is the whole"


def test_the_giver_changes_address_and_day_until_it_was_sent():
    gift = make_gift(**to(send_at=NOW + A_WEEK))
    code = code_for(gift)
    moved = Delivery("O.", "Maria", "Hello", "maria@example.org", NOW + 2 * A_WEEK)
    services.change(gift.public_id, gift.giver_id, moved)
    jobs.send_due(NOW + A_WEEK)
    assert mails("gifts/for_you") == []
    jobs.send_due(NOW + 2 * A_WEEK)
    assert mails("gifts/for_you") == [("gifts/for_you", "maria@example.org")]
    assert code_for(again(gift)) == code
    with pytest.raises(Conflict):
        services.change(gift.public_id, gift.giver_id, BY_HAND)


def test_a_change_to_today_sends_it_now():
    gift = make_gift()
    services.change(gift.public_id, gift.giver_id, Delivery("Olena", "Taras", None, "taras@example.org", NOW))
    assert mails("gifts/for_you") == [("gifts/for_you", "taras@example.org")]


def test_sending_again_is_a_second_mail_to_the_same_address_and_not_before_the_first():
    gift = make_gift(**to(send_at=NOW + A_WEEK))
    with pytest.raises(Conflict):
        services.send_again(gift.public_id, gift.giver_id)
    jobs.send_due(NOW + A_WEEK)
    services.send_again(gift.public_id, gift.giver_id)
    assert mails("gifts/for_you") == [("gifts/for_you", "taras@example.org")] * 2
    redeem(gift, make_person("taras@example.org"))
    with pytest.raises(Conflict):
        services.send_again(gift.public_id, gift.giver_id)


def test_after_a_change_of_the_secret_key_a_gift_that_is_mailed_again_works(app):
    gift, taras = make_gift(**to()), make_person("taras@example.org")
    known = app.extensions["membership.settings"]
    app.extensions["membership.settings"] = known.model_copy(update={"secret_key": SecretStr("another key " * 4)})
    with pytest.raises(InvalidInput):
        redeem(gift, taras)
    services.send_again(gift.public_id, gift.giver_id)
    assert redeem(gift, taras).redeemed_by_id == taras.id


def test_nobody_touches_the_gift_of_another():
    gift, stranger = make_gift(**to(send_at=NOW + A_WEEK)), make_person("eve@example.org")
    for touch in (services.send_again, lambda name, who: services.change(name, who, BY_HAND)):
        with pytest.raises(NotFound):
            touch(gift.public_id, stranger.id)


def test_a_gift_redeemed_before_its_day_is_not_mailed_and_a_mail_on_its_way_is_dropped():
    gift = make_gift(**to(send_at=NOW + A_WEEK))
    redeem(gift, make_person("taras@example.org"))
    jobs.send_due(NOW + A_WEEK)
    assert mails("gifts/for_you") == []
    assert emails.for_you({"gift_id": gift.id}, NOW) is None


def test_the_receiver_reads_from_whom_the_message_and_the_code_and_never_the_price(app):
    gift = make_gift(**to())
    said = emails.for_you({"gift_id": gift.id}, NOW)
    assert (said["from_name"], said["message"], said["code"]) == ("Olena", "Happy birthday!", code_for(gift))
    assert said["redeem_url"].endswith(f"/gift/redeem/{code_for(gift)}")
    assert "price" not in said
    taras = make_person("taras@example.org")
    redeem(gift, taras)
    notes = db.session.scalars(select(TimelineEntry.details).where(TimelineEntry.person_id == taras.id)).all()
    assert notes == [{"gift": gift.public_id, "n_months": 3}]
    assert not [row for row in queries.export_of(taras.id) if "receiver_email" in row or "price" in str(row)]


def test_the_giver_hears_once_that_nobody_redeemed_it():
    by_hand = make_gift()
    mailed = make_gift("ivan@example.org", **to(send_at=NOW + A_WEEK))
    jobs.send_due(NOW + A_WEEK)
    used = make_gift("maria@example.org")
    redeem(used, make_person("taras@example.org"))
    jobs.remind(NOW + timedelta(days=60))
    assert mails("gifts/not_redeemed") == [("gifts/not_redeemed", "olena@example.org")]
    for day in (67, 68, 400):
        jobs.remind(NOW + timedelta(days=day))
    assert mails("gifts/not_redeemed")[1:] == [("gifts/not_redeemed", "ivan@example.org")]
    assert again(by_hand).reminded_at
    assert again(mailed).reminded_at


def test_a_gift_that_never_was_mailed_on_its_day_reminds_nobody():
    gift = make_gift(**to(send_at=NOW + timedelta(days=200)))
    jobs.remind(NOW + timedelta(days=100))
    assert again(gift).reminded_at is None


def test_receivers_are_forgotten_thirty_days_after_a_gift_is_over():
    waiting, used = make_gift(**to(send_at=NOW + timedelta(days=300))), make_gift("ivan@example.org", **to())
    unpaid = make_unpaid_gift("maria@example.org", **to("x@example.org"))
    redeem(used, make_person("taras@example.org"))
    jobs.forget(NOW + timedelta(days=29))
    assert again(used).receiver_email
    jobs.forget(NOW + timedelta(days=31))
    for gift in (used, unpaid):
        row = again(gift)
        assert (row.receiver_name, row.receiver_email, row.message) == (None, None, None)
    assert again(waiting).receiver_email == "taras@example.org"


def test_who_gave_and_is_erased_leaves_no_word_and_the_gift_still_arrives():
    scheduled, by_hand = make_gift(**to(send_at=NOW + A_WEEK)), make_gift()
    services.erase(scheduled.giver_id, NOW)
    row = again(by_hand)
    assert (row.from_name, row.receiver_name, row.message) == (None, None, None)
    assert (again(scheduled).from_name, again(scheduled).message) == (None, None)
    jobs.send_due(NOW + A_WEEK)
    assert mails("gifts/for_you") == [("gifts/for_you", "taras@example.org")]
    assert emails.for_you({"gift_id": scheduled.id}, NOW)["from_name"] is None


def test_money_for_a_gift_of_somebody_who_was_erased_meanwhile_is_taken_and_mailed_to_nobody():
    gift, giver = make_unpaid_gift(**to(send_at=NOW)), make_person("olena@example.org")
    with transaction("test.bind"):
        db.session.query(Contribution).filter_by(reference=gift.reference).one().person_id = giver.id
    services.erase(giver.id, NOW)
    pay_for(gift, NOW + A_WEEK)
    assert (again(gift).paid_at, again(gift).stage) == (NOW + A_WEEK, Stage.PAID)
    assert mails("gifts/for_you") == []
    jobs.send_due(NOW + A_WEEK)
    assert mails("gifts/for_you") == []


def test_who_was_to_get_a_gift_and_is_erased_is_nowhere_and_the_giver_still_has_it():
    taras = make_person("taras@example.org")
    waiting, used = make_gift(**to(send_at=NOW + A_WEEK)), make_gift("ivan@example.org", **to("t@example.org"))
    redeem(used, taras)
    services.erase(taras.id, NOW)
    assert (again(waiting).receiver_email, again(waiting).stage) == (None, Stage.PAID)
    assert (again(used).receiver_email, again(used).receiver_name) == (None, None)
    jobs.send_due(NOW + A_WEEK)
    redeem(waiting, make_person("maria@example.org"))


def test_two_people_who_are_one_have_the_gifts_of_both():
    gift, taras = make_gift(), make_person("taras@example.org")
    redeem(gift, taras)
    into = make_person("both@example.org")
    services.merge(gift.giver_id, into.id, NOW)
    services.merge(taras.id, into.id, NOW)
    assert (again(gift).giver_id, again(gift).redeemed_by_id) == (into.id, into.id)


def findings():
    return [found.message for found in gifts_checks.unlike_gifts(Scope())]


def test_check_books_finds_a_gift_that_is_not_what_was_paid_redeemed_or_returned():
    gift, other, lost = make_gift(), make_gift("ivan@example.org"), make_gift("maria@example.org")
    taras = make_person("taras@example.org")
    redeem(gift, taras)
    give_back(other, NOW)
    assert findings() == []
    with transaction("test.damage"):
        db.session.delete(again(lost))
        again(other).returned_at = None
        db.session.scalars(select(CoverageGrant)).one().n_months = 12
    assert sorted(found.partition("pi_gift")[2].partition(" ")[2] for found in findings()) == [
        "covers another time.",
        "is not there.",
        "is not what became of its money.",
    ]


def test_an_export_holds_what_was_given_and_received():
    gift, taras = make_gift(**to()), make_person("taras@example.org")
    redeem(gift, taras)
    assert queries.export_of(gift.giver_id)[0]["receiver_email"] == "taras@example.org"
    assert queries.export_of(taras.id)[0]["role"] == "receiver"
