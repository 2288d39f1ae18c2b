"""The sandbox put together: store, clock, faults, deliveries, the API, the hosted pages and the control page."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from werkzeug.wrappers import Request

from membership.sandbox import resources, web
from membership.sandbox.clock import SandboxClock
from membership.sandbox.faults import Faults
from membership.sandbox.kinds import Obj
from membership.sandbox.protocol import api
from membership.sandbox.protocol.idempotency import Keys
from membership.sandbox.protocol.watch import Watch
from membership.sandbox.resources import webhook_endpoints
from membership.sandbox.server import Server
from membership.sandbox.settings import Settings
from membership.sandbox.store import Store
from membership.sandbox.timekeeper import Timekeeper
from membership.sandbox.webhooks import listeners
from membership.sandbox.webhooks.delivery import Deliverer
from membership.sandbox.world import World


class Sandbox:
    """One stand-in for Stripe, with its own books: `create_sandbox`, `start`, and `close` at the end."""

    def __init__(  # noqa: PLR0917 - the parts of one thing
        self,
        store: Store,
        webhooks: Sequence[tuple[str, str]],
        clock_listeners: Sequence[str],
        events: Sequence[str],
        settings: Settings,
        secret: str | None,
        watch: Watch,
    ) -> None:
        self.store = store
        self.watch = watch
        self.faults = Faults()
        self.n_resets = 0
        self.keys = Keys()
        self._fixed, self._listeners, self._events = list(webhooks), list(clock_listeners), list(events)
        self._settings = settings
        self._secret = secret or (webhooks[0][1] if webhooks else None)
        self._endpoints: list[Obj] | None = None
        self.public_url = "http://127.0.0.1"
        self._server: Server | None = None
        self.clock = SandboxClock()
        self.deliverer = Deliverer(self)
        self.timekeeper = Timekeeper(self)
        self.pages = web.create_pages(self)
        with store.transaction():
            self.clock.offset = store.setting("offset", 0)
            self.settings = replace(settings, **self._kept_settings())
            self._register_fixed()

    def _kept_settings(self) -> dict[str, Any]:
        kept: dict[str, Any] = self.store.setting("settings", {})
        return {name: tuple(value) if isinstance(value, list) else value for name, value in kept.items()}

    def _register_fixed(self) -> None:
        """Make the endpoints of the command line be what it says now; those of an earlier start go."""
        wanted = dict(self._fixed)
        for endpoint in self.store.find(webhook_endpoints.KIND, {}):
            if not endpoint["_fixed"]:
                continue
            if endpoint["url"] in wanted:
                endpoint |= {"_secret": wanted.pop(endpoint["url"]), "enabled_events": self._events}
            else:
                webhook_endpoints.delete(self.world(), {}, endpoint)
        for url, secret in wanted.items():
            webhook_endpoints.make(self.world(), url, self._events, secret=secret, fixed=True)
        self._endpoints = None

    def change_settings(self, **changes: Any) -> None:
        """Change how the sandbox behaves, and keep it."""
        with self.store.transaction():
            self.store.set_setting("settings", {**self.store.setting("settings", {}), **changes})
            self.settings = replace(self.settings, **self._kept_settings())

    def world(self, request_id: str | None = None, idempotency_key: str | None = None) -> World:
        """A world for one call or task; inside a transaction."""
        return World(
            store=self.store,
            now=self.clock.now(),
            public_url=self.public_url,
            settings=self.settings,
            endpoints=self.endpoints,
            wake=self.wake,
            forgets=self.faults.forgets,
            watch=self.watch,
            request_id=request_id,
            idempotency_key=idempotency_key,
        )

    def endpoints(self) -> list[Obj]:
        """The endpoints that are sent events, oldest first."""
        if self._endpoints is None:
            with self.store.transaction():
                found = self.store.find(webhook_endpoints.KIND, {}, oldest_first=True)
                self._endpoints = [dict(endpoint) for endpoint in found if endpoint["status"] == "enabled"]
        return self._endpoints

    def endpoints_changed(self) -> None:
        """Read the endpoints anew, and send to them as they are now."""
        self._endpoints = None
        self.deliverer.restart()

    def wake(self) -> None:
        """Something was written that somebody may be waiting for."""
        self.deliverer.wake()
        self.timekeeper.wake()

    def tell_listeners(self) -> None:
        """Tell the clock listeners the present offset; signed with the secret of the command line."""
        if self._listeners and self._secret:
            listeners.tell(self._listeners, self._secret, self.clock.offset)

    def reset(self) -> None:
        """Forget everything, the moved clock and ordered faults too; endpoints of the command line are kept."""
        self.faults.clear()
        self.n_resets += 1
        with self.store.transaction():
            self.store.wipe()
            self.clock.offset = 0
            self.settings = self._settings
            self._register_fixed()
        self.deliverer.restart()
        self.tell_listeners()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """The WSGI program: /v1 is the API, everything else the pages."""
        path = environ["PATH_INFO"]
        if path.startswith("/v1/"):
            response = api.respond(self, Request(environ))
            if "/webhook_endpoints" in path and environ["REQUEST_METHOD"] != "GET":
                self.endpoints_changed()
            return response(environ, start_response)
        pages: Iterable[bytes] = self.pages(environ, start_response)
        return pages

    def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Serve, deliver and let time pass, in threads; the address. OSError where the port is taken."""
        self._server = Server(host, port, self)
        self.public_url = f"http://{f'[{host}]' if ':' in host else host}:{self._server.server_address[1]}"
        self._server.start()
        self.timekeeper.start()
        self.deliverer.wake()
        return self.public_url

    def close(self) -> None:
        """End all threads and let go of port and file; what was written stays in `--data`."""
        self.watch.end()
        if self._server is not None:
            self._server.close()
        self.timekeeper.close()
        self.deliverer.close()
        self.store.close()


def create_sandbox(
    data: Path | str | None = None,
    webhooks: Sequence[tuple[str, str]] = (),
    clock_listeners: Sequence[str] = (),
    *,
    events: Sequence[str] = ("*",),
    settings: Settings | None = None,
    secret: str | None = None,
    check_into: Path | None = None,
) -> Sandbox:
    """A sandbox that is not serving yet.

    `data` is a file that outlives the process (None: temporary), `webhooks` are (address, secret) of fixed
    endpoints, sent `events`; `clock_listeners` are told when the clock was moved, signed with
    `secret` (by default that of the first webhook). Answers and events that Stripe would not give are written to
    the file `check_into`, or to that of SANDBOX_CHECK_INTO.
    """
    resources.load()
    store = Store(Path(data) if data is not None else None)
    named = check_into or os.environ.get("SANDBOX_CHECK_INTO")
    watch = Watch(Path(named) if named else None)
    return Sandbox(store, webhooks, clock_listeners, events, settings or Settings(), secret, watch)


__all__ = ["Sandbox", "create_sandbox"]
