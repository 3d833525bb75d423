"""Activations: grants, documents, and what a person may do with them."""
