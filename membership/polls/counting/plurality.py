"""Plurality: one choice each, most votes win. With several seats the single non-transferable vote.

One round. `totals` are votes: ballots that name this option alone, or alone in first place.
`missed_by`: how many votes fewer than the last winner (0: it lost by lot).
"""
