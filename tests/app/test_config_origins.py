"""A service does not start under an address that devices would refuse."""

import pytest

from app.config import ConfigError, operator_config
from tests.vectors import origins

# An empty setting is the default.
REFUSED = [text for text in origins.NO_EXCHANGES if text]


@pytest.mark.parametrize("text", REFUSED)
def test_addresses_of_an_exchange_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="HANDFAST_EXCHANGE_URL"):
        operator_config({"HANDFAST_EXCHANGE_URL": text})


@pytest.mark.parametrize("text", origins.EXCHANGES)
def test_addresses_of_an_exchange_taken(text: str) -> None:
    assert operator_config({"HANDFAST_EXCHANGE_URL": text}).exchange_url == text


def test_an_issuer_leaves_out_its_default_port() -> None:
    with pytest.raises(ConfigError, match="HANDFAST_ISSUER"):
        operator_config({"HANDFAST_ISSUER": "https://localhost:443"})
