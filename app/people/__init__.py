"""People as staff look for them and see them. No web framework here."""
