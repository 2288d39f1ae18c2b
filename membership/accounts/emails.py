"""The mails that sign in, prove an address, and tell what became of one."""

from datetime import datetime
from typing import Any

from membership.accounts import services
from membership.accounts.models import AddressChange, Approval, Person
from membership.accounts.queries import get_person
from membership.accounts.rules import APPROVAL_LIFE, PLACES, REQUEST_LIFE, Role
from membership.db import db
from membership.mail.catalogue import mail
from membership.newsroom.queries import newsroom
from membership.web import settings
from membership.web.links import absolute

MINUTES = int(REQUEST_LIFE.total_seconds() // 60)


@mail(
    "accounts/sign_in",
    example={
        "is_known": True,
        "link_url": "https://join.example.org/signin/link/an-example-and-no-secret",
        "code": "1234 5678",
        "n_minutes": MINUTES,
    },
)
def sign_in(args: dict[str, int | str], at: datetime) -> dict[str, Any] | None:
    """To whoever asks to sign in: the link and the code, or, where nobody has the address, how to join.

    The secrets are made here, as the mail leaves. A request that is over by then gets no mail.
    """
    del at
    secrets = services.issue_secrets(int(args["request_id"]))
    if secrets is None:
        return None
    return {
        "is_known": secrets.is_known,
        "link_url": absolute("accounts.link", token=secrets.token) if secrets.is_known else None,
        "code": f"{secrets.code[:4]} {secrets.code[4:]}",
        "n_minutes": MINUTES,
        "join_url": settings().public_url + PLACES["contribute"],
    }


@mail("accounts/prove", example={"purpose": "change", "code": "1234 5678", "n_minutes": MINUTES})
def prove(args: dict[str, int | str], at: datetime) -> dict[str, Any] | None:
    """To an address that a member wants to use, or before they delete their account: the code to type.

    The code is made here, as the mail leaves. One that is over by then gets no mail.
    """
    del at
    proof = services.issue_proof(int(args["proof_id"]))
    if proof is None:
        return None
    return {"purpose": proof.purpose, "code": f"{proof.code[:4]} {proof.code[4:]}", "n_minutes": MINUTES}


@mail(
    "accounts/address_changed",
    example={
        "what": "old",
        "new_email": "new@example.org",
        "undo_url": "https://join.example.org/account/email/undo/an-example",
        "undo_until": datetime.fromisoformat("2027-05-08T09:00:00+00:00"),
        "account_url": "https://join.example.org/account",
    },
)
def address_changed(args: dict[str, int | str], at: datetime) -> dict[str, Any] | None:
    """To the old and the new address of a member: it changed (the old one can undo that), or was changed back."""
    del at
    change = db.session.get(AddressChange, int(args["change_id"]))
    what = str(args["what"])
    if change is None or (change.undone_at is not None) != (what == "restored"):
        return None
    is_undoable = what == "old" and change.new_email is not None
    return {
        "what": what,
        "new_email": change.new_email,
        "undo_url": absolute("accounts.undo_page", token=services.undo_token(change)) if is_undoable else None,
        "undo_until": change.undo_until,
        "account_url": settings().public_url + PLACES["account"],
    }


@mail("accounts/merged", example={"is_freed": False, "account_url": "https://join.example.org/account"})
def merged(args: dict[str, int | str], at: datetime) -> dict[str, Any] | None:
    """To both addresses of two accounts that our staff have made one: which one it is now."""
    del at
    person = db.session.get(Person, int(args["person_id"]))
    if person is None or person.is_gone:
        return None
    return {"is_freed": bool(args["is_freed"]), "account_url": settings().public_url + PLACES["account"]}


@mail("accounts/farewell", example={"join_url": "https://join.example.org/contribute"})
def farewell(args: dict[str, int | str], at: datetime) -> dict[str, Any] | None:
    """To somebody who asked to be forgotten: it has begun, and this is the last mail."""
    del args, at
    return {"join_url": settings().public_url + PLACES["contribute"]}


@mail(
    "accounts/way_in",
    example={
        "newsroom_name": "The Harbour Post",
        "email": "reader@example.org",
        "signin_url": "https://join.example.org/signin",
    },
)
def way_in(args: dict[str, int | str], at: datetime) -> dict[str, Any] | None:
    """To somebody whom staff help in: where to sign in, and with which address. Carries no secret."""
    del at
    person = get_person(int(args["person_id"]))
    if not person.is_active:
        return None
    return {
        "newsroom_name": newsroom().name,
        "email": person.email,
        "signin_url": absolute("accounts.signin"),
    }


@mail(
    "accounts/staff_invited",
    example={
        "newsroom_name": "The Harbour Post",
        "email": "editor@example.org",
        "role": "editor",
        "signin_url": "https://join.example.org/signin?next=staff",
    },
)
def staff_invited(args: dict[str, int | str], at: datetime) -> dict[str, Any] | None:
    """To somebody whom an owner has put on the staff: as what, and where to sign in. Carries no secret."""
    del at
    person = get_person(int(args["person_id"]))
    if not person.is_active or person.role is None:
        return None
    return {
        "newsroom_name": newsroom().name,
        "email": person.email,
        "role": person.role.value,
        "signin_url": absolute("accounts.signin", next="staff"),
    }


@mail(
    "accounts/staff_changed",
    example={
        "newsroom_name": "The Harbour Post",
        "email": "editor@example.org",
        "before": "editor",
        "after": "owner",
        "team_url": "https://join.example.org/staff/team",
    },
)
def staff_changed(args: dict[str, int | str], at: datetime) -> dict[str, Any] | None:
    """To whoever has another role, or none any more, and to the owners: who, what they were, and what they are."""
    del at
    person, reader = get_person(int(args["person_id"])), get_person(int(args["reader_id"]))
    if not reader.is_active:
        return None
    return {
        "newsroom_name": newsroom().name,
        "email": person.email,
        "before": str(args["before"]),
        "after": str(args["after"]),
        "team_url": absolute("team.index") if reader.role is Role.OWNER else None,
    }


@mail(
    "accounts/ways_changed",
    example={
        "newsroom_name": "The Harbour Post",
        "ways_url": "https://join.example.org/staff/settings/ways",
    },
)
def ways_changed(args: dict[str, int | str], at: datetime) -> dict[str, Any] | None:
    """To every owner, whoever did it: accounts and addresses to which readers give were changed."""
    del at
    reader = get_person(int(args["reader_id"]))
    if not reader.is_active or reader.role is not Role.OWNER:
        return None
    return {"newsroom_name": newsroom().name, "ways_url": absolute("settings.page", subject="ways")}


@mail(
    "accounts/factor",
    example={
        "newsroom_name": "The Harbour Post",
        "what": "passkey_added",
        "factor_url": "https://join.example.org/staff/factor/mine",
    },
)
def factor(args: dict[str, int | str], at: datetime) -> dict[str, Any] | None:
    """To a member of staff whose second factor was changed or reset: what happened, in case it was not them."""
    del at
    person = get_person(int(args["person_id"]))
    if person.is_gone:
        return None
    return {
        "newsroom_name": newsroom().name,
        "what": str(args["what"]),
        "factor_url": absolute("factor.mine"),
    }


@mail(
    "accounts/factor_reset",
    example={
        "newsroom_name": "The Harbour Post",
        "name": "Iryna Bondar",
        "email": "editor@example.org",
        "team_url": "https://join.example.org/staff/team",
    },
)
def factor_reset(args: dict[str, int | str], at: datetime) -> dict[str, Any] | None:
    """To the owner who reset somebody's second factor: that it was done in their name."""
    del at
    person = get_person(int(args["of_id"]))
    if person.is_gone or person.staff is None:
        return None
    return {
        "newsroom_name": newsroom().name,
        "name": person.staff.name,
        "email": person.email,
        "team_url": absolute("team.index"),
    }


@mail(
    "accounts/approval",
    example={
        "newsroom_name": "The Harbour Post",
        "outcome": "asked",
        "act": "reset",
        "role": "",
        "about": "Iryna Bondar (editor@example.org)",
        "asker": "Olena (owner@example.org)",
        "decider": "",
        "is_mine": False,
        "n_days": APPROVAL_LIFE.days,
        "approval_url": "https://join.example.org/staff/team/approvals/apr_an-example",
    },
)
def approval(args: dict[str, int | str], at: datetime) -> dict[str, Any] | None:
    """To the owners and to whom it is about: one asks for what a second one has to agree to; what became of it."""
    del at
    reader = get_person(int(args["reader_id"]))
    waits = db.session.get(Approval, str(args["approval_id"])) is not None
    if not reader.is_active or (args["outcome"] == "asked" and not waits):
        return None
    may_look = waits and reader.role is Role.OWNER
    return {
        "newsroom_name": newsroom().name,
        "outcome": str(args["outcome"]),
        "act": str(args["act"]),
        "role": str(args["role"]),
        "about": _called(int(args["about_id"])),
        "asker": _called(int(args["asker_id"])),
        "decider": _called(int(args["decider_id"])),
        "is_mine": reader.id == int(args["asker_id"]),
        "n_days": APPROVAL_LIFE.days,
        "approval_url": absolute("team.approval", approval_id=str(args["approval_id"])) if may_look else None,
    }


def _called(person_id: int) -> str:
    """A colleague by name and address; by address alone once they are off the staff; "" for nobody."""
    person = db.session.get(Person, person_id)
    if person is None or person.is_gone:
        return ""
    return f"{person.staff.name} ({person.email})" if person.staff else person.email
