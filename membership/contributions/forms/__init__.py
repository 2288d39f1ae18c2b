"""What people type about giving: `giving` (the ask), `supporting` (what a giver changes later)."""

from membership.contributions.forms.giving import ContributeForm
from membership.contributions.forms.supporting import ActForm, CancelForm, ConfirmChangeForm, PauseForm, TermsForm

__all__ = ["ActForm", "CancelForm", "ConfirmChangeForm", "ContributeForm", "PauseForm", "TermsForm"]
