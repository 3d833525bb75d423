"""One prepared site for all tests here; each gets a copy of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.site import Site, build, copy, sqlite_url
from tests.faults.witness import Witness
from tests.peers.fault_proxy import FaultProxy, fault_proxy
from tests.peers.postgresql import Cluster


@dataclass
class Served:
    """An installation whose exchange is running."""

    site: Site
    port: int
    count: int = 0


@pytest.fixture(scope="session")
def proxy() -> Iterator[FaultProxy]:
    """The address of the exchange, in every document of these tests."""
    with fault_proxy() as proxy:
        yield proxy


@pytest.fixture(scope="session")
def prepared(proxy: FaultProxy, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Ann's installation and device on SQLite, with a key for mail on both sides."""
    folder = tmp_path_factory.mktemp("faults") / "prepared"
    folder.mkdir()
    site = Site(folder, proxy, sqlite_url(folder))
    build(site)
    return site


@pytest.fixture(scope="session")
def prepared_postgresql(
    proxy: FaultProxy, postgresql_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Site, str]:
    """The same on PostgreSQL: the site, and the name of the database to copy."""
    folder = tmp_path_factory.mktemp("faults") / "prepared-postgresql"
    folder.mkdir()
    name = postgresql_cluster.template("faults", lambda url: build(Site(folder, proxy, url)))
    return Site(folder, proxy, postgresql_cluster.url(name)), name


@pytest.fixture
def site(prepared: Site, tmp_path: Path) -> Iterator[Site]:
    """A copy of the prepared site on SQLite."""
    prepared.proxy.heal()
    yield copy(prepared, tmp_path / "site")
    prepared.proxy.heal()


@pytest.fixture(scope="module")
def served(prepared: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A copy whose exchange runs for all tests of a file that do not stop it."""
    site = copy(prepared, tmp_path_factory.mktemp("served") / "site")
    with site.exchange():
        assert site.proxy.backend is not None
        yield Served(site, site.proxy.backend)


@pytest.fixture
def live_site(served: Served) -> Iterator[Site]:
    """The running installation, with a device of this test's own."""
    served.count += 1
    served.site.proxy.backend = served.port
    served.site.proxy.heal()
    yield served.site.with_device(f"device-{served.count}")
    served.site.proxy.heal()


@pytest.fixture
def live_witness(live_site: Site) -> Witness:
    """Looks at the running installation from outside."""
    return Witness(live_site)


@pytest.fixture
def postgresql_site(
    prepared_postgresql: tuple[Site, str], postgresql_cluster: Cluster, tmp_path: Path
) -> Iterator[Site]:
    """A copy of the prepared site on PostgreSQL."""
    prepared, template = prepared_postgresql
    prepared.proxy.heal()
    with postgresql_cluster.database(template) as url:
        yield copy(prepared, tmp_path / "site", url)
    prepared.proxy.heal()


@pytest.fixture
def witness(site: Site) -> Witness:
    """Looks at the site on SQLite from outside."""
    return Witness(site)
