"""Fixtures of the portal's tests."""

from tests.app.portal_fixtures import mail_ca, mail_server, portal

__all__ = ["mail_ca", "mail_server", "portal"]
