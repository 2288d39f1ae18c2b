"""Approval voting: the options with the most ticks win.

One round. `totals` are ticks. `missed_by`: how many ticks fewer than the last winner (0: it lost by lot).
Source: S. Brams, P. Fishburn, Approval Voting (1983); for several seats known as block approval.
"""
