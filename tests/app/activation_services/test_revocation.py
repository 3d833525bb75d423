"""What goes with a revoked device, and with an activation that is undone."""

from app.accounts import sessions
from app.activation.services import revoke_activation, revoke_device
from app.exchange.rotations import WISH_PAUSE
from app.models import Device, DeviceState, KeyState, SessionKind
from tests.app.exchange.reporting import activated
from tests.app.exchange.test_packets import stored_key
from tests.app.exchange.test_rotation import offered
from tests.app.service_fixtures import Service


def client_of(service: Service, jkt: str | None) -> str:
    """Sign Ann in with a client of a device, or with a browser, and return the token."""
    token = sessions.new_token(service.entropy)
    device = None if jkt is None else sessions.ClientDevice(jkt, "Ann's laptop")
    with service.database.write() as session:
        sessions.start(
            session,
            token,
            sessions.Client("192.0.2.7", "handfast"),
            person_id=service.ann.person_id,
            now=service.clock.now(),
            lifetime=sessions.CLIENT_LIFETIME,
            entropy=service.entropy,
            device=device,
        )
    return token


def is_alive(service: Service, token: str, kind: SessionKind = SessionKind.CLIENT) -> bool:
    with service.database.read() as session:
        return sessions.find(session, token, now=service.clock.now(), kind=kind) is not None


def test_the_client_of_a_revoked_device_is_signed_out_and_no_other(service: Service) -> None:
    line = activated(service)
    its = client_of(service, line.handset.identity.kid)
    other = client_of(service, service.handset("Ann's phone").identity.kid)
    browser = client_of(service, None)
    assert is_alive(service, its)

    revoke_device(
        service.database,
        person_id=service.ann.person_id,
        device_id=stored_key(line).device_id,
        now=service.clock.now(),
    )

    assert not is_alive(service, its)
    assert is_alive(service, other)
    assert is_alive(service, browser, SessionKind.BROWSER)


def test_undoing_an_activation_reaches_the_keys_that_rotations_made_of_its_keys(
    service: Service,
) -> None:
    line = activated(service)
    undone = stored_key(line).activation_id
    for _ in range(2):
        line = line.replace(offered(line))
        line.send()
        service.clock.advance(WISH_PAUSE)

    revoke_activation(
        service.database,
        person_id=service.ann.person_id,
        activation_id=undone,
        now=service.clock.now(),
    )

    assert stored_key(line).state == KeyState.REVOKED
    assert line.notice().state == "revoked"
    with service.database.read() as session:
        device = session.get_one(Device, stored_key(line).device_id)
        assert device.state == DeviceState.REVOKED
