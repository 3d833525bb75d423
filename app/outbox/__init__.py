"""Mail to people: written with the act that it tells of, sent by the worker, bounces noticed."""
