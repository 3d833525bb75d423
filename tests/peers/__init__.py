"""Real servers for tests, each started on free loopback ports and ended by its own process id."""
