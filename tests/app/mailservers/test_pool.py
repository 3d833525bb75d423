"""The pool is bounded, and every piece of work ends at its deadline for whoever waits."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from app.mailservers.causes import Cause, MailCheckError
from app.mailservers.deadline import Deadline
from app.mailservers.network import tls_context
from app.mailservers.pool import MailPool
from app.mailservers.stream import start_tls
from tests.peers.ca import CertificateAuthority
from tests.peers.scripted import scripted_server


@pytest.fixture
def pool() -> Iterator[MailPool]:
    """One thread, one place in line."""
    made = MailPool(threads=1, waiting=1)
    yield made
    made.close()


def test_work_is_done_and_its_result_comes_back(pool: MailPool) -> None:
    assert pool.run(lambda deadline: deadline.remaining() > 0, seconds=5)


def test_an_error_of_the_work_comes_back(pool: MailPool) -> None:
    def work(_: Deadline) -> None:
        raise MailCheckError(Cause.WRONG_CREDENTIAL)

    with pytest.raises(MailCheckError) as raised:
        pool.run(work, seconds=5)
    assert raised.value.cause is Cause.WRONG_CREDENTIAL


def test_a_full_pool_is_busy_and_has_room_again_later(pool: MailPool) -> None:
    gate = threading.Event()

    def wait(_: Deadline) -> bool:
        return gate.wait(5)

    first, second = pool.submit(wait, seconds=5), pool.submit(wait, seconds=5)
    with pytest.raises(MailCheckError) as raised:
        pool.submit(wait, seconds=5)
    assert raised.value.cause is Cause.BUSY
    gate.set()
    assert first.result(5)
    assert second.result(5)
    assert pool.run(wait, seconds=5)


def test_one_sender_cannot_take_every_place() -> None:
    pool = MailPool(threads=8, waiting=0)
    gate = threading.Event()

    def wait(_: Deadline) -> bool:
        return gate.wait(5)

    taken = [pool.submit(wait, seconds=5, sender="192.0.2.1") for _ in range(2)]
    with pytest.raises(MailCheckError) as raised:
        pool.submit(wait, seconds=5, sender="192.0.2.1")
    assert raised.value.cause is Cause.BUSY
    elsewhere = pool.submit(wait, seconds=5, sender="192.0.2.2")
    gate.set()
    assert all(one.result(5) for one in [*taken, elsewhere])
    assert pool.submit(wait, seconds=5, sender="192.0.2.1").result(5)
    pool.close()


def test_a_thread_stuck_on_a_socket_is_cut_loose(pool: MailPool) -> None:
    ours, theirs = socket.socketpair()
    woken = threading.Event()

    def stuck(deadline: Deadline) -> None:
        with deadline.watching(ours):
            ours.recv(1)
        woken.set()

    with ours, theirs:
        began = time.monotonic()
        with pytest.raises(MailCheckError) as raised:
            pool.run(stuck, seconds=0.2)
        assert time.monotonic() - began < 2
        assert woken.wait(2)
    assert raised.value.cause is Cause.UNDECIDED


def test_a_cut_never_takes_tls_off_a_socket(ca: CertificateAuthority) -> None:
    """A thread that sends at that moment must not send in the clear."""
    with scripted_server(lambda c: c.recv(9), ca.issue("localhost")) as port:
        deadline = Deadline(5)
        plain = socket.create_connection(("127.0.0.1", port))
        with start_tls(plain, tls_context(ca.pem), "localhost", deadline) as secured:
            with deadline.watching(secured):
                deadline.cut()
            assert secured.version() is not None


def test_waiting_in_line_counts() -> None:
    pool = MailPool(threads=1, waiting=2)
    gate = threading.Event()
    ran = threading.Event()
    pool.submit(lambda _: gate.wait(5), seconds=5)
    with pytest.raises(MailCheckError) as raised:
        pool.run(lambda _: ran.set(), seconds=0.1)
    gate.set()
    assert raised.value.cause is Cause.UNDECIDED
    assert pool.run(lambda _: True, seconds=5)
    assert not ran.is_set()
    pool.close()


def test_a_step_is_never_longer_than_the_whole() -> None:
    assert Deadline(1).within(60).remaining() <= 1
    assert Deadline(60).within(1).remaining() <= 1


def test_a_passed_deadline_is_a_time_out() -> None:
    with pytest.raises(TimeoutError):
        Deadline(0).remaining()
