"""The commands of `handfast`, one module each, and what two of them have in common."""
