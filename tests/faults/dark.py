"""The app in this process, its endpoint, which can go dark, and a sandbox of its own that shares one clock with it."""

import threading
from datetime import timedelta

import pytest
import requests
from sqlalchemy import func, select

from membership.billing import jobs
from membership.billing.models import InboxEvent
from membership.billing.providers.stripe import StripeProvider
from membership.db import db
from membership.kernel import clock
from membership.kernel.rhythm import Rhythm
from membership.sandbox.app import create_sandbox
from tests.conftest import WEBHOOK_SECRET, make_settings
from tests.factories.checkout import pay
from tests.faults.conftest import begin
from tests.served import Served

AUTH = ("sk_test_123456789", "")


class Story:
    """The app, its endpoint and a sandbox that share one clock."""

    def __init__(self, app, box, served) -> None:
        self.app, self.box, self._served = app, box, served
        self._n_readers = 0

    def control(self, name: str, **body):
        answer = requests.post(f"{self.box.public_url}/_sandbox/{name}", json=body, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def books(self) -> dict:
        return requests.get(f"{self.box.public_url}/_sandbox/books", timeout=60).json()

    def pay(self, n: int, rhythm: Rhythm) -> None:
        for _ in range(n):
            self._n_readers += 1
            # Some give less, so that a wrong amount could not hide.
            answer = pay(begin(self._n_readers, rhythm, minor=829 + self._n_readers), email="wallet@example.org")
            assert answer.status_code in {302, 303}, answer.text[:300]

    def hear(self) -> None:
        """Wait for every delivery, and work all of it off."""
        for _ in range(200):
            if not requests.get(f"{self.box.public_url}/_sandbox/events?limit=1", timeout=60).json()["waiting"]:
                break
            threading.Event().wait(0.05)
        self.work_off()

    def work_off(self) -> None:
        for _ in range(20):
            jobs.drain(clock.now())
            db.session.rollback()
            is_open = InboxEvent.next_try_at.is_not(None)
            if not db.session.scalar(select(func.count()).where(is_open)):
                return
            db.session.rollback()
            with db.engine.begin() as connection:  # do not wait for turns
                connection.execute(InboxEvent.__table__.update().where(is_open).values(next_try_at=clock.real_now()))

    def go_dark(self) -> None:
        self._served.end()

    def n_forgotten(self) -> int:
        """How many events never came about since the faults were ordered."""
        faults = self.box.faults
        return sum(faults.deliveries.forgets(number) for number in range(1, faults._n_emitted + 1))

    def subscriptions(self) -> list[dict]:
        return [sub for sub in self.books()["subscriptions"] if sub["metadata"].get("reference")]


@pytest.fixture
def box():
    own = create_sandbox()
    own.start()
    yield own
    own.close()


@pytest.fixture
def settings(database_url, tmp_path, box):
    return make_settings(
        database_url=database_url,
        queue_path=str(tmp_path / "queue.db"),
        stripe_api_base=box.public_url,
        rate_limits=False,
        stripe_calls_per_second=1000,
        stripe_calls_per_endpoint=1000,
    )


@pytest.fixture
def story(app, box):
    clock.use_offset(lambda: timedelta(seconds=box.clock.offset))
    served = Served(app)
    endpoint = {"url": f"http://localhost:{served.port}/stripe/webhook", "enabled_events[0]": "*"}
    made = requests.post(f"{box.public_url}/v1/webhook_endpoints", data=endpoint, auth=AUTH, timeout=20).json()
    known = make_settings(
        **app.extensions["membership.settings"].model_dump()
        | {"stripe_webhook_secret": (WEBHOOK_SECRET, made["secret"])}
    )
    app.extensions["membership.settings"] = known
    app.extensions["membership.provider"] = StripeProvider(known)
    yield Story(app, box, served)
    served.end()
    clock.use_offset(clock.no_offset)
