"""Names that staff give: to a tag, to a filter that they keep."""

from membership.accounts.rules import folded
from membership.kernel.errors import InvalidInput
from membership.kernel.words import one_line

LONGEST_NAME = 40


def clean_name(text: str) -> tuple[str, str]:
    """A name as it is shown, and as it is compared; two that differ in case, marks or blanks only are one name.

    InvalidInput (field "name"): `name_missing`, `name_too_long`, and `name_is_address`, since what staff write about
    people is no place for somebody's address.
    """
    name = one_line(text)
    if not folded(name):
        raise InvalidInput("name_missing", "Please type a name.", field="name")
    if len(name) > LONGEST_NAME:
        raise InvalidInput("name_too_long", f"Please use at most {LONGEST_NAME} characters.", field="name")
    if "@" in name:
        raise InvalidInput("name_is_address", "Please leave addresses out of names.", field="name")
    return name, folded(name)[:LONGEST_NAME]
