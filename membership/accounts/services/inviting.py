"""Helping somebody in who does not find the way: staff have a mail sent to them."""

from datetime import datetime

from membership.accounts.queries import get_person
from membership.accounts.services.people import note
from membership.audit.services import record
from membership.db import transaction
from membership.kernel.errors import Conflict
from membership.mail import services as mail


def send_way_in(person_id: int, token: str, *, reason: str, actor: str, at: datetime, is_bulk: bool = False) -> None:
    """Mail somebody where they sign in and with which address; `token` names one press of one button, `is_bulk` says
    that it is one of many such mails.

    The mail opens nothing: a link that signs in works only in the browser that asked for it (S5). Raises Conflict
    `person_gone` for somebody whose account was ended.
    """
    with transaction("accounts.send_way_in"):
        person = get_person(person_id)
        if not person.is_active:
            raise Conflict("person_gone", "This account was ended; nobody can sign in to it.")
        args: dict[str, int | str] = {"person_id": person.id}
        once_key = f"way-in:{token}"
        sent = mail.send("accounts/way_in", person.email, person.locale, args, once_key, is_bulk=is_bulk)
        if sent is not None:
            note(person.id, "way_in_sent", at, {"reason": reason}, actor)
            record("person.way_in", ("person", person.public_id), actor=actor, reason=reason)
