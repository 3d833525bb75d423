"""How the installation is doing, in counts: made by the worker, read by the dashboard."""
