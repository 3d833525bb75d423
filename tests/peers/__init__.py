"""Real peers on loopback: the other side of what the tests exercise."""
