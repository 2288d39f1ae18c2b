"""Rounds in which patrons choose topics: roll, ballots, the close, counting, results."""
