"""Pages of accounts: `signing_in` (and out), `addresses` (another address of mail), `mails` (which mails come)."""

from membership.accounts.views import addresses, mails
from membership.accounts.views.signing_in import bp, install

__all__ = ["addresses", "bp", "install", "mails"]
