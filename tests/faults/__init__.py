"""Both sides killed, cut and filled up; afterwards they agree, and nothing is lost."""
