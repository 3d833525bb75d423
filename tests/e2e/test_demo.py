"""What a stranger sees first: the whole demo, as `make demo ONCE=1` runs it."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def start(state: Path, *options: str) -> subprocess.Popen[str]:
    ports = {"PORTAL_PORT": str(free_port()), "EXCHANGE_PORT": str(free_port())}
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "demo", f"--state={state}", *options],
        cwd=ROOT,
        env={**os.environ, **ports},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.browser
def test_the_demo_ends_with_the_same_words_on_both_sides(tmp_path: Path) -> None:
    demo = start(tmp_path, "--once")
    said, _ = demo.communicate(timeout=100)
    assert demo.returncode == 0, said
    assert "Both sides hold the same keys." in said
    assert "The portal lists the same new keys." in said
    rows = re.findall(r"^ +(?:mail|contacts|calendar) {3,}(\w+ \w+ \w+ \w+) {3,}(.+)$", said, re.M)
    assert len(rows) == 3, said
    assert all(page == device for page, device in rows)
    replaced = re.findall(r"^ +\S+@\S+ +\w+ +(\w+ \w+ \w+ \w+) {3,}(\w+ \w+ \w+ \w+)$", said, re.M)
    assert len(replaced) == 6, said
    assert all(first != second for first, second in replaced)
    assert len(list((tmp_path / "screenshots").glob("*.png"))) >= 5


def test_interrupting_the_servers_ends_all_that_was_started(tmp_path: Path) -> None:
    demo = start(tmp_path, "--serve")
    assert demo.stdout is not None
    said = []
    for line in demo.stdout:
        said.append(line)
        if "Ctrl-C ends it" in line:
            break
    assert started_by(demo.pid), "".join(said)
    children = started_by(demo.pid)
    demo.send_signal(signal.SIGINT)
    rest, _ = demo.communicate(timeout=30)
    assert demo.returncode == 0, rest
    deadline = time.monotonic() + 5
    while any(map(is_running, children)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(is_running, children))


def test_the_commands_of_the_leaflet_make_another_device(tmp_path: Path) -> None:
    demo = start(tmp_path / "var of Ann", "--serve")
    assert demo.stdout is not None
    said = []
    for line in demo.stdout:
        said.append(line)
        if "Ctrl-C ends it" in line:
            break
    try:
        (password,) = re.findall(r"sign in +ann@example\.org +password +(\S+)", "".join(said))
        assert re.search(r"https://localhost:\d+/admin/welcome#[\w-]{43}$", "".join(said), re.M)
        trust, activate = [line for line in said if line.startswith("       HANDFAST_HOME=")]
        assert "trusts https://localhost" in typed(trust)
        # Where a person types the password, a program gives a descriptor.
        assert "is active:" in typed(f"{activate.strip()} --password-fd 0", password)
    finally:
        demo.send_signal(signal.SIGINT)
        demo.communicate(timeout=30)


def typed(command: str, lines: str = "") -> str:
    """Run a line as it stands in a shell that knows nothing of us; return what it printed."""
    done = subprocess.run(
        ["sh", "-c", command],
        cwd="/",
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        input=lines + "\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_server_that_ends_by_itself_is_told(tmp_path: Path) -> None:
    demo = start(tmp_path, "--serve")
    assert demo.stdout is not None
    for line in demo.stdout:
        if "Ctrl-C ends it" in line:
            break
    exchange = max(child for child in started_by(demo.pid) if "wsgi:exchange" in command_of(child))
    os.killpg(os.getpgid(exchange), signal.SIGKILL)
    demo.stdout.readline()
    told = demo.stdout.readline()
    assert told.startswith("The exchange ended by itself")
    demo.send_signal(signal.SIGINT)
    rest, _ = demo.communicate(timeout=30)
    assert demo.returncode == 0, rest


def command_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace")


def started_by(parent: int) -> list[int]:
    """Children and their children, by the kernel's own list."""
    listed = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii").split()
    children = [int(pid) for pid in listed]
    return children + [grandchild for child in children for grandchild in started_by(child)]


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
