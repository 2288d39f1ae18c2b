"""The same promises asked of every payment provider, each against its own stand-in (port.PaymentProvider).

A new provider adds a line to PROVIDERS: how to make it, and how a reader pays on its page. With STRIPE_TEST_KEY
the same is asked of Stripe's own test mode.
"""

from datetime import timedelta
from functools import partial

import pytest

from membership.billing.port import (
    CardCollected,
    CardRequest,
    CheckoutFact,
    ObjectKind,
    ObjectRef,
    OpenedCheckout,
    PaymentFact,
    Reading,
    SubscriptionFact,
    SubscriptionStatus,
)
from membership.billing.providers.stripe import StripeProvider
from membership.kernel import clock
from membership.kernel.errors import Conflict, InvalidInput, ProviderFailed
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm
from tests.billing.conftest import sandbox, sandbox_process  # noqa: F401 - the stand-in of Stripe
from tests.billing.test_way import make_request
from tests.conftest import make_settings
from tests.contracts.real_stripe import TEST_KEY, check_key, key, pay_in_a_browser
from tests.factories.checkout import pay


@pytest.fixture
def stripe_provider(app, sandbox):  # noqa: F811 - the fixture
    provider = StripeProvider(make_settings(stripe_api_base=sandbox.url))
    return provider, pay


@pytest.fixture
def real_stripe_provider(app, chromium):
    check_key()
    return StripeProvider(make_settings(stripe_api_base=None, stripe_secret_key=TEST_KEY)), partial(
        pay_in_a_browser, chromium
    )


PROVIDERS = ["stripe_provider", *(["real_stripe_provider"] if TEST_KEY else [])]


@pytest.fixture(params=PROVIDERS)
def provider_and_pay(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def database_url(sqlite_template, tmp_path):
    """No data here: one database is enough."""
    return sqlite_template.copy(tmp_path)


@pytest.fixture
def provider(provider_and_pay):
    return provider_and_pay[0]


@pytest.fixture
def pay_page(provider_and_pay):
    return provider_and_pay[1]


def facts_of(provider, kind, object_id) -> Reading:
    return provider.read(ObjectRef(kind, object_id))


def test_a_page_opens_under_its_key_and_opens_once(provider):
    request = make_request()
    page = provider.open_checkout(request, key("key-1"))
    assert isinstance(page, OpenedCheckout)
    assert page.url.startswith("http")
    assert page.expires_at == request.expires_at.replace(microsecond=0)
    assert provider.open_checkout(request, key("key-1")) == page
    assert provider.open_checkout(request, key("key-2")) != page


def test_the_same_key_for_another_request_is_refused_for_good(provider):
    provider.open_checkout(make_request(), key("key-1"))
    with pytest.raises(ProviderFailed) as failed:
        provider.open_checkout(make_request(charge=Money(900, "EUR")), key("key-1"))
    assert (failed.value.retryable, failed.value.outcome_unknown) == (False, False)


@pytest.mark.parametrize("rhythm", list(Rhythm))
@pytest.mark.parametrize("charge", [Money(400, "EUR"), Money(500, "USD"), Money(400, "GBP"), Money(10_000, "UAH")])
def test_what_was_asked_for_is_what_is_paid(provider, pay_page, rhythm, charge):
    page = provider.open_checkout(make_request(rhythm=rhythm, charge=charge), key("key-1"))
    [before] = facts_of(provider, ObjectKind.CHECKOUT, page.provider_id).facts
    assert (before.is_finished, before.is_expired, before.is_paid) == (False, False, False)
    pay_page(page.url)
    reading = facts_of(provider, ObjectKind.CHECKOUT, page.provider_id)
    [finished] = reading.facts
    assert isinstance(finished, CheckoutFact)
    assert (finished.reference, finished.is_finished, finished.is_paid) == ("con_1", True, True)
    [ref] = reading.related
    [paid] = provider.read(ref).facts
    assert isinstance(paid, PaymentFact)
    assert (paid.reference, paid.rhythm, paid.charged) == ("con_1", rhythm, charge)
    assert paid.fee is not None
    assert (paid.period_start is None) == (rhythm is Rhythm.ONCE)
    assert (finished.subscription_id is None) == (rhythm is Rhythm.ONCE)


def test_recurring_support_can_be_read_with_its_amount_and_end(provider, pay_page):
    page = provider.open_checkout(make_request(), key("key-1"))
    pay_page(page.url)
    [finished] = facts_of(provider, ObjectKind.CHECKOUT, page.provider_id).facts
    [seen] = facts_of(provider, ObjectKind.SUBSCRIPTION, finished.subscription_id).facts
    assert isinstance(seen, SubscriptionFact)
    assert (seen.reference, seen.status, seen.amount) == ("con_1", SubscriptionStatus.ACTIVE, Money(800, "EUR"))
    assert timedelta(days=27) < seen.current_period_end - clock.now() < timedelta(days=32)


def test_a_page_closes_once_and_for_all_and_a_paid_one_does_not(provider, pay_page):
    page = provider.open_checkout(make_request(), key("key-1"))
    assert provider.close_checkout(page.provider_id, key("close-1")) is True
    assert provider.close_checkout(page.provider_id, key("close-2")) is True
    [closed] = facts_of(provider, ObjectKind.CHECKOUT, page.provider_id).facts
    assert closed.is_expired
    paid = provider.open_checkout(make_request(), key("key-2"))
    pay_page(paid.url)
    assert provider.close_checkout(paid.provider_id, key("close-3")) is False


@pytest.mark.parametrize("kind", list(ObjectKind))
def test_what_does_not_exist_is_not_found(provider, kind):
    assert facts_of(provider, kind, "nothing_of_this_name") == Reading(is_found=False)


def test_a_notice_that_is_not_signed_is_refused(provider):
    for raw, signature in ((b"", ""), (b"{}", "t=1,v1=00"), (b"\xff", "nonsense")):
        with pytest.raises(InvalidInput):
            provider.open_notice(raw, signature, clock.real_now())


def test_the_provider_s_own_books_list_what_was_paid(provider, pay_page):
    page = provider.open_checkout(make_request(), key("key-1"))
    pay_page(page.url)
    listed = provider.list_booked()
    assert listed is None or [(row.reference, row.charged) for row in listed] == [("con_1", Money(800, "EUR"))]


def test_the_product_can_be_ensured_again_and_again(provider):
    provider.ensure_product()
    provider.ensure_product()


def test_diagnosis_is_whole_sentences_and_never_fails(provider):
    assert all(finding.message.endswith(".") for finding in provider.diagnose())


# Support that runs --------------------------------------------------------------------------------------------


@pytest.fixture
def support(provider, pay_page) -> SubscriptionFact:
    """Monthly support that was paid."""
    page = provider.open_checkout(make_request(), key("key-1"))
    pay_page(page.url)
    [finished] = facts_of(provider, ObjectKind.CHECKOUT, page.provider_id).facts
    return fact_of(provider, finished.subscription_id)


def fact_of(provider, subscription_id) -> SubscriptionFact:
    [fact] = facts_of(provider, ObjectKind.SUBSCRIPTION, subscription_id).facts
    return fact


def test_support_shows_its_card(support):
    assert support.card.last4 == "4242"
    assert (support.card.exp_year, support.card.exp_month) == (2034, 12)


def test_another_amount_is_the_next_one_and_the_period_stays(provider, support):
    for _ in range(2):
        provider.change(support.subscription_id, Money(400, "EUR"), Rhythm.MONTHLY, key("change-1"))
    changed = fact_of(provider, support.subscription_id)
    assert (changed.amount, changed.rhythm) == (Money(400, "EUR"), Rhythm.MONTHLY)
    assert changed.current_period_end == support.current_period_end


def test_another_rhythm_waits_for_the_end_of_the_paid_time(provider, support):
    for _ in range(2):
        provider.change(support.subscription_id, Money(9600, "EUR"), Rhythm.YEARLY, key("change-1"))
    changed = fact_of(provider, support.subscription_id)
    assert (changed.status, changed.amount, changed.rhythm) == (
        SubscriptionStatus.ACTIVE,
        Money(9600, "EUR"),
        Rhythm.YEARLY,
    )
    assert changed.current_period_end == support.current_period_end
    assert provider.find_open_payment(support.subscription_id) is None


def test_a_pause_has_an_end_and_can_be_ended(provider, support):
    until = (clock.now() + timedelta(days=60)).replace(microsecond=0)
    provider.pause(support.subscription_id, until, key("pause-1"))
    paused = fact_of(provider, support.subscription_id)
    assert (paused.status, paused.paused_until) == (SubscriptionStatus.PAUSED, until)
    for _ in range(2):
        provider.resume(support.subscription_id, key("resume-1"))
    resumed = fact_of(provider, support.subscription_id)
    assert (resumed.status, resumed.paused_until) == (SubscriptionStatus.ACTIVE, None)


def test_an_end_is_asked_for_taken_back_and_made_final(provider, support):
    provider.cancel(support.subscription_id, key("cancel-1"))
    assert fact_of(provider, support.subscription_id).cancel_at == support.current_period_end
    provider.keep(support.subscription_id, key("keep-1"))
    assert fact_of(provider, support.subscription_id).cancel_at is None
    provider.cancel_now(support.subscription_id, key("now-1"))
    provider.cancel_now(support.subscription_id, key("now-2"))
    assert fact_of(provider, support.subscription_id).status is SubscriptionStatus.ENDED


def test_nothing_can_be_asked_of_support_that_has_ended_or_never_was(provider, support):
    provider.cancel_now(support.subscription_id, key("now-1"))
    for n, subscription_id in enumerate((support.subscription_id, "sub_nobody")):
        asks = (
            lambda sub, k: provider.change(sub, Money(400, "EUR"), Rhythm.MONTHLY, k),
            lambda sub, k: provider.pause(sub, clock.now() + timedelta(days=30), k),
            provider.resume,
            provider.cancel,
            provider.keep,
        )
        for m, ask in enumerate(asks):
            with pytest.raises(Conflict) as refused:
                ask(subscription_id, key(f"late-{n}-{m}"))
            assert refused.value.code == "not_possible_now"


def test_a_new_card_is_used_for_all_support_of_the_customer(provider, pay_page, support):
    request = CardRequest(
        reference="con_1",
        customer_id=support.customer_id,
        subscription_id=support.subscription_id,
        locale="en",
        success_url="http://localhost/done?session={CHECKOUT_SESSION_ID}",
        cancel_url="http://localhost/account",
        expires_at=clock.now() + timedelta(minutes=31),
    )
    page = provider.open_card_page(request, key("card-1"))
    assert provider.open_card_page(request, key("card-1")) == page
    with pytest.raises(Conflict):
        provider.use_card(page.provider_id, key("use-0"))
    assert facts_of(provider, ObjectKind.CHECKOUT, page.provider_id).facts == ()
    pay_page(page.url, "5555 5555 5555 4444")
    [collected] = facts_of(provider, ObjectKind.CHECKOUT, page.provider_id).facts
    assert collected == CardCollected("con_1", support.subscription_id, page.provider_id)
    for _ in range(2):
        assert provider.use_card(page.provider_id, key("use-1")) == (support.subscription_id,)
    assert fact_of(provider, support.subscription_id).card.last4 == "4444"


@pytest.mark.parametrize("rhythm", [Rhythm.ONCE, Rhythm.MONTHLY])
def test_a_refund_is_made_once_and_found_by_its_mark(provider, pay_page, rhythm):
    page = provider.open_checkout(make_request(rhythm=rhythm), key("key-1"))
    pay_page(page.url)
    [paid] = facts_of(provider, ObjectKind.CHECKOUT, page.provider_id).related
    assert provider.find_refund(paid.id, "mark-1") is None
    made = provider.refund(paid.id, Money(300, "EUR"), "con_1", "mark-1", key("refund-1"))
    assert provider.refund(paid.id, Money(300, "EUR"), "con_1", "mark-1", key("refund-1")) == made
    assert provider.find_refund(paid.id, "mark-1") == made
    with pytest.raises(Conflict):
        provider.refund(paid.id, Money(800, "EUR"), "con_1", "mark-2", key("refund-2"))
    [back] = facts_of(provider, ObjectKind.CHARGE, made.charge_id).facts
    assert (back.payment_id, back.amount, back.reversal_id) == (paid.id, Money(300, "EUR"), made.refund_id)


def test_nothing_is_open_where_all_is_paid(provider, support):
    assert provider.find_open_payment(support.subscription_id) is None
    assert provider.find_open_payment("sub_nobody") is None


def test_a_forgotten_customer_supports_no_more(provider, support):
    provider.forget_customer(support.customer_id, key("forget-1"))
    provider.forget_customer(support.customer_id, key("forget-2"))
    assert fact_of(provider, support.subscription_id).status is SubscriptionStatus.ENDED


def test_what_is_listened_to_says_what_is_read_again(provider):
    assert provider.kind_of("a type that nobody has") is None
    assert provider.kind_of("invoice.paid") is ObjectKind.INVOICE
