"""Where the demo keeps its things, and the settings it gives to every program it starts."""

import fcntl
import json
import os
import secrets
import shutil
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from demo.certificates import Certificates
from demo.certificates import provide as provide_certificates
from protocol.trust import TrustBundle
from protocol.words import words

REPOSITORY = Path(__file__).resolve().parent.parent
DEFAULT_PORTAL_PORT = 8443
DEFAULT_EXCHANGE_PORT = 8480
MAIL_DOMAIN = "example.org"
ANN = "ann@example.org"
# Ann has a second mailbox, which only her thick client will bring to the portal.
ANN_AT_WORK = "ann.work@example.org"
PEOPLE = (ANN, ANN_AT_WORK, "bob@example.org")
BIN = REPOSITORY / ".venv" / "bin"


@dataclass(frozen=True)
class House:
    """One demo: its ports, its folder, and what lies in the folder."""

    portal_port: int
    exchange_port: int
    folder: Path
    certificates: Certificates
    passwords: Mapping[str, str]

    @property
    def issuer(self) -> str:
        """The portal's origin."""
        return f"https://localhost:{self.portal_port}"

    @property
    def exchange_url(self) -> str:
        """The key exchange service's origin."""
        return f"http://localhost:{self.exchange_port}"

    @property
    def service(self) -> Path:
        """The Internet Service's database and keys."""
        return self.folder / "service"

    @property
    def device(self) -> Path:
        """What the content handler keeps, as HANDFAST_HOME."""
        return self.folder / "device"

    @property
    def client(self) -> Path:
        """What the portal offers as the client to download."""
        return self.folder / "client"

    @property
    def mail(self) -> Path:
        """What the service sent by mail, a file each."""
        return self.folder / "mail"

    @property
    def profile(self) -> Path:
        """The throw-away browser profile."""
        return self.folder / "browser-profile"

    @property
    def home(self) -> Path:
        """A home folder for the browser, so that it neither reads nor changes the person's."""
        return self.folder / "home"

    @property
    def screenshots(self) -> Path:
        """Where pictures of every step go."""
        return self.folder.parent / "screenshots"

    def trust_command(self) -> tuple[str, ...]:
        """What a device says to trust the portal, where no system knows the demo's authority.

        The fingerprint comes from the operator's side, as it would on paper or with the device.
        """
        published = self.service / "keys" / "published" / "trust.json"
        fingerprint = TrustBundle.from_json(published.read_bytes()).fingerprint
        by = ("--ca-file", str(self.certificates.authority), "--fingerprint", fingerprint)
        return ("trust", "add", self.issuer, *by)

    def environment(self) -> dict[str, str]:
        """What every program gets: the demo's settings, and nothing of the person's own."""
        kept = ("PATH", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR", "TZ")
        return {
            **{name: os.environ[name] for name in kept if name in os.environ},
            "HOME": str(self.home),
            "LC_ALL": "C.UTF-8",
            "HANDFAST_ISSUER": self.issuer,
            "HANDFAST_EXCHANGE_URL": self.exchange_url,
            "HANDFAST_STATE_DIR": str(self.service),
            "HANDFAST_CLIENT_DIR": str(self.client),
            "HANDFAST_HOME": str(self.device),
        }


def build(state: Path) -> House:
    """Choose the ports and lay an empty folder out; the authority and the passwords stay."""
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    portal_port = choose_port(state, "PORTAL_PORT", DEFAULT_PORTAL_PORT)
    exchange_port = choose_port(state, "EXCHANGE_PORT", DEFAULT_EXCHANGE_PORT)
    folder = state / str(portal_port)
    remove_ended(state, ours=folder)
    certificates = provide_certificates(state / "certificates")
    house = House(portal_port, exchange_port, folder, certificates, passwords(state))
    for part in (house.service, house.device, house.profile, house.home):
        part.mkdir(mode=0o700, parents=True, exist_ok=True)
    house.screenshots.mkdir(exist_ok=True)
    return house


def remove_ended(state: Path, *, ours: Path) -> None:
    """Remove what earlier demos left: a folder carries the number of its portal's port."""
    for folder in state.iterdir():
        if folder.name.isdecimal() and (folder == ours or claim(state, int(folder.name))):
            shutil.rmtree(folder, ignore_errors=True)


def passwords(state: Path) -> Mapping[str, str]:
    """Mailbox passwords that a person can type; made once, so that notes taken stay true."""
    file = state / "passwords.json"
    if file.is_file():
        kept: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
        if set(kept) == set(PEOPLE):
            return kept
    made = {address: "-".join(words(secrets.token_bytes(8))) for address in PEOPLE}
    file.touch(mode=0o600)
    file.write_text(json.dumps(made), encoding="utf-8")
    return made


def choose_port(state: Path, variable: str, default: int) -> int:
    """Take the port that the environment names, else the default, else any free one."""
    named = os.environ.get(variable)
    if named is not None:
        claim(state, int(named))
        return int(named)
    if is_free(default) and claim(state, default):
        return default
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    claim(state, port)
    print(f"Port {default} is taken, so this demo uses {port} ({variable}=N chooses another).")
    return port


def claim(state: Path, port: int) -> bool:
    """Reserve a port among demos until this process ends: it takes seconds to listen on it."""
    lock = os.open(state / f"{port}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return False
    # The descriptor stays open on purpose: the system frees the claim with the process.
    return True


def is_free(port: int) -> bool:
    """Whether somebody listens there already, on either kind of loopback address."""
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with socket.socket(family) as probe:
            probe.settimeout(1)
            if probe.connect_ex((host, port)) == 0:
                return False
    return True
