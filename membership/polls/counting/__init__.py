"""The counting: pure functions of ballots (standard library only), one file per rule."""
