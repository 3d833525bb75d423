"""What is kept about one person as a whole: given to them, or deleted."""
