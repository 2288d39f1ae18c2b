"""Object by object against the provider (W13): what its lists show is held against what we have booked, and where they
differ the thing is read again, by the same path as a webhook takes. Then our own things that no list showed.

Providers say themselves that in very rare cases a notice never comes about; this finds what it would have told. A run
is a row (`models.Inspection`): its cursor moves with every page, so a killed run goes on where it was.
"""

from membership.billing.reconcile.holdings import Holdings
from membership.billing.reconcile.run import REACH, Progress, begin, go_on

__all__ = ["REACH", "Holdings", "Progress", "begin", "go_on"]
