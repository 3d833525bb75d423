"""PostgreSQL killed and started again under a running exchange, which needs no restart."""

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest

from plugin.errors import ExitCode
from tests.faults.site import Site, build
from tests.faults.test_database import SERVICES, leave_pending, state, unavailable_seen
from tests.faults.witness import Witness
from tests.peers import postgresql
from tests.peers.fault_proxy import FaultProxy
from tests.peers.postgresql import Cluster

pytestmark = [pytest.mark.faults, pytest.mark.postgresql]


@contextmanager
def cluster_files() -> Iterator[Path]:
    """The files of a server that only this test uses."""
    with tempfile.TemporaryDirectory(prefix="handfast-pg-", ignore_cleanup_errors=True) as name:
        folder, owner = Path(name), postgresql.unprivileged_user()
        if owner is not None:
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        postgresql.make_files(folder, owner)
        yield folder


def make_durable(cluster: Cluster) -> None:
    """What is acknowledged must survive here, unlike in other tests."""
    with psycopg.connect(host=str(cluster.folder), user="postgres", autocommit=True) as connection:
        connection.execute("ALTER DATABASE postgres SET synchronous_commit = on")


def test_a_killed_database_server_is_survived(proxy: FaultProxy, tmp_path: Path) -> None:
    with cluster_files() as files:
        server = contextmanager(postgresql.serve)
        owner = postgresql.unprivileged_user()
        folder = tmp_path / "site"
        folder.mkdir()
        with ExitStack() as stack:
            with server(files, owner) as cluster:
                make_durable(cluster)
                site = Site(folder, proxy, cluster.url("postgres"))
                build(site)
                stack.enter_context(site.exchange())
                leave_pending(site)
                witness = Witness(site)
                before = state(witness.look())
                os.kill(cluster.pid, signal.SIGKILL)
            during = site.handfast("status")
            assert during.code == ExitCode.UNFINISHED
            assert unavailable_seen(site)
            with server(files, owner):
                assert state(witness.look()) == before
                assert site.handfast("status").code == 0
                witness.check_repeated()
                witness.check_end(*SERVICES)
                witness.check_secrets_gone()
