"""A second device, without a browser: the client from the portal's page does all of it."""

import json
import os
import re
import ssl
import subprocess
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.house import ANN, ANN_AT_WORK, BIN, House
from demo.narrator import Narrator
from demo.processes import DemoError

PATIENCE = 120  # seconds
# What set-up downloaded by hash: installing from here needs no network.
PACKAGES = BIN.parent / "device-packages"
Words = dict[tuple[str, str], str]


@dataclass(frozen=True)
class ThickClient:
    """The second device: a home folder with nothing of ours in it but the installed client."""

    house: House

    @property
    def folder(self) -> Path:
        """Where its environment and all that it keeps are."""
        return self.house.folder / "second-device"

    @property
    def home(self) -> Path:
        """What it keeps, as HANDFAST_HOME."""
        return self.folder / "handfast"

    @property
    def program(self) -> Path:
        """The installed command."""
        return self.folder / "bin" / "handfast"

    def environment(self) -> dict[str, str]:
        """A person's own settings, none of the service's or of the first device's."""
        return {
            "PATH": os.pathsep.join([str(self.folder / "bin"), "/usr/bin", "/bin"]),
            "HOME": str(self.folder),
            "LC_ALL": "C.UTF-8",
            "HANDFAST_HOME": str(self.home),
        }

    def handfast(self, *arguments: str, passwords: Sequence[str] = ()) -> str:
        """Run the installed command; each password goes through a pipe of its own."""
        with ExitStack() as stack:
            pipes = [pipe_with(stack, password) for password in passwords]
            options = [word for pipe in pipes for word in ("--password-fd", str(pipe))]
            command = [str(self.program), *arguments, *options]
            return run(command, self.folder, self.environment(), pipes)

    def words(self) -> Words:
        """Return the words of each key that it holds, by account and service."""
        listed: list[dict[str, Any]] = json.loads(self.handfast("keys", "list", "--json"))
        return {(key["account"], key["service"]): " ".join(key["words"]) for key in listed}


def show(house: House, narrator: Narrator) -> Words:
    """Install it, activate two accounts, rotate; return the words of the keys it ends with."""
    client = ThickClient(house)
    client.folder.mkdir(mode=0o700)
    with narrator.step("the client comes from the portal's page; its checksum is compared"):
        wheel = download(client)
    with narrator.step("pipx installs it into an environment of its own"):
        install(client, wheel)
    with narrator.step("it trusts the portal's public key, by its fingerprint"):
        client.handfast(*house.trust_command())
    with narrator.step(f"Ann activates {ANN} and {ANN_AT_WORK} in one call"):
        accounts = (ANN, ANN_AT_WORK)
        named = [word for account in accounts for word in ("--account", account)]
        secrets = [house.passwords[account] for account in accounts]
        client.handfast("activate", *named, passwords=secrets)
    first = client.words()
    with narrator.step("its service books say which servers to use"):
        settings = client.handfast("services")
    print("\n".join(f"     {line}" for line in settings.splitlines()))
    with narrator.step("both sides replace every key, and prove the new ones"):
        client.handfast("keys", "rotate", "--all")
    second = client.words()
    rows = [(*served, first[served], second.get(served, "nothing")) for served in sorted(first)]
    narrator.table(("account", "service", "key at first", "key that replaced it"), rows)
    if set(first) != set(second) or set(first.values()) & set(second.values()):
        raise DemoError("the keys of the second device were not replaced")
    return second


def download(client: ThickClient) -> Path:
    """Do what the page says: fetch the file that it links to, and compare the checksum."""
    page = fetch(client.house, "/client").decode()
    link = re.search(r'href="(/client/([0-9a-f]{64})/([\w.-]+\.whl))"', page)
    if link is None:
        raise DemoError("the portal's page offers no client")
    path, digest, name = link.groups()
    file = client.folder / name
    file.write_bytes(fetch(client.house, path))
    check = ["sha256sum", "--check", "--status"]
    (client.folder / "SHA256SUMS").write_text(f"{digest}  {name}\n")
    run([*check, "SHA256SUMS"], client.folder, client.environment())
    return file


def fetch(house: House, path: str) -> bytes:
    """Get something from the portal, as any program would."""
    context = ssl.create_default_context(cafile=house.certificates.authority)
    handlers = (urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    with urllib.request.build_opener(*handlers).open(house.issuer + path, timeout=30) as answer:
        body: bytes = answer.read()
    return body


def install(client: ThickClient, wheel: Path) -> None:
    """Run pipx as a person would, but with packages that are there already."""
    settings = {
        "PIPX_HOME": str(client.folder / "pipx"),
        "PIPX_BIN_DIR": str(client.folder / "bin"),
        "PIPX_MAN_DIR": str(client.folder / "man"),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(PACKAGES),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    command = [str(BIN / "pipx"), "install", f"./{wheel.name}"]
    run(command, client.folder, {**client.environment(), **settings})


def pipe_with(stack: ExitStack, text: str) -> int:
    """Return the reading end of a pipe in which one line waits."""
    reading, writing = os.pipe()
    stack.callback(os.close, reading)
    with os.fdopen(writing, "w", encoding="utf-8") as line:
        line.write(text + "\n")
    return reading


def run(
    command: Sequence[str],
    folder: Path,
    environment: dict[str, str],
    descriptors: Sequence[int] = (),
) -> str:
    """Run a program to its end and return what it printed, or raise with its words."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        pass_fds=descriptors,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
        # Without a session of its own the program could find the person's terminal and ask there.
        start_new_session=True,
    )
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip()
        raise DemoError(f"{' '.join(command)} ended with {done.returncode}:\n{words}")
    return done.stdout
