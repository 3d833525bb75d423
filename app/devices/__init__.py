"""A person's devices and the keys on them: look, revoke, restore."""
