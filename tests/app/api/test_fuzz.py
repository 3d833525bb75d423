"""Every operation under generated requests, good and bad, held against the API's description."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig

from app.api import openapi
from app.api.operations import Operation
from app.api.views import api
from app.mailservers.names import Names
from app.mailservers.network import Network
from protocol.encoding import b64u
from tests.app.api.caller import PREFIX, client_of
from tests.app.pages.seeded import Seeded, bare_portal, live_in
from tests.app.portal_fixtures import ISSUER
from tests.peers.dns_server import dns_server

# So many for each operation and mode keep the whole file under a minute.
EXAMPLES = 20
# What is too large is refused before anybody looks whether it is right.
REFUSED = ["400", "401", "403", "404", "405", "406", "409", "413", "415", "422", "428", "429"]
CONFIG = SchemathesisConfig.from_dict(
    {"checks": {"negative_data_rejection": {"expected-statuses": REFUSED}}}
)
_counter = itertools.count(1)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeded]:
    """Ann's portal, with a DNS server that knows no mail domain."""
    with dns_server({}) as dns:
        network = Network(names=Names("127.0.0.1", dns.port))
        with bare_portal(tmp_path_factory.mktemp("portal"), network=network) as seeded:
            live_in(seeded)
            yield seeded


@pytest.fixture(scope="module")
def described(fuzzed: Seeded) -> schemathesis.BaseSchema:
    """The API as it describes itself."""
    return schemathesis.openapi.from_wsgi(
        "/api/v1/openapi.json", fuzzed.app, config=CONFIG, base_url=ISSUER
    )


@pytest.mark.parametrize(
    ("operation", "mode"),
    # Nothing is wrong about a request without any part.
    [
        pytest.param(one, mode, id=f"{one.name}-{mode.value}")
        for one in api.table
        for mode in GenerationMode
        if mode is GenerationMode.POSITIVE or one.takes or one.paged or "<" in one.path
    ],
)
def test_an_operation_keeps_to_its_description(
    operation: Operation,
    mode: GenerationMode,
    fuzzed: Seeded,
    described: schemathesis.BaseSchema,
) -> None:
    of_description = described[openapi.path_of(operation)][operation.method]

    @given(case=of_description.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def keeps(case: schemathesis.Case[Any]) -> None:
        number = next(_counter)
        # A fresh client from a fresh address: no limit and no sign-out stops the rest.
        caller = client_of(fuzzed, fuzzed.ann, b64u(number.to_bytes(32, "big")))
        case.call_and_validate(
            base_url=ISSUER + PREFIX,
            headers={"Authorization": f"Bearer {caller.token}"},
            environ_overrides={"REMOTE_ADDR": f"10.0.{number // 250}.{number % 250}"},
        )

    keeps()
