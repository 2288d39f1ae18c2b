"""Pages of the front of the house: one file per subject."""
