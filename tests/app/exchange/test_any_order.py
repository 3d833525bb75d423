"""Reports, rotations, lost answers and clocks in any order: the device never loses its way in."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import func, select

from app.activation.services import ask_rotation, sweep
from app.clock import DAY, HOUR, MINUTE, FixedClock
from app.database import Database
from app.models import Activation, ActivationState, Base, KeyState, ServiceKey
from protocol.channel import ReportAnswer, Rotation, open_answer
from protocol.errors import RemoteProtocolError
from protocol.handshake import Pending
from tests.app.exchange.reporting import Line, activated
from tests.app.service_fixtures import ADDRESS, NOON, make_service

STEPS = st.sampled_from([-HOUR, MINUTE, 6 * MINUTE, HOUR, DAY])


class OneDevice(RuleBasedStateMachine):
    """A device with keys for one service; it forgets a key only where the service lets it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.database = Database(f"sqlite:///{self.folder / 'handfast.sqlite3'}")
        Base.metadata.create_all(self.database.engine)
        # A day on, so that the clock can be set back to where the keys are good already.
        clock = FixedClock(NOON)
        self.service = make_service(self.database, clock, self.folder)
        clock.advance(DAY)
        self.handset = self.service.handset()
        self.lines: list[Line] = []
        self.offer: Rotation | None = None
        self.pending: tuple[Line, Pending] | None = None

    @initialize()
    def activate(self) -> None:
        """Begin with one key, proven or not."""
        self.lines = [activated(self.service, self.handset)]

    @rule(data=st.data(), rotate=st.booleans(), lost=st.booleans())
    def report(self, data: st.DataObject, rotate: bool, lost: bool) -> None:
        """Report under any key; the answer may be lost."""
        line = data.draw(st.sampled_from(self.lines))
        answer = self.service.packets.packet(line.report(rotate=rotate))
        if lost:
            return
        if answer.is_notice:
            self.lines.remove(line)
            return
        said = open_answer(line.key, answer.body, number=line.number, expected=ReportAnswer)
        # What was there before this key is no longer needed, since the service answered under it.
        self.lines = self.lines[self.lines.index(line) :]
        self.offer = said.rotation

    @precondition(lambda self: self.offer)
    @rule(data=st.data(), lost=st.booleans())
    def begin(self, data: st.DataObject, lost: bool) -> None:
        """Run init of what was offered, under whichever key the device takes it for."""
        line = data.draw(st.sampled_from(self.lines))
        assert self.offer is not None
        initiator = line.initiator(self.offer)
        try:
            reply = self.service.exchange.init(initiator.init())
        except RemoteProtocolError:
            return
        if not lost:
            self.pending = line, line.pending(self.offer, initiator, reply)

    @precondition(lambda self: self.pending)
    @rule(lost=st.booleans())
    def confirm(self, lost: bool) -> None:
        """Send the confirm, perhaps again."""
        assert self.pending is not None
        line, pending = self.pending
        try:
            complete = self.service.exchange.confirm(pending.confirm, address=ADDRESS)
        except RemoteProtocolError:
            return
        if not lost:
            self.lines.append(line.successor(pending.receive_complete(complete)))
            self.pending = None

    @rule()
    def activate_again(self) -> None:
        """Use a second document on the same device."""
        self.lines.append(activated(self.service, self.handset))

    @rule(data=st.data())
    def wish(self, data: st.DataObject) -> None:
        """Let the owner ask for a new key."""
        line = data.draw(st.sampled_from(self.lines))
        ask_rotation(
            self.database,
            person_id=self.service.ann.person_id,
            key_id=line.key.key_id,
            now=self.service.clock.now(),
        )

    @rule(step=STEPS, swept=st.booleans())
    def wait(self, step: int, swept: bool) -> None:
        """Let time pass, or a clock be set back by an hour."""
        if self.service.clock.now() + step > NOON:
            self.service.clock.advance(step)
        if swept:
            sweep(self.database, self.service.clock)

    @invariant()
    def one_key_works(self) -> None:
        """Of the keys on the device at least one is active at the service."""
        with self.database.read() as session:
            active = set(
                session.scalars(select(ServiceKey.id).where(ServiceKey.state == KeyState.ACTIVE))
            )
        assert not self.lines or active & {line.key.key_id for line in self.lines}

    @invariant()
    def one_rotation_at_most(self) -> None:
        """No key has two open rotations, and none that is over has any."""
        with self.database.read() as session:
            rows = session.execute(
                select(ServiceKey.state, func.count())
                .join(Activation, Activation.rotates_key_id == ServiceKey.id)
                .where(Activation.state == ActivationState.OPEN)
                .group_by(ServiceKey.id, ServiceKey.state)
            ).all()
        assert all(row == (KeyState.ACTIVE, 1) for row in rows)

    @invariant()
    def no_secret_is_left(self) -> None:
        """Active keys have their secret, and no others."""
        with self.database.read() as session:
            for state, sealed in session.execute(select(ServiceKey.state, ServiceKey.key_sealed)):
                assert (state == KeyState.ACTIVE) == (sealed is not None)

    def teardown(self) -> None:
        """Close and remove the database."""
        self.database.dispose()
        shutil.rmtree(self.folder)


OneDevice.TestCase.settings = settings(
    max_examples=15,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestOneDevice = OneDevice.TestCase
