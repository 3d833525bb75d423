"""Whom this device believes: the issuers it trusts, and the administrator's policy."""
