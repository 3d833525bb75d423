"""Who works in WebAdmin, and how they sign in. No web framework here."""
