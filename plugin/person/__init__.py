"""How the person is asked and told: on a terminal, in a window, on the command line."""
