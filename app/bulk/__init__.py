"""Lists of people: read from CSV, checked line by line, taken whole or not at all, and exported."""
