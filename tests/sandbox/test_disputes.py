"""The stages of a dispute, and what each does to the balance."""

import pytest
import requests
import stripe

FEE = 2000


@pytest.fixture
def charge(client, supporter):
    supporter()
    return client.charges.list().data[0].id


@pytest.fixture
def net(client):
    """What disputes have done to the balance so far: what they hold, and their fees."""

    def read():
        moves = client.balance_transactions.list({"type": "adjustment"}).data
        return -sum(move.amount for move in moves), sum(move.fee for move in moves)

    return read


def steps(control, dispute, *names):
    return [control("dispute_step", dispute=dispute, step=name)["status"] for name in names]


def test_an_inquiry_moves_no_money_and_may_be_refunded(client, charge, control, net):
    dispute = control("dispute", charge=charge, kind="inquiry")["id"]
    assert net() == (0, 0)
    assert client.disputes.retrieve(dispute).payment_method_details.card.case_type == "inquiry"
    client.refunds.create({"charge": charge, "amount": 200})
    client.disputes.update(dispute, {"evidence": {"uncategorized_text": "They read us daily."}})
    assert client.disputes.retrieve(dispute).status == "warning_under_review"
    control("advance", days=121)
    assert client.disputes.retrieve(dispute).status == "warning_closed"
    assert net() == (0, 0)


def test_an_inquiry_that_grows_into_a_chargeback_takes_what_is_left(client, charge, control, net):
    dispute = control("dispute", charge=charge, kind="inquiry")["id"]
    client.refunds.create({"charge": charge, "amount": 200})
    assert steps(control, dispute, "escalate") == ["needs_response"]
    assert net() == (500, FEE)
    with pytest.raises(stripe.InvalidRequestError, match="charged back"):
        client.refunds.create({"charge": charge})


def test_a_lost_dispute_may_be_appealed_and_won(client, charge, control, net):
    dispute = control("dispute", charge=charge)["id"]
    assert net() == (700, FEE)
    assert steps(control, dispute, "review", "lose") == ["under_review", "lost"]
    assert net() == (700, FEE)
    seen = steps(control, dispute, "appeal", "review", "win")
    assert seen == ["appeal_needs_response", "appeal_under_review", "won"]
    assert net() == (0, FEE)
    types = [event.type for event in client.events.list({"limit": 100, "type": "charge.dispute.*"}).data][::-1]
    assert types[:2] == ["charge.dispute.created", "charge.dispute.funds_withdrawn"]
    assert types[-2:] == ["charge.dispute.funds_reinstated", "charge.dispute.closed"]


def test_who_does_not_answer_loses(client, charge, control, net):
    dispute = control("dispute", charge=charge)
    control("advance", days=8)
    assert client.disputes.retrieve(dispute["id"]).status == "needs_response"
    control("advance", days=1)
    lost = client.disputes.retrieve(dispute["id"])
    assert (lost.status, lost.evidence_details.past_due) == ("lost", True)
    assert net() == (700, FEE)


def test_a_prevented_dispute_is_a_refund(client, charge, control, net):
    assert control("dispute", charge=charge, kind="prevented")["status"] == "prevented"
    assert client.charges.retrieve(charge).refunded
    assert net() == (0, 0)


def test_a_step_that_is_not_possible_says_so(charge, control, base):
    dispute = control("dispute", charge=charge)["id"]
    answer = requests.post(f"{base}/_sandbox/dispute_step", json={"dispute": dispute, "step": "appeal"}, timeout=10)
    assert answer.status_code == 400
    assert "needs_response" in answer.json()["error"]["message"]


def test_a_card_whose_bank_only_asks(client, supporter, control):
    supporter("4000 0000 0000 1976")
    control("advance", seconds=3601)
    assert client.disputes.list().data[0].status == "warning_needs_response"
