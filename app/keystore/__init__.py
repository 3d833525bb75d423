"""Keys at rest: sealing, the key provider, signing keys and the published key set."""
