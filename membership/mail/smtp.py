"""Hands a message to the mail server, and says whose fault it was when that fails."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from types import TracebackType
from typing import Self
from urllib.parse import SplitResult, unquote, urlsplit

from membership.config import LOOPBACK_HOSTS
from membership.mail.rules import Failure

STEP_SECONDS = 10.0
# The answer to the whole text may take longer: servers look for spam and viruses before they accept, and
# giving up early would send the mail a second time.
ANSWER_SECONDS = 60.0
# Many servers end a conversation after a hundred mails.
MAILS_PER_CONVERSATION = 50

SERVICE_CLOSING = 421
FIRST_PERMANENT = 500


class HandOverFailed(Exception):  # noqa: N818 - reads as a sentence
    """The mail was not accepted. `reason` is a sentence without personal data: servers' own words may hold an
    address, so only their codes are kept.
    """

    def __init__(self, failure: Failure, reason: str) -> None:
        super().__init__(reason)
        self.failure = failure
        self.reason = reason


class Line:
    """A way to the mail server at `url` for many mails, one after the other; a context manager.

    Greeting, encryption and sign-in take longer than a mail, so a conversation is kept for the next one. What a
    conversation that carried mails before refuses is asked once more in a new one: its length or its age may
    have been the reason. So every verdict on a mail is that of a fresh conversation. `step_seconds` bounds
    every step, `answer_seconds` the answer to the whole text. For one thread.
    """

    def __init__(
        self,
        url: str,
        sender: str,
        *,
        step_seconds: float = STEP_SECONDS,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        self._url, self._sender = url, sender
        self._step_seconds, self._answer_seconds = step_seconds, answer_seconds
        self._server: smtplib.SMTP | None = None
        self._n_mails = 0

    def hand_over(self, message: EmailMessage, recipient: str) -> None:
        """Send one message to one recipient; HandOverFailed if it is not accepted.

        Addresses are ASCII: sign-in and contribute accept no others, since many servers do not either.
        """
        content = message.as_bytes()
        is_fresh = self._server is None
        try:
            self._speak(content, recipient)
        except HandOverFailed as failed:
            if is_fresh or failed.failure is Failure.UNANSWERED:
                raise
            self._speak(content, recipient)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._hang_up()

    def _speak(self, content: bytes, recipient: str) -> None:
        if self._server is None:
            self._server = _connect(self._url, self._sender.rpartition("@")[2], self._step_seconds)
            self._n_mails = 0
        try:
            self._pass_on(self._server, content, recipient)
        except (OSError, smtplib.SMTPException) as error:
            self._hang_up()
            raise HandOverFailed(Failure.TEMPORARY, describe(error)) from error
        except BaseException:
            self._hang_up()
            raise
        self._n_mails += 1
        if self._n_mails >= MAILS_PER_CONVERSATION:
            self._hang_up()

    def _pass_on(self, server: smtplib.SMTP, content: bytes, recipient: str) -> None:
        if server.sock is not None:
            server.sock.settimeout(self._step_seconds)
        _expect(server.mail(self._sender), "our sender", Failure.SERVER)
        _expect(server.rcpt(recipient), "the recipient", Failure.TEMPORARY)
        if server.sock is not None:
            server.sock.settimeout(self._answer_seconds)
        try:
            answer = server.data(content)
        except smtplib.SMTPDataError as error:
            answer = (error.smtp_code, _as_bytes(error.smtp_error))
        except (OSError, smtplib.SMTPException) as error:
            reason = f"The mail server took the text and did not answer ({type(error).__name__}); it may have arrived."
            raise HandOverFailed(Failure.UNANSWERED, reason) from error
        _expect(answer, "the text", Failure.TEMPORARY)

    def _hang_up(self) -> None:
        if self._server is not None:
            server, self._server = self._server, None
            _leave(server)


@contextmanager
def connected(url: str, *, own_name: str, step_seconds: float = STEP_SECONDS) -> Iterator[smtplib.SMTP]:
    """A conversation with the server at `url`: greeted, encrypted where it can be, signed in where asked.

    Everything that fails up to there is the server's fault or our settings', never the mail's. An error of
    the network inside the block is told as temporary.
    """
    server = _connect(url, own_name, step_seconds)
    try:
        yield server
    except (OSError, smtplib.SMTPException) as error:
        raise HandOverFailed(Failure.TEMPORARY, describe(error)) from error
    finally:
        _leave(server)


def _connect(url: str, own_name: str, step_seconds: float) -> smtplib.SMTP:
    try:
        return _open(urlsplit(url), own_name, step_seconds)
    except (OSError, smtplib.SMTPException) as error:
        raise HandOverFailed(Failure.SERVER, describe(error)) from error


def _open(url: SplitResult, own_name: str, seconds: float) -> smtplib.SMTP:
    host, secure = url.hostname or "localhost", url.scheme == "smtps"
    port = url.port or (465 if secure else 25)
    if secure:
        context = ssl.create_default_context()
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, own_name, timeout=seconds, context=context)
    else:
        server = smtplib.SMTP(host, port, own_name, timeout=seconds)
    try:
        server.ehlo_or_helo_if_needed()
        _encrypt_and_sign_in(server, url, is_local=host in LOOPBACK_HOSTS, secure=secure)
    except BaseException:
        server.close()
        raise
    return server


def _encrypt_and_sign_in(server: smtplib.SMTP, url: SplitResult, *, is_local: bool, secure: bool) -> None:
    if not secure and not is_local and server.has_extn("starttls"):
        server.starttls(context=ssl.create_default_context())
        secure = True
        server.ehlo_or_helo_if_needed()
    if not url.username:
        return
    if not secure and not is_local:
        raise smtplib.SMTPNotSupportedError("it offers no encryption, so the password was not sent")
    server.login(unquote(url.username), unquote(url.password or ""))


def _leave(server: smtplib.SMTP) -> None:
    try:
        server.quit()
    except (OSError, smtplib.SMTPException):
        server.close()


def _expect(answer: tuple[int, bytes], what: str, if_temporary: Failure) -> None:
    code, text = answer
    if code // 100 == 2:  # noqa: PLR2004 - RFC 5321: 2xx is yes
        return
    words = f"The mail server refused {what} ({' '.join([str(code), *_enhanced(text)])})."
    if code == SERVICE_CLOSING or if_temporary is Failure.SERVER:
        raise HandOverFailed(Failure.SERVER, words)
    raise HandOverFailed(Failure.PERMANENT if code >= FIRST_PERMANENT else if_temporary, words)


def _enhanced(text: bytes) -> list[str]:
    """The enhanced status code (RFC 3463) at the beginning of an answer, such as ["5.1.1"]; empty without one."""
    first = text.decode("ascii", "replace").partition(" ")[0]
    return [first] if first.replace(".", "").isdecimal() and first.count(".") == 2 else []  # noqa: PLR2004 - class.subject.detail


def _as_bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def describe(error: Exception) -> str:
    """One sentence about a failed conversation, without the server's own words."""
    if isinstance(error, smtplib.SMTPServerDisconnected) and isinstance(error.__context__, TimeoutError):
        error = error.__context__  # what smtplib made of it says less
    match error:
        case smtplib.SMTPNotSupportedError():
            words = f"The mail server cannot be used: {error}."
        case smtplib.SMTPAuthenticationError():
            words = f"The mail server refused our user name or password ({error.smtp_code})."
        case smtplib.SMTPResponseException():
            words = f"The mail server refused the conversation ({error.smtp_code})."
        case ssl.SSLCertVerificationError():
            words = f"The mail server's certificate is not trusted ({error.verify_message})."
        case TimeoutError():
            words = "The mail server did not answer in time."
        case OSError(strerror=str(said)):
            words = f"The mail server cannot be reached ({said})."
        case _:
            words = f"The conversation with the mail server broke off ({type(error).__name__})."
    return words
