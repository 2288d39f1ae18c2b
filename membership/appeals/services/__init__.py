"""Use cases of appeals: staff write them, start them and stop them."""

from membership.appeals.services.drafting import add_variant, copy, create, remove_variant, save
from membership.appeals.services.running import end_sooner, start, stop

__all__ = ["add_variant", "copy", "create", "end_sooner", "remove_variant", "save", "start", "stop"]
