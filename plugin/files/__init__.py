"""Files read and written with care: whole, by one at a time, and nobody else's."""
