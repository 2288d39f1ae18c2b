"""The only writers of appeals."""
