"""Bugs that other programs of this kind really had, planted to see whether the histories find them."""

import json
from contextlib import contextmanager

from sqlalchemy import select

from membership.billing import inbox, leases, services
from membership.billing.models import InboxEvent
from membership.billing.port import ObjectKind
from membership.billing.providers.stripe import StripeProvider, translate
from membership.dashboard.services import noticing
from membership.db import db


@contextmanager
def no_lease(monkeypatch):
    """Whoever reads a thing may write about it, whoever else has read and written it since."""
    take = leases.take
    with monkeypatch.context() as patch:
        patch.setattr(leases, "take", lambda object_id: take(object_id) or leases.Lease(object_id, 0))
        patch.setattr(leases, "insist", lambda lease: None)
        yield


@contextmanager
def unknown_is_dropped(monkeypatch):
    """A notice about something that is not in our books yet is logged and forgotten."""
    put_off = inbox.put_off

    def drop(event_ids, error, *, patience=None):
        if patience is None:
            put_off(event_ids, error)
        else:
            inbox.close(event_ids, "foreign", error)

    with monkeypatch.context() as patch:
        patch.setattr(services.inbox, "put_off", drop)
        yield


@contextmanager
def notices_are_believed(monkeypatch):
    """How a support stands is taken from the notice that came last, not read again."""
    read = StripeProvider.read

    def believe(provider, ref):
        if ref.kind is not ObjectKind.SUBSCRIPTION:
            return read(provider, ref)
        query = select(InboxEvent.body).where(InboxEvent.object_id == ref.id).order_by(InboxEvent.received_at.desc())
        body = db.session.scalar(query.limit(1))
        db.session.rollback()
        return translate.subscription(json.loads(body)["data"]["object"]) if body else read(provider, ref)

    with monkeypatch.context() as patch:
        patch.setattr(StripeProvider, "read", believe)
        yield


@contextmanager
def late_news_is_not_summed(monkeypatch):
    """The dashboard sums today, and no earlier day of which something is heard later."""
    with monkeypatch.context() as patch:
        patch.setattr(noticing, "_touched", lambda source: set())
        yield


PLANTED = {bug.__name__: bug for bug in (no_lease, unknown_is_dropped, notices_are_believed, late_news_is_not_summed)}
