"""What `/metrics` tells: counters of this process, and gauges counted in the database at that moment.

The gauges are the same whichever process answers; the counters are of the process that was asked.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import REGISTRY, GaugeMetricFamily, Metric
from sqlalchemy.exc import SQLAlchemyError

from membership.billing import inspections
from membership.billing.queries import count_inbox, find_oldest_open
from membership.db import db
from membership.kernel import clock
from membership.mail.queries import is_mail_flowing, measure_backlog
from membership.web.heartbeat import find_last_beat


class _FromDatabase:
    """Gauges of one moment; where the database fails only `membership_database_up` is told."""

    def __init__(self, real_now: datetime) -> None:
        self._real_now = real_now

    def collect(self) -> Iterable[Metric]:
        up = GaugeMetricFamily("membership_database_up", "Whether the database answered this scrape (1) or not (0)")
        try:
            gauges = list(self._gauges())
        except SQLAlchemyError:
            db.session.rollback()
            gauges = []
        up.add_metric([], 1 if gauges else 0)
        return [up, *gauges]

    def _gauges(self) -> Iterator[Metric]:
        backlog = measure_backlog(self._real_now)
        mails = GaugeMetricFamily("membership_outbox_mails", "Mails in the outbox, by state", labels=["state"])
        for state in ("waiting", "sending", "sent", "dropped", "dead"):
            mails.add_metric([state], backlog.n_by_state.get(state, 0))
        yield mails
        yield _gauge(
            "membership_outbox_oldest_due_seconds",
            "For how long the oldest mail that is due has waited",
            backlog.oldest_due.total_seconds(),
        )
        yield _gauge(
            "membership_mail_flowing", "Whether mail leaves (1) or not (0)", float(is_mail_flowing(self._real_now))
        )
        notices = GaugeMetricFamily("membership_inbox_notices", "Notices of the provider, by state", labels=["state"])
        for state, n_notices in sorted(count_inbox().items()):
            notices.add_metric([state], n_notices)
        yield notices
        oldest = find_oldest_open()
        waited = (self._real_now - oldest).total_seconds() if oldest else 0.0
        yield _gauge("membership_inbox_oldest_open_seconds", "How long the oldest open notice has been here", waited)
        yield from self._inspections()
        last_beat = find_last_beat("worker")
        if last_beat is not None:
            silence = (self._real_now - last_beat).total_seconds()
            yield _gauge("membership_worker_silence_seconds", "Time since a worker last said it is alive", silence)

    def _inspections(self) -> Iterator[Metric]:
        """How old the last look at the books is, and what it found; nothing of what was never done."""
        words = "Seconds since the last inspection of that kind came to its end (business time)"
        age = GaugeMetricFamily("membership_inspection_age_seconds", words, labels=["kind"])
        found = GaugeMetricFamily("membership_inspection_findings", "What stays wrong after it", labels=["kind"])
        for kind in inspections.NAMES:
            last = inspections.find_last(kind)
            if last is not None and last.finished_at is not None:
                age.add_metric([kind], (clock.now() - last.finished_at).total_seconds())
                found.add_metric([kind], last.n_findings)
        yield age
        yield found


def write_metrics(real_now: datetime) -> bytes:
    """Everything in Prometheus' text format; `real_now` is real time."""
    registry = CollectorRegistry()
    registry.register(_FromDatabase(real_now))
    return generate_latest(REGISTRY) + generate_latest(registry)


def _gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, words, value=value)
