"""Mail servers: which one serves an address, may it vouch for it, does it accept a credential."""
