"""`membership worker`: does what the tables say is due.

Hints from the queue make it quick; the sweepers, each on a thread of its own, make it certain (ADR 0005).
"""

import logging
import threading
import time
from collections.abc import Mapping

import click
from flask import Flask
from prometheus_client import Counter, Histogram

from membership import hints, wiring
from membership.app import create_app
from membership.cli.signals import stop_event
from membership.config import Settings
from membership.kernel import clock
from membership.wiring import Job

log = logging.getLogger(__name__)

READY = "The worker is ready."

RUNS = Counter("membership_job_runs_total", "Jobs run, by name and outcome (done, failed, unknown)", ["job", "outcome"])
SECONDS = Histogram("membership_job_seconds", "How long a job took", ["job"])


@click.command("worker")
@click.option("--threads", default=4, show_default=True, type=click.IntRange(1, 64), help="Hints worked on at a time.")
@click.option("--periodic/--no-periodic", default=True, help="Sweep as well (the default).")
@click.option("--metrics-port", type=click.IntRange(1, 65535), help="Serve Prometheus metrics on this loopback port.")
def worker(threads: int, metrics_port: int | None, *, periodic: bool) -> None:
    """Work until SIGINT or SIGTERM: book payments, send mails, sweep.

    Several may run at once, on one machine or many; leases keep them apart. On many machines let them share
    the queue by REDIS_URL; without it the sweepers find the work of the others.
    """
    settings = Settings.from_env()
    app = create_app(settings)
    logging.getLogger("huey").setLevel(logging.WARNING)  # a line for every hint says nothing
    if metrics_port:
        from prometheus_client import start_http_server

        start_http_server(metrics_port, addr="127.0.0.1")
    stopping = stop_event()
    click.echo(READY)
    Worker(app, settings, threads=threads, periodic=periodic).work_until(stopping)


class Worker:
    """One worker process: `threads` that follow hints and, where `periodic`, one thread per sweeper.

    `jobs` are the jobs by name, those of `wiring.JOBS` unless a test brings its own. Sweepers call their job at
    once and then every `every_seconds` (or again at once, while it says that there is more), so that a start finds
    what a killed worker left behind.
    """

    def __init__(
        self,
        app: Flask,
        settings: Settings,
        *,
        threads: int = 4,
        periodic: bool = True,
        jobs: Mapping[str, Job] = wiring.JOBS,
    ) -> None:
        self._app, self._jobs, self._settings, self._threads = app, jobs, settings, threads
        self._sweepers = {name: job for name, job in jobs.items() if job.every_seconds} if periodic else {}

    def work_until(self, stopping: threading.Event, grace_seconds: float = 20) -> None:
        """Work until `stopping` is set, then let running jobs end for at most `grace_seconds`.

        A job that takes longer is cut off; the lease on its row runs out and another worker takes it.
        """
        queue, _ = hints.open_queue(self._settings, self.run)
        consumer = queue.create_consumer(
            workers=self._threads, periodic=False, initial_delay=0.05, max_delay=0.25, backoff=1.3
        )
        # Only the threads of huey's consumer: its own signal handlers would cut off a running job at SIGTERM.
        running = [thread for _, thread in consumer.worker_threads]
        running += [
            threading.Thread(target=self._sweep, args=(name, job.every_seconds, stopping), name=name, daemon=True)
            for name, job in self._sweepers.items()
        ]
        for thread in running:
            thread.start()
        log.info("worker_started", extra={"threads": self._threads, "sweepers": len(self._sweepers)})
        while not stopping.wait(1):
            pass
        consumer.stop_flag.set()
        deadline = time.monotonic() + grace_seconds
        for thread in running:
            thread.join(max(0.0, deadline - time.monotonic()))
        if not any(thread.is_alive() for thread in running):
            queue.storage.close()
        log.info("worker_stopped", extra={"cut_off": sum(thread.is_alive() for thread in running)})

    def run(self, name: str, *args: int | str) -> bool:
        """Run the job `name` once; whether it left more to do. An error ends here: the job's row keeps its lease and
        is tried again.
        """
        job = self._jobs.get(name)
        if job is None:
            RUNS.labels("unknown", "unknown").inc()
            log.error("job_unknown", extra={"job": name})
            return False
        is_more, outcome, began = False, "done", time.monotonic()
        try:
            with self._app.app_context():
                is_more = bool(job.function(clock.now(), *args))
        except Exception:
            outcome = "failed"
            log.exception("job_failed", extra={"job": name})
        RUNS.labels(name, outcome).inc()
        SECONDS.labels(name).observe(time.monotonic() - began)
        return is_more

    def _sweep(self, name: str, every_seconds: float, stopping: threading.Event) -> None:
        while not stopping.is_set():
            if not self.run(name):
                stopping.wait(every_seconds)
