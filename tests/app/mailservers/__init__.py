"""Tests of the mail-server part."""
