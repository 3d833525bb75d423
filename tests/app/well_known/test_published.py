"""What devices fetch without signing in."""

from __future__ import annotations

from protocol import media_type
from tests.app.portal_fixtures import Portal


def test_the_key_set_and_the_trust_bundle_are_served_as_published(portal: Portal) -> None:
    published = portal.config.keys_dir / "published"
    published.mkdir(parents=True)
    (published / "handfast-keys.jwt").write_bytes(b"a.b.c")
    (published / "trust.json").write_bytes(b"{}")
    keys = portal.browser().get("/.well-known/handfast-keys")
    trust = portal.browser().get("/.well-known/handfast-trust")
    assert (keys.data, keys.content_type) == (b"a.b.c", media_type.KEY_SET)
    assert (trust.data, trust.content_type) == (b"{}", "application/json")


def test_before_anything_is_published_there_is_nothing(portal: Portal) -> None:
    assert portal.browser().get("/.well-known/handfast-keys").status_code == 404


def test_health_needs_the_database(portal: Portal) -> None:
    assert portal.browser().get("/healthz").status_code == 200
