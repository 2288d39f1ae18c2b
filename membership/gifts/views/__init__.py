"""The pages of gifts: `buying` (the form and the thanks), `redeeming` (the code), `given` (the giver's account)."""

from membership.gifts.views import buying, given, redeeming
from membership.gifts.views.blueprint import bp

__all__ = ["bp", "buying", "given", "redeeming"]
