"""Looks at both sides from outside: the database, the device's store, and what passed between.

I1 one owner per grant; I2 what was acknowledged survives; I3 the owner's retry gets the same
answer; I4 attempts never go down; I5 no secret outlives success or expiry; I6 no half rows, no key
without audit; I7 the old key works until the new one is proven; I8 no number of a packet has two
answers; I10 unsure means 503 and retry; I11 recovery needs no person beyond repeating.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from sqlalchemy import Row, select

from app.activation.services import sweep
from app.clock import SystemClock
from app.keystore.places import key_place
from app.keystore.provider import FileKeyProvider
from app.keystore.rings import ExchangeKeys
from app.models import AuditEntry, KeyState
from app.models.tables import ACTIVATION, RUN, SERVICE_GRANT, SERVICE_KEY
from plugin.keystore.records import Contents
from protocol.channel import read_packet
from protocol.encoding import unb64u
from protocol.media_type import EXCHANGE
from tests.faults.site import Site
from tests.peers.fault_proxy import Passed, header

SEALED_COLUMNS = (ACTIVATION.c.prs_sealed, RUN.c.secrets_sealed, SERVICE_GRANT.c.password_sealed)


@dataclass(frozen=True)
class Snapshot:
    """What the database says at one moment."""

    activations: dict[str, Row[Any]]
    grants: tuple[Row[Any], ...]
    runs: tuple[Row[Any], ...]
    keys: dict[str, Row[Any]]
    audit: frozenset[tuple[str, str | None]]

    @property
    def active(self) -> set[str]:
        """The ids of the keys that can be used."""
        return {key.id for key in self.keys.values() if key.state == KeyState.ACTIVE}

    def grants_of(self, activation: str) -> list[Row[Any]]:
        return [grant for grant in self.grants if grant.activation_id == activation]

    def keys_of(self, activation: str) -> list[Row[Any]]:
        return [key for key in self.keys.values() if key.activation_id == activation]


@dataclass
class Witness:
    """Remembers what it saw at every look, so that going back is noticed."""

    site: Site
    # Statuses besides 200 and 503 that may be seen: only where a second device is about.
    allowed: tuple[int, ...] = ()
    attempts: dict[str, int] = field(default_factory=dict)
    sealed: set[bytes] = field(default_factory=set)
    sealed_keys: dict[str, bytes] = field(default_factory=dict)
    acknowledged: dict[str, set[str]] = field(default_factory=dict)
    # On the device from the start; and those of them that were not over at the service already.
    held: frozenset[str] = frozenset()
    old_keys: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.site.proxy.passed.clear()
        self.held = frozenset(key.key_id for key in self._contents().keys)
        self.old_keys = self.held & frozenset(self._read().active)
        self.look()

    def look(self) -> Snapshot:
        """Read the database, check what must hold at every moment, and return what was read."""
        now = self._read()
        check_one_owner(now)
        self._check_attempts(now)
        check_no_half_rows(now)
        check_ended_keys(now)
        self._check_acknowledged(now)
        self._check_old_keys(now)
        check_same_answers(self.site.proxy.passed, self.allowed)
        check_numbers(self.site.proxy.passed)
        return now

    def check_end(self, *services: str, home: Path | None = None) -> None:
        """Check that the device and the service ended with the same keys for these services."""
        now = self.look()
        contents = self.site.device(home).store.read()
        assert contents.pending == (), "I11: an exchange is still pending"
        fresh = {key.key_id: key for key in contents.keys if key.key_id not in self.held}
        assert sorted(key.service for key in fresh.values()) == sorted(services)
        keys = ExchangeKeys.open(
            FileKeyProvider(self.site.config.keys_dir), entropy=bytes, now=2**62
        ).keys
        for key_id, key in fresh.items():
            row = now.keys[key_id]
            opened = keys.open(row.key_sealed, key_place(key_id))
            assert opened == unb64u(key.key), "the two sides hold different keys"
            assert row.grant_id == key.grant

    def check_repeated(self) -> None:
        """I3: the owner's confirm once more, while the exchange runs: "used" only once proven."""
        now = self.look()
        confirms = {one.body: one.answer for one in self.site.proxy.passed if confirmed(one)}
        assert confirms, "no confirm was ever answered"
        for body, answer in confirms.items():
            # Not over the proxy: this is none of what the device did.
            connection = HTTPConnection("127.0.0.1", self.site.proxy.backend, timeout=30)
            connection.request("POST", "/confirm", body, {"Content-Type": EXCHANGE})
            again = connection.getresponse()
            if now.activations[_activation(body, now)].complete is None:
                assert (again.status, b'"code":"used"' in again.read()) == (409, True)
            else:
                assert again.read() == answer, "I3: another answer to a repeat"
            connection.close()

    def check_secrets_gone(self) -> None:
        """I5: sweep, then look in the files for every sealed value ever seen."""
        assert self.sealed or self.sealed_keys, (
            "nothing sealed was ever seen: the check would prove nothing"
        )
        with self.site.database() as database:
            sweep(database, SystemClock())
            active = self._read().active
            # Before the database is closed, which would empty SQLite's log once more.
            for file in (self.site.folder / "service").glob("handfast.sqlite3*"):
                content = file.read_bytes()
                over = [value for key, value in self.sealed_keys.items() if key not in active]
                for value in (*self.sealed, *over):
                    # A key id stands in front of every sealed value; what follows is its own.
                    parts = (value[20:36], value[-16:])
                    gone = not any(part in content for part in parts)
                    assert gone, f"I5: a secret is left in {file.name}"
        left = self._read()
        ended = [row.id for row in left.activations.values() if row.state != "open"]
        assert all(left.activations[one].prs_sealed is None for one in ended), "I5: a PRS is left"
        assert not [run for run in left.runs if run.activation_id in ended and run.secrets_sealed]

    def _read(self) -> Snapshot:
        with self.site.database() as database, database.read_connection() as connection:
            activations = connection.execute(select(ACTIVATION)).all()
            grants = tuple(connection.execute(select(SERVICE_GRANT)).all())
            runs = tuple(connection.execute(select(RUN)).all())
            keys = connection.execute(select(SERVICE_KEY)).all()
            audit = connection.execute(select(AuditEntry.act, AuditEntry.target)).all()
        self.sealed |= _sealed((*activations, *grants, *runs))
        self.sealed_keys |= {key.id: bytes(key.key_sealed) for key in keys if key.key_sealed}
        return Snapshot(
            {row.id: row for row in activations},
            grants,
            runs,
            {row.id: row for row in keys},
            frozenset((row.act, row.target) for row in audit),
        )

    def _check_attempts(self, now: Snapshot) -> None:
        answered: defaultdict[str, set[bytes]] = defaultdict(set)
        for one in self.site.proxy.passed:
            if one.path == "/init" and one.status == 200:
                answered[_activation(one.body, now)].add(one.body)
        for row in now.activations.values():
            assert row.attempts >= self.attempts.get(row.id, 0), "I4: attempts went down"
            assert row.attempts >= len(answered[row.id]), "I4: an answered init was not counted"
            self.attempts[row.id] = row.attempts

    def _check_acknowledged(self, now: Snapshot) -> None:
        for one in self.site.proxy.passed:
            if confirmed(one):
                row = now.activations[_activation(one.body, now)]
                assert row.state == "redeemed", "I2: an acknowledged activation is not redeemed"
                self.acknowledged[row.id] = {key.id for key in now.keys_of(row.id)}
        for activation, keys in self.acknowledged.items():
            still = {key.id for key in now.keys_of(activation)}
            assert keys == still, "I2: an acknowledged key is gone"
            assert keys, "I2: an acknowledged activation has no keys"

    def _check_old_keys(self, now: Snapshot) -> None:
        on_device = {key.key_id for key in self._contents().keys}
        for key_id in self.old_keys:
            row = now.keys[key_id]
            if row.state == KeyState.ACTIVE:
                assert key_id in on_device, "I7: the device threw an old key away"
                continue
            successors = [key for key in now.keys.values() if _serves(key) == _serves(row)]
            assert row.state == KeyState.RETIRED, "I7: nobody revoked an old key"
            assert any(key.proven_at and key.id != key_id for key in successors), (
                "I7: an old key ended before its successor's proof"
            )

    def _contents(self) -> Contents:
        return self.site.device().store.read()


def check_one_owner(now: Snapshot) -> None:
    """I1: no grant has two keys, no activation two devices."""
    grants = [key.grant_id for key in now.keys.values()]
    assert len(grants) == len(set(grants)), "I1: a grant with two keys"
    for row in now.activations.values():
        devices = {key.device_id for key in now.keys_of(row.id)}
        assert devices == ({row.device_id} if row.state == "redeemed" else set()), "I1: two owners"


def check_no_half_rows(now: Snapshot) -> None:
    """I6: an activation is redeemed with its grants, keys, answer and audit, or not at all."""
    for row in now.activations.values():
        grants, keys = now.grants_of(row.id), now.keys_of(row.id)
        began, ended, target = _told(row)
        assert (began, target) in now.audit, "I6: a document or rotation without audit"
        redeemed = row.state == "redeemed"
        if redeemed:
            assert (ended, target) in now.audit, "I6: a key without audit"
        elif row.kind != "rotation":
            assert (ended, target) not in now.audit, "I6: an audit without key"
        assert bool(row.complete) == bool(row.confirm_hash), "I6: half an answer"
        wanted = [key for key in keys if key.state == KeyState.ACTIVE and not key.proven_at]
        assert bool(row.complete) == bool(wanted), "I6: an answer too many, or too few"
        expected = {grant.id for grant in grants} if redeemed else set()
        assert {key.grant_id for key in keys} == expected, "I6: half the keys"
        assert {grant.state for grant in grants} == {
            "issued" if row.state == "open" else row.state
        }, "I6: half the grants"
        runs = [run for run in now.runs if run.activation_id == row.id]
        assert len(runs) <= row.attempts, "I4: a run that was not counted"


def check_ended_keys(now: Snapshot) -> None:
    """I5 and I6: a key that is over has no secret, and what ended or proved it is in the audit."""
    for key in now.keys.values():
        assert bool(key.key_sealed) == (key.state == KeyState.ACTIVE), "I5: a secret too many"
        if key.proven_at is not None:
            assert ("key-proven", key.id) in now.audit, "I6: a proof without audit"
        if key.state != KeyState.ACTIVE:
            assert (f"key-{key.state}", key.id) in now.audit, "I6: an end without audit"


def check_numbers(passed: Iterable[Passed]) -> None:
    """I8: no number stands for two texts in one direction, whoever was killed meanwhile."""
    sent: dict[tuple[str, int], bytes] = {}
    answered: set[tuple[str, int]] = set()
    for one in passed:
        if one.path != "/packet":
            continue
        packet = read_packet(one.body)
        number = packet.key, packet.number
        assert sent.setdefault(number, one.body) == one.body, "I8: a number sent for two texts"
        if one.status == 200:
            assert number not in answered, "I8: a number with two answers"
            answered.add(number)


def check_same_answers(passed: Iterable[Passed], allowed: tuple[int, ...] = ()) -> None:
    """I3 and I10: the same bytes get the same answer, and otherwise only 503 with a time."""
    first: dict[tuple[str, bytes], bytes] = {}
    for one in passed:
        if one.status in allowed or (one.path == "/packet" and one.status in (200, 409, 410)):
            continue
        if one.status == 409 and (one.path, one.body) in first:
            # A late duplicate of a confirm whose keys are proven: its answer reached the device.
            assert b'"code":"used"' in one.answer
            continue
        assert one.status in (200, 503), f"I3: {one.path} was answered {one.status}: {one.answer!r}"
        if one.status == 503:
            assert b'"code":"unavailable"' in one.answer, "I10"
            assert int(header(one.head, "retry-after") or 0) > 0, "I10: 503 without Retry-After"
            continue
        assert first.setdefault((one.path, one.body), one.answer) == one.answer, (
            "I3: another answer"
        )


def confirmed(one: Passed) -> bool:
    """Whether this is a confirm that the service accepted."""
    return one.path == "/confirm" and one.status == 200


def _sealed(rows: Iterable[Row[Any]]) -> set[bytes]:
    names = [column.name for column in SEALED_COLUMNS]
    found = (getattr(row, name, None) for row in rows for name in names)
    return {bytes(value) for value in found if value is not None}


def _told(row: Row[Any]) -> tuple[str, str, str]:
    """The audit's names for the beginning and the end of an activation, and what they are about."""
    if row.kind == "rotation":
        return "key-rotation-begun", "key-rotated", row.rotates_key_id
    begun = "code-made" if row.kind == "code" else "document-issued"
    return begun, "device-activated", row.id


def _serves(key: Row[Any]) -> tuple[str, str]:
    return key.device_id, key.account_service_id


def _activation(body: bytes, now: Snapshot) -> str:
    """The id of what a body is about; a typed code is named by its handle there."""
    name = body.partition(b'"activation":"')[2].partition(b'"')[0].decode("ascii")
    return next((row.id for row in now.activations.values() if row.handle == name), name)
