"""How the service is doing, for monitors: numbers, and whether it is ready. Nothing personal."""
