"""For how long announced money is waited for, and how much of it. Pure values.

A bank needs two working days at most and a standing order starts with the next month, so 60 days are long enough for
whoever means it; without an end, names of years ago would be suggested for a stranger's gift, and a script could fill
the desk. The end takes nothing away: money that comes later is booked by its code.
"""

from datetime import timedelta

REMIND_AFTER = timedelta(days=14)
WAIT_FOR = timedelta(days=60)
# Open at a time per mailbox: a family's gifts of a season, and no more.
MOST_OPEN = 5
