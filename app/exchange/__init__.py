"""The key exchange service: two POSTs, no cookies, no pages."""
