"""The mails of a contribution: `giving` (thanks and receipts), `changing` (what was changed, paused or stopped),
`recovering` (money that fails, or will), `returning` (money that goes back, two supports of one person). Loading this
enters all of them into the catalogue.
"""

from membership.contributions.emails import changing, giving, recovering, returning

__all__ = ["changing", "giving", "recovering", "returning"]
