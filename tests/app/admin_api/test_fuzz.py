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

from app.admin_api.views import admin_api
from app.api import openapi
from app.api.operations import Operation
from app.models import StaffRole
from tests.app.admin_api.programs import Program, program
from tests.app.api.test_fuzz import REFUSED
from tests.app.pages.seeded import Seeded, bare_portal, live_in
from tests.app.portal_fixtures import ISSUER
from tests.app.webadmin.desk import hire

PREFIX = "/api/v1/admin"
EXAMPLES = 15
# What has the right form may still be no address, no list, or a reason that nobody can read.
GOOD = ["2xx", "401", "403", "404", "409", "422"]
CONFIG = SchemathesisConfig.from_dict(
    {
        "checks": {
            "negative_data_rejection": {"expected-statuses": REFUSED},
            "positive_data_acceptance": {"expected-statuses": GOOD},
        }
    }
)
_counter = itertools.count(1)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeded]:
    """A portal that was lived in."""
    with bare_portal(tmp_path_factory.mktemp("portal")) as seeded:
        live_in(seeded)
        yield seeded


@pytest.fixture(scope="module")
def programs(fuzzed: Seeded) -> list[Program]:
    """Programs enough that no limit stops the rest."""
    staff_id = hire(fuzzed.app, StaffRole.OWNER)
    return [program(fuzzed.app, staff_id) for _ in range(10)]


@pytest.fixture(scope="module")
def described(fuzzed: Seeded) -> schemathesis.BaseSchema:
    """The API as it describes itself."""
    return schemathesis.openapi.from_wsgi(
        f"{PREFIX}/openapi.json", fuzzed.app, config=CONFIG, base_url=ISSUER
    )


@pytest.mark.parametrize(
    ("operation", "mode"),
    # Nothing is wrong about a request without any part.
    [
        pytest.param(one, mode, id=f"{one.name}-{mode.value}")
        for one in admin_api.table
        for mode in GenerationMode
        if mode is GenerationMode.POSITIVE or one.takes or one.paged or "<" in one.path
    ],
)
def test_an_operation_keeps_to_its_description(
    operation: Operation,
    mode: GenerationMode,
    programs: list[Program],
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
        caller = programs[number % len(programs)]
        case.call_and_validate(
            base_url=ISSUER + PREFIX,
            headers={"Authorization": f"Bearer {caller.token}"},
            environ_overrides={"REMOTE_ADDR": f"10.0.{number // 250}.{number % 250}"},
        )

    keeps()
