"""What staff do and read, one row each, under a chain of hashes that shows when a row was changed or taken out."""
