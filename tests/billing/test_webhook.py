import json
import threading
import time

import pytest
import stripe
from sqlalchemy import func, select

from membership.billing.models import InboxEvent
from membership.db import db
from tests.billing.conftest import make_event, post, sign
from tests.conftest import WEBHOOK_SECRET, make_settings


def n_events() -> int:
    return db.session.scalar(select(func.count()).select_from(InboxEvent))


@pytest.fixture(autouse=True)
def _provider(provider):
    """No test here reaches out."""


def test_a_signed_notice_is_stored_exactly_as_it_came(client):
    raw = b'{ "data":{"object":{"id":"in_7","object":"invoice"}},\n "created":1, "extra": "\xd1\x96",'
    raw += b'"id":"evt_7","object":"event","livemode":false,"type":"invoice.paid","api_version":null}'
    assert post(client, raw).status_code == 200
    row = db.session.get(InboxEvent, "evt_7")
    assert (row.body, row.state, row.object_id, row.object_kind) == (raw, "received", "in_7", "invoice")


def test_the_same_notice_again_is_no_second_row(client):
    for _ in range(3):
        assert post(client, make_event()).status_code == 200
    assert n_events() == 1


def test_fifty_deliveries_at_once_are_one_row(app):
    raw = json.dumps(make_event()).encode()
    barrier, answers = threading.Barrier(50), []

    def deliver():
        barrier.wait()
        with app.app_context():
            answers.append(post(app.test_client(), raw).status_code)

    threads = [threading.Thread(target=deliver) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 50
    assert n_events() == 1


MALFORMED = {
    "not utf-8": b"\xff\xfe{}",
    "not json": b"not json at all",
    "empty": b"",
    "an array": b"[]",
    "a number": b"1",
    "null": b"null",
    "deeper than the parser goes": b"[" * 200_000,
    "no event": b'{"object":"charge","id":"ch_1"}',
    "a thin event": b'{"object":"v2.core.event","id":"evt_1","type":"v1.billing.meter.error","livemode":false}',
    "no id": json.dumps({**make_event(), "id": None}).encode(),
    "an id that no database holds": json.dumps({**make_event(), "id": "evt_\x00"}).encode(),
    "half a character as id": json.dumps({**make_event(), "id": "evt_\ud800"}).encode(),
    "an endless id": json.dumps({**make_event(), "id": "e" * 300}).encode(),
    "no type": json.dumps({**make_event(), "type": 5}).encode(),
    "no data": json.dumps({**make_event(), "data": []}).encode(),
    "no object": json.dumps({**make_event(), "data": {"object": None}}).encode(),
    "an object without id": json.dumps({**make_event(), "data": {"object": {"object": "invoice"}}}).encode(),
    "no moment": json.dumps({**make_event(), "created": "today"}).encode(),
    "a moment beyond time": json.dumps({**make_event(), "created": 10**15}).encode(),
    "live": json.dumps({**make_event(), "livemode": True}).encode(),
    "no mode": json.dumps({**make_event(), "livemode": None}).encode(),
    "of another account": json.dumps({**make_event(), "account": "acct_2"}).encode(),
}


@pytest.mark.parametrize("raw", MALFORMED.values(), ids=MALFORMED.keys())
def test_whatever_is_wrong_with_a_signed_body_is_400(client, raw):
    assert post(client, raw).status_code == 400
    assert n_events() == 0


BODY = json.dumps(make_event()).encode()
SIGNATURES = {
    "missing": "",
    "nonsense": "hello",
    "no time": "v1=00",
    "two times": "t=1,t=2,v1=00",
    "no scheme of ours": f"t={int(time.time())},v0=00",
    "not ascii": f"t={int(time.time())},v1=\u00e9\u00e9",
    "time is no number": "t=now,v1=00",
    "time in other digits": "t=\u0661,v1=00",
    "an endless time": f"t={'9' * 5000},v1=00",
}


@pytest.mark.parametrize("header", SIGNATURES.values(), ids=SIGNATURES.keys())
def test_a_signature_that_cannot_be_read_is_400(client, header):
    assert post(client, BODY, **{"Stripe-Signature": header.encode().decode("latin-1")}).status_code == 400


@pytest.mark.parametrize("seconds", [-301, -86_400, 301, 365 * 86_400])
def test_a_signature_too_old_or_from_the_future_is_400(client, seconds):
    header = sign(BODY, at=time.time() + seconds)
    assert post(client, BODY, **{"Stripe-Signature": header}).status_code == 400


@pytest.mark.parametrize("seconds", [-290, 290])
def test_five_minutes_of_skew_are_allowed(client, seconds):
    header = sign(BODY, at=time.time() + seconds)
    assert post(client, BODY, **{"Stripe-Signature": header}).status_code == 200


def test_a_signature_by_another_secret_is_400(client):
    header = sign(BODY, secret="whsec_somebody_else")
    assert post(client, BODY, **{"Stripe-Signature": header}).status_code == 400


def test_the_sdk_s_own_signature_is_accepted(client):
    text = BODY.decode()
    header = stripe.WebhookSignature.generate_signature_header(text, WEBHOOK_SECRET)
    assert post(client, BODY, **{"Stripe-Signature": header}).status_code == 200


def test_a_byte_changed_anywhere_is_400(client):
    header = sign(BODY)
    for position in range(len(BODY)):
        changed = bytearray(BODY)
        changed[position] ^= 1
        assert post(client, bytes(changed), **{"Stripe-Signature": header}).status_code == 400
    assert n_events() == 0


def test_more_than_a_mebibyte_is_413(client):
    assert post(client, b" " * (1024 * 1024 + 1)).status_code == 413
    assert post(client, b"1" * (10 * 1024 * 1024)).status_code == 413


def test_the_address_with_a_slash_is_not_redirected(client):
    answer = client.post("/stripe/webhook/", data=BODY, headers={"Stripe-Signature": sign(BODY)})
    assert answer.status_code == 404
    assert n_events() == 0


def test_the_door_needs_no_form_token_and_sets_no_cookie(client):
    answer = post(client, make_event())
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers


def test_a_database_that_is_down_is_never_answered_with_200(app, client):
    db.session.rollback()
    db.drop_all()
    app.config["PROPAGATE_EXCEPTIONS"] = False
    assert post(client, make_event()).status_code >= 500


def test_what_we_do_not_listen_to_is_kept_and_left_alone(client):
    post(client, make_event("evt_a", "balance.available", {"object": "balance"}))
    post(client, make_event("evt_b", "mandate.updated", {"object": "mandate", "id": "mandate_1"}))
    assert db.session.get(InboxEvent, "evt_a").state == "ignored"
    assert db.session.get(InboxEvent, "evt_b").state == "deferred"


@pytest.mark.parametrize(
    ("type_", "thing", "wanted"),
    [
        ("invoice_payment.paid", {"object": "invoice_payment", "id": "inpay_1", "invoice": "in_9"}, "in_9"),
        ("refund.updated", {"object": "refund", "id": "re_1", "charge": "ch_9"}, "ch_9"),
        ("charge.dispute.created", {"object": "dispute", "id": "du_1", "charge": {"id": "ch_8"}}, "ch_8"),
        ("charge.refunded", {"object": "charge", "id": "ch_7"}, "ch_7"),
    ],
)
def test_a_notice_names_the_thing_that_must_be_read_again(client, type_, thing, wanted):
    post(client, make_event("evt_1", type_, thing))
    assert db.session.get(InboxEvent, "evt_1").object_id == wanted


def test_a_secret_that_is_being_replaced_still_opens(app, client):
    settings = make_settings(stripe_webhook_secret=("whsec_new", WEBHOOK_SECRET))
    app.extensions["membership.provider"]._settings = settings
    assert post(client, make_event()).status_code == 200


def test_a_burst_asks_the_worker_once_at_once_and_once_later(app, client):
    asked = []
    sender = app.extensions["membership.hints"]
    app.extensions["membership.hints"] = lambda job, *args: asked.append(job)
    for n in range(20):
        post(client, make_event(f"evt_{n}"))
    assert asked == ["billing.drain"]
    time.sleep(1.3)
    assert asked == ["billing.drain", "billing.drain"]
    app.extensions["membership.hints"] = sender
