"""What device and service say to each other: the key exchange, and packets under the keys."""
