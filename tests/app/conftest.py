"""Fixtures of the portal's tests."""

from tests.app.portal_fixtures import mail_ca, mail_server, open_network, portal

__all__ = ["mail_ca", "mail_server", "open_network", "portal"]
