"""What happened lately, told to the person whom it concerns."""
