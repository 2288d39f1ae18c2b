"""Real SMTP servers on loopback that behave as a test wants them to."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from aiosmtpd.controller import Controller


class MailServer:
    """Answers as it is told. `answers` maps "MAIL", "RCPT", "DATA" to a reply or to a coroutine function."""

    def __init__(self) -> None:
        self.taken = []
        self.answers = {}

    async def _answer(self, step, server, accept):
        answer = self.answers.get(step)
        if callable(answer):
            answer = await answer(server)
        return answer or accept()

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802 - aiosmtpd's name
        def accept():
            envelope.mail_from = address
            return "250 OK"

        return await self._answer("MAIL", server, accept)

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 - aiosmtpd's name
        def accept():
            envelope.rcpt_tos.append(address)
            return "250 OK"

        return await self._answer("RCPT", server, accept)

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
        def accept():
            self.taken.append(envelope)
            return "250 OK"

        return await self._answer("DATA", server, accept)


def free_port() -> int:
    """A port on loopback where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running(handler: MailServer, **options) -> Iterator[str]:
    """The address of a real SMTP server with this handler."""
    controller = Controller(handler, hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    try:
        yield f"smtp://127.0.0.1:{controller.port}"
    finally:
        controller.stop()


def use_server(app, url: str) -> None:
    """Let the app deliver through the server at `url`."""
    known = app.extensions["membership.settings"]
    app.extensions["membership.settings"] = known.model_copy(update={"smtp_url": url})
