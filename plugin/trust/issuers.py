"""Whom this device trusts: bundles with root keys, and the key sets that those roots signed."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import msgspec

from plugin.decoding import DecodingError, decode
from plugin.errors import ExitCode, UserError
from plugin.files import system_file
from plugin.files.atomic import write_private
from plugin.files.locking import exclusive
from plugin.i18n import _
from plugin.limits import KEY_SET_REFRESH, MAX_TRUST_FILE
from plugin.network.http_answer import Answer, TransportError
from plugin.network.transport import Transport
from plugin.paths import Paths
from protocol import media_type
from protocol.errors import RemoteProtocolError, VerificationError
from protocol.trust import KeySet, TrustBundle, TrustedIssuer, verify_key_set

BUNDLE_PATH: Final = "/.well-known/handfast-trust"
KEY_SET_PATH: Final = "/.well-known/handfast-keys"


class TrustFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is kept per issuer; times in seconds, 0 = never."""

    version: int
    bundle: str
    added: int
    checked: int
    key_set: str
    key_set_version: int
    # Only a cache for a bundle of the administrator: it is no trust of its own.
    system: bool = False


@dataclass(frozen=True)
class Trust:
    """One trusted issuer; `ca_file` replaces the system's authorities for its portal."""

    bundle: TrustBundle
    added: int
    checked: int
    untrusted_key_set: bytes
    key_set_version: int
    ca_file: Path | None
    system: bool = False

    @property
    def issuer(self) -> str:
        return self.bundle.issuer

    def key_set(self, now: int) -> KeySet:
        """Return the key set as the roots signed it; raises VerificationError also when stale."""
        return verify_key_set(
            self.untrusted_key_set, self.bundle, now=now, minimum_version=self.key_set_version
        )


class TrustStore:
    """The issuers of this person and of the system's administrator."""

    def __init__(self, paths: Paths, *, transport: Transport, clock: Callable[[], int]) -> None:
        self._paths = paths
        self._transport = transport
        self._clock = clock

    def all(self) -> list[Trust]:
        """Return every trusted issuer; the administrator's word goes before the person's."""
        kept = {trust.issuer: trust for trust in self._kept()}
        found = {issuer: trust for issuer, trust in kept.items() if not trust.system}
        for system in self._system():
            known = kept.get(system.issuer)
            found[system.issuer] = _with_cache(system, known) if known else system
        return sorted(found.values(), key=lambda trust: trust.issuer)

    def get(self, issuer: str) -> Trust:
        """Return one issuer, or raise UserError."""
        for trust in self.all():
            if trust.issuer == issuer.rstrip("/"):
                return trust
        raise UserError(
            _("this device does not trust %s") % issuer,
            _('see "handfast trust list"'),
            ExitCode.USAGE,
        )

    def usable(self, now: int) -> list[TrustedIssuer]:
        """Return the issuers whose key set is here and valid."""
        return [TrustedIssuer(trust.issuer, key_set) for trust, key_set in self._current(now)]

    def stale(self, now: int) -> list[str]:
        """Return the issuers that need `trust update` before their documents can be read."""
        current = {trust.issuer for trust, _key_set in self._current(now)}
        return [trust.issuer for trust in self.all() if trust.issuer not in current]

    def fetch_bundle(self, url: str, *, ca_file: Path | None) -> TrustBundle:
        """Fetch the bundle that `url` offers about itself, over verified TLS."""
        issuer = url.rstrip("/")
        answer = self._fetch(issuer, issuer + BUNDLE_PATH, ca_file, "application/json")
        bundle = read_bundle(answer.untrusted_body)
        if bundle.issuer != issuer:
            raise UserError(
                _("%(url)s offers the trust of another service, %(issuer)s")
                % {"url": issuer, "issuer": bundle.issuer},
                _("give that address, if it is the one you mean"),
                ExitCode.UNTRUSTED,
            )
        return bundle

    def fetch_key_set(
        self, bundle: TrustBundle, *, ca_file: Path | None, minimum: int = 0
    ) -> bytes:
        """Fetch the key set and return its bytes once a root's signature on it was verified."""
        url = bundle.issuer + KEY_SET_PATH
        untrusted = self._fetch(bundle.issuer, url, ca_file, media_type.KEY_SET).untrusted_body
        check_key_set(untrusted, bundle, now=self._clock(), minimum=minimum)
        return untrusted

    def add(self, bundle: TrustBundle, key_set: bytes, *, ca_file: Path | None) -> None:
        """Keep a bundle that the person accepted, with its verified key set."""
        now = self._clock()
        version = check_key_set(key_set, bundle, now=now, minimum=0).version
        with self._exclusive():
            if any(trust.issuer == bundle.issuer for trust in self.all()):
                raise UserError(
                    _("this device trusts %s already") % bundle.issuer,
                    _('to trust other keys of it, first run "handfast trust remove"'),
                    ExitCode.USAGE,
                )
            if ca_file:
                write_private(self._file(bundle.issuer, ".pem"), read_small(ca_file))
            self._save(Trust(bundle, now, now, key_set, version, ca_file))

    def update(self, issuer: str) -> KeySet:
        """Fetch the issuer's key set again; its version never goes down."""
        trust = self.get(issuer)
        fetched = self.fetch_key_set(
            trust.bundle, ca_file=trust.ca_file, minimum=trust.key_set_version
        )
        now = self._clock()
        with self._exclusive():
            # Another handler may have stored a newer one meanwhile.
            newest = self.get(issuer)
            key_set = check_key_set(fetched, newest.bundle, now=now, minimum=newest.key_set_version)
            self._save(
                replace(
                    newest,
                    checked=now,
                    untrusted_key_set=fetched,
                    key_set_version=key_set.version,
                )
            )
        return key_set

    def update_if_old(self, issuer: str) -> None:
        """After a success: refresh a key set that is older than a day; failure is no trouble."""
        if self._clock() - self.get(issuer).checked > KEY_SET_REFRESH:
            try:
                self.update(issuer)
            except UserError:
                return

    def remove(self, issuer: str) -> None:
        """Forget the person's trust in `issuer`."""
        trust = self.get(issuer)
        if trust.system:
            raise UserError(
                _("the administrator of this device trusts %s") % issuer,
                _("only the administrator can remove the file in %s")
                % self._paths.system_trust_dir,
                ExitCode.USAGE,
            )
        with self._exclusive():
            self._file(trust.issuer, ".json").unlink(missing_ok=True)
            self._file(trust.issuer, ".pem").unlink(missing_ok=True)

    def _current(self, now: int) -> Iterator[tuple[Trust, KeySet]]:
        for trust in self.all():
            try:
                yield trust, trust.key_set(now)
            except VerificationError:
                continue

    def _kept(self) -> Iterator[Trust]:
        for file in sorted(self._paths.trust_dir.glob("*.json")):
            kept = _decode(file)
            ca_file = file.with_suffix(".pem")
            yield Trust(
                read_bundle(kept.bundle.encode()),
                kept.added,
                kept.checked,
                kept.key_set.encode(),
                kept.key_set_version,
                ca_file if ca_file.exists() else None,
                kept.system,
            )

    def _system(self) -> Iterator[Trust]:
        for file in sorted(self._paths.system_trust_dir.glob("*.json")):
            ca_file, key_set = file.with_suffix(".pem"), file.with_suffix(".jwt")
            if ca_file.exists():
                _read_system(ca_file)
            yield Trust(
                read_bundle(_read_system(file)),
                int(file.stat().st_mtime),
                0,
                _read_system(key_set) if key_set.exists() else b"",
                0,
                ca_file if ca_file.exists() else None,
                system=True,
            )

    def _save(self, trust: Trust) -> None:
        kept = TrustFile(
            1,
            trust.bundle.to_json().decode(),
            trust.added,
            trust.checked,
            trust.untrusted_key_set.decode(),
            trust.key_set_version,
            trust.system,
        )
        write_private(self._file(trust.issuer, ".json"), msgspec.json.encode(kept))

    def _file(self, issuer: str, suffix: str) -> Path:
        # No name is taken from outside: the issuer is hashed.
        return self._paths.trust_dir / (hashlib.sha256(issuer.encode()).hexdigest()[:32] + suffix)

    def _exclusive(self) -> AbstractContextManager[None]:
        return exclusive(self._paths.trust_dir / "lock")

    def _fetch(self, issuer: str, url: str, ca_file: Path | None, accept: str) -> Answer:
        try:
            answer = self._fetch_again(url, ca_file, accept)
        except TransportError as error:
            raise _unreachable(issuer, str(error)) from error
        if answer.status != 200 or answer.media_type != accept.partition(";")[0]:
            raise _unreachable(issuer, _("it gave no usable answer (%d)") % answer.status)
        return answer

    def _fetch_again(self, url: str, ca_file: Path | None, accept: str) -> Answer:
        """Fetch once more what was lost on the way: one bad moment of a network is nothing."""
        try:
            return self._transport.fetch(url, ca_file=ca_file, accept=accept)
        except TransportError:
            return self._transport.fetch(url, ca_file=ca_file, accept=accept)


def read_bundle(untrusted: bytes) -> TrustBundle:
    """Decode a trust bundle, or raise UserError."""
    try:
        return TrustBundle.from_json(untrusted)
    except (RemoteProtocolError, VerificationError) as error:
        raise UserError(
            _("this is not a trust bundle"),
            _("ask whoever runs the service for the right file or address"),
            ExitCode.UNTRUSTED,
        ) from error


def check_key_set(untrusted: bytes, bundle: TrustBundle, *, now: int, minimum: int) -> KeySet:
    """Return the verified key set, or raise UserError."""
    try:
        return verify_key_set(untrusted, bundle, now=now, minimum_version=minimum)
    except (VerificationError, RemoteProtocolError) as error:
        raise UserError(
            _("the keys that %s offers are not signed by the root this device trusts")
            % bundle.issuer,
            _("nothing was changed; ask whoever runs the service"),
            ExitCode.UNTRUSTED,
        ) from error


def _with_cache(system: Trust, cached: Trust) -> Trust:
    return replace(
        system,
        checked=cached.checked,
        untrusted_key_set=cached.untrusted_key_set,
        key_set_version=cached.key_set_version,
    )


def _decode(file: Path) -> TrustFile:
    try:
        return decode(read_small(file), TrustFile)
    except DecodingError as error:
        raise UserError(
            _("the trust file %s is damaged") % file,
            _('delete it and run "handfast trust add" again'),
            ExitCode.STORE,
        ) from error


def read_small(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_TRUST_FILE)
    except OSError as error:
        raise UserError(
            _("cannot read %(file)s: %(why)s") % {"file": file, "why": error.strerror or error},
            _("look at its name and its rights"),
            ExitCode.USAGE,
        ) from error


def _read_system(file: Path) -> bytes:
    # Administrators may link to where they keep such things, so links are followed here.
    try:
        return system_file.read(file, follow=True)
    except (OSError, system_file.OthersCouldWriteError) as error:
        raise UserError(
            _("the administrator's file %(file)s cannot be used: %(why)s")
            % {"file": file, "why": getattr(error, "strerror", None) or error},
            _("ask the administrator of this device"),
            ExitCode.UNTRUSTED,
        ) from error


def _unreachable(issuer: str, why: str) -> UserError:
    return UserError(
        _("cannot get the keys of %(issuer)s: %(why)s") % {"issuer": issuer, "why": why},
        _("look at the address and the network; a private authority needs --ca-file"),
        ExitCode.UNFINISHED,
    )
