"""The listener: what it takes, what it refuses, and how it says so."""

import json
import threading
from contextlib import closing
from io import BytesIO
from sqlite3 import connect

import pytest
from werkzeug.test import Client, TestResponse

from app.activation.services import activation_status
from app.exchange.wsgi import ExchangeListener
from app.readers import MAX_READING_FROM_ONE
from protocol.channel import ReportAnswer, open_answer
from protocol.encoding import MAX_BYTES
from protocol.media_type import EXCHANGE, NOTICE, PROBLEM
from tests.app.exchange.reporting import activated
from tests.app.service_fixtures import Offer, Service


@pytest.fixture
def client(sqlite_service: Service) -> Client:
    """A client of the listener, with one proxy that is believed."""
    return Client(
        ExchangeListener(
            sqlite_service.exchange, sqlite_service.packets, trusted_proxies=("127.0.0.1/32",)
        )
    )


@pytest.fixture
def offer(sqlite_service: Service) -> Offer:
    """A device that is about to send its init."""
    issued = sqlite_service.issue(sqlite_service.ann)
    return sqlite_service.handset().offer(sqlite_service, issued.document)


def post(client: Client, path: str, body: bytes, **more: object) -> TestResponse:
    return client.post(path, data=body, **{"content_type": EXCHANGE, **more})


def is_problem(answer: TestResponse, status: int, code: str) -> bool:
    assert answer.content_type == PROBLEM
    assert answer.headers["Cache-Control"] == "no-store"
    body = json.loads(answer.data)
    assert body["status"] == answer.status_code
    return (answer.status_code, body["code"]) == (status, code)


def test_an_activation_over_http(client: Client, offer: Offer) -> None:
    reply = post(client, "/init", offer.init)
    pending = offer.pending(reply.data)
    complete = post(client, "/confirm", pending.confirm)

    assert pending.receive_complete(complete.data).keys
    for answer in (reply, complete):
        assert answer.status_code == 200
        assert answer.content_type == EXCHANGE
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in answer.headers


def test_packets_over_http(client: Client, sqlite_service: Service) -> None:
    line = activated(sqlite_service)
    first = line.report()

    answer = post(client, "/packet", first)

    assert (answer.status_code, answer.content_type) == (200, EXCHANGE)
    assert open_answer(line.key, answer.data, number=1, expected=ReportAnswer).book
    assert is_problem(post(client, "/packet", first), 409, "replayed")
    assert is_problem(post(client, "/packet", b"{}"), 400, "malformed")
    assert is_problem(post(client, "/packet", first[:-8] + b'AAAAAA"}'), 403, "refused")
    line.end()
    gone = post(client, "/packet", line.report())
    assert (gone.status_code, gone.content_type) == (410, NOTICE)
    assert gone.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "", EXCHANGE + "x"])
def test_another_media_type_is_unsupported(client: Client, offer: Offer, content_type: str) -> None:
    answer = post(client, "/init", offer.init, content_type=content_type)

    assert is_problem(answer, 415, "unsupported-media-type")


def test_a_large_body_is_refused_unread(client: Client) -> None:
    class Unreadable(BytesIO):
        def read(self, *_: object) -> bytes:
            raise AssertionError("read")

    answer = client.post(
        "/init",
        input_stream=Unreadable(),
        content_type=EXCHANGE,
        environ_overrides={"CONTENT_LENGTH": str(MAX_BYTES + 1)},
    )

    assert is_problem(answer, 413, "too-large")


def test_a_large_chunked_body_is_refused(client: Client) -> None:
    answer = client.post(
        "/init",
        input_stream=BytesIO(bytes(MAX_BYTES * 2)),
        content_type=EXCHANGE,
        environ_overrides={"wsgi.input_terminated": True, "CONTENT_LENGTH": ""},
    )

    assert is_problem(answer, 413, "too-large")


@pytest.mark.parametrize("length", ["-1", "1e3", "٣", "5"])
def test_a_wrong_length_is_malformed(client: Client, length: str) -> None:
    answer = client.post(
        "/init",
        input_stream=BytesIO(b"{}"),
        content_type=EXCHANGE,
        environ_overrides={"CONTENT_LENGTH": length},
    )

    assert is_problem(answer, 400, "malformed")


def test_other_paths_and_methods_do_not_exist(client: Client) -> None:
    assert client.get("/").status_code == 404
    assert client.post("/init/").status_code == 404
    answer = client.get("/init")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


def test_refusals_are_problems(client: Client, offer: Offer) -> None:
    unknown = offer.init.replace(offer.verified.document.jti.encode(), b"A" * 22)

    assert is_problem(post(client, "/init", b"{}"), 400, "malformed")
    assert is_problem(post(client, "/init", unknown), 403, "refused")
    assert is_problem(post(client, "/confirm", b"[]"), 400, "malformed")


def test_a_locked_database_is_503_with_retry_after(
    client: Client, sqlite_service: Service, offer: Offer
) -> None:
    with closing(connect(str(sqlite_service.database.engine.url.database))) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = post(client, "/init", offer.init)
        other.execute("ROLLBACK")

    assert is_problem(answer, 503, "unavailable")
    assert answer.headers["Retry-After"]
    assert post(client, "/init", offer.init).status_code == 200


def test_a_lost_sealing_key_is_503_and_no_trace(
    client: Client, sqlite_service: Service, offer: Offer, caplog: pytest.LogCaptureFixture
) -> None:
    folder = sqlite_service.config.keys_dir / "sealing-grants"
    folder.rename(folder.with_name("away"))
    sqlite_service.exchange_keys.grants._ring._keys = ()  # type: ignore[attr-defined]  # as after a restart

    answer = post(client, "/init", offer.init)

    assert is_problem(answer, 503, "unavailable")
    assert "SealError" in caplog.text
    assert "Traceback" not in caplog.text


def test_who_sends_too_slowly_too_often_does_not_keep_others_out(sqlite_service: Service) -> None:
    entered, leave = threading.Semaphore(0), threading.Event()

    class Slow(BytesIO):
        def read(self, *_: object) -> bytes:
            entered.release()
            leave.wait(20)
            return b"{}"

    client = Client(ExchangeListener(sqlite_service.exchange, sqlite_service.packets))

    def wait_inside() -> None:
        client.post("/init", input_stream=Slow(), content_length=2, content_type=EXCHANGE)

    threads = [threading.Thread(target=wait_inside) for _ in range(MAX_READING_FROM_ONE)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert entered.acquire(timeout=20)
    busy = post(client, "/init", b"{}")
    elsewhere = post(client, "/init", b"{}", environ_overrides={"REMOTE_ADDR": "192.0.2.9"})
    health = client.get("/healthz")
    leave.set()
    for thread in threads:
        thread.join()

    assert is_problem(busy, 429, "busy")
    assert is_problem(elsewhere, 400, "malformed")
    assert health.status_code == 200
    assert is_problem(post(client, "/init", b"{}"), 400, "malformed")


@pytest.mark.parametrize(
    ("near", "forwarded", "shown"),
    [
        ("127.0.0.1", "203.0.113.5", "203.0.113.5"),
        ("127.0.0.1", "1.1.1.1, 203.0.113.5", "203.0.113.5"),
        ("127.0.0.1", "<script>", "unknown"),
        ("198.51.100.4", "203.0.113.5", "198.51.100.4"),
        ("::ffff:198.51.100.4", "", "198.51.100.4"),
        ("2001:db8::1", "", "2001:db8::1"),
    ],
)
def test_the_owner_sees_the_address_that_can_be_believed(
    client: Client, sqlite_service: Service, offer: Offer, near: str, forwarded: str, shown: str
) -> None:
    environ = {"REMOTE_ADDR": near, "HTTP_X_FORWARDED_FOR": forwarded}
    pending = offer.pending(post(client, "/init", offer.init).data)
    post(client, "/confirm", pending.confirm, environ_overrides=environ)

    status = activation_status(
        sqlite_service.database,
        person_id=sqlite_service.ann.person_id,
        activation_id=offer.verified.document.jti,
        now=sqlite_service.clock.now(),
    )
    assert status is not None
    assert status.address == shown


def test_health_says_when_the_database_is_away(client: Client, sqlite_service: Service) -> None:
    assert client.get("/healthz").status_code == 200
    path = sqlite_service.config.state_dir / "handfast.sqlite3"
    sqlite_service.database.dispose()
    path.rename(path.with_name("away"))
    path.mkdir()

    assert is_problem(client.get("/healthz"), 503, "unavailable")
