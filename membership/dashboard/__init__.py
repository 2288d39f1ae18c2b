"""What staff see of the newsroom's support: daily roll-ups of the rows below, metrics that read them, pictures."""
