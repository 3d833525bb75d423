"""Whom the agent answers: programs that can be named, of the same user, while they live."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from plugin.agent import peer
from plugin.agent.answering import allow
from plugin.agent.peer import Peer, Program, UnknownProgramError, script_of
from plugin.device import Device
from plugin.paths import Paths
from tests.plugin import agent_site
from tests.plugin.agent_site import REQUEST, Agent, allowed_already, code, give_keys, program

ANN = ("ann@example.org", "contacts")
# Says something first, so that the agent has seen it, and then becomes another program.
BECOMING = """\
import os, socket, sys
agent = socket.socket(socket.AF_UNIX)
agent.connect(sys.argv[1])
agent.sendall(b"hello\\n")
agent.recv(4096)
os.dup2(agent.fileno(), 5)
os.execv(sys.executable, [sys.executable, sys.argv[2], "5", sys.argv[3]])
"""
# Sends on a connection that another program opened.
LATER = """\
import os, sys
fd = int(sys.argv[1])
os.write(fd, sys.argv[2].encode() + b"\\n")
sys.stdout.write(os.read(fd, 4096).decode())
"""
# Leaves its connection to a child, and ends.
LEAVING = """\
import os, socket, sys, time
agent = socket.socket(socket.AF_UNIX)
agent.connect(sys.argv[1])
agent.sendall(b"hello\\n")
agent.recv(4096)
parent = os.getpid()
if os.fork() == 0:
    while os.getppid() == parent:
        time.sleep(0.01)
    agent.sendall(sys.argv[2].encode() + b"\\n")
    sys.stdout.write(agent.recv(4096).decode())
"""


@pytest.fixture
def keys(paths: Paths) -> Device:
    return give_keys(paths, ANN)


@pytest.fixture
def agent(keys: Device, paths: Paths) -> Iterator[Agent]:
    with agent_site.running(paths, terminal=False) as running:
        yield running


def run(*command: str) -> dict[str, object]:
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def test_a_program_that_becomes_another_one_gets_nothing(
    keys: Device, agent: Agent, tmp_path: Path
) -> None:
    becoming, allowed = tmp_path / "becoming.py", tmp_path / "allowed.py"
    becoming.write_text(BECOMING)
    allowed.write_text(LATER)
    allowed_already(keys, allowed)
    answer = run(
        sys.executable, str(becoming), str(agent.socket), str(allowed), json.dumps(REQUEST)
    )
    assert code(answer) == "unknown-program"


def test_a_connection_ends_with_the_process_that_opened_it(
    keys: Device, agent: Agent, tmp_path: Path
) -> None:
    leaving = tmp_path / "leaving.py"
    leaving.write_text(LEAVING)
    allowed_already(keys, leaving)
    answer = run(sys.executable, str(leaving), str(agent.socket), json.dumps(REQUEST))
    assert code(answer) == "unknown-program"


def test_code_without_a_file_cannot_be_allowed(keys: Device, agent: Agent) -> None:
    answer = run(sys.executable, "-c", agent_site.CLIENT, str(agent.socket), json.dumps(REQUEST))
    assert code(answer) == "unknown-program"
    assert "script file" in str(answer["error"])


def test_another_interpreter_is_another_program(keys: Device, agent: Agent, tmp_path: Path) -> None:
    asking = program(tmp_path)
    allowed_already(keys, asking)
    assert "key" in agent.ask(asking)
    copy = interpreter(tmp_path, Path(os.path.realpath(sys.executable)).name)
    assert code(run_by(copy, agent, str(asking))) == "no-way-to-ask"


def interpreter(folder: Path, name: str) -> Path:
    """Copy the interpreter of these tests."""
    copy = folder / name
    copy.write_bytes(Path(os.path.realpath(sys.executable)).read_bytes())
    copy.chmod(0o755)
    return copy


def run_by(
    copy: Path, agent: Agent, *arguments: str, folder: Path | None = None
) -> dict[str, object]:
    """Return the answer to what a copy of the interpreter runs."""
    home = {"PYTHONHOME": sys.base_prefix, "LD_LIBRARY_PATH": f"{sys.base_prefix}/lib"}
    done = subprocess.run(
        [str(copy), *arguments, str(agent.socket), json.dumps(REQUEST)],
        env={**os.environ, **home},
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def test_consent_to_one_script_of_an_unknown_interpreter_is_not_one_to_another(
    keys: Device, agent: Agent, tmp_path: Path
) -> None:
    copy = interpreter(tmp_path, "homemade")
    asking, other = program(tmp_path), program(tmp_path, "other.py")
    (key,) = keys.store.read().keys
    allow(keys, Program.of_files(copy), key, "sync")
    allow(keys, Program.of_files(copy, asking), key, "sync")
    assert "key" in run_by(copy, agent, str(asking))
    assert "key" in run_by(copy, agent, asking.name, folder=tmp_path)
    assert "key" in run_by(copy, agent, "-I", str(asking))
    assert code(run_by(copy, agent, str(other))) == "no-way-to-ask"
    asking.write_text(agent_site.CLIENT + "# changed\n")
    assert code(run_by(copy, agent, str(asking))) == "no-way-to-ask"


def test_files_that_an_unknown_program_is_given_with_an_option_are_named_too(
    keys: Device, agent: Agent, tmp_path: Path
) -> None:
    copy = interpreter(tmp_path, "homemade")
    (key,) = keys.store.read().keys
    allow(keys, Program.of_files(copy), key, "sync")
    # Python ignores options that it does not know after -X.
    asking = ("-c", agent_site.CLIENT)
    assert "key" in run_by(copy, agent, *asking)
    given = program(tmp_path)
    for option in (f"-Xfile={given}", f"-X{given}"):
        assert code(run_by(copy, agent, option, *asking)) == "no-way-to-ask"


def test_more_files_than_a_question_could_name_are_refused(
    keys: Device, agent: Agent, tmp_path: Path
) -> None:
    files = [str(program(tmp_path, f"{number}.py")) for number in range(5)]
    copy = interpreter(tmp_path, "homemade")
    answer = run_by(copy, agent, *(f"-X{file}" for file in files), "-c", agent_site.CLIENT)
    assert code(answer) == "unknown-program"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts without more ado")
def test_a_file_that_lies_over_the_named_one_is_not_it(
    keys: Device, agent: Agent, tmp_path: Path
) -> None:
    asking, other = program(tmp_path), program(tmp_path, "other.py")
    allowed_already(keys, asking)
    script = 'mount --bind "$1" "$2" && shift && exec "$PYTHON" "$@"'
    command = ["unshare", "--mount", "sh", "-c", script, "sh", str(other), str(asking)]
    done = subprocess.run(
        [*command, str(agent.socket), json.dumps(REQUEST)],
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=True,
    )
    assert code(json.loads(done.stdout)) == "unknown-program"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can ask as somebody else")
def test_another_user_gets_nothing(keys: Device, agent: Agent, tmp_path: Path) -> None:
    asking = program(tmp_path)
    allowed_already(keys, asking)
    # Rights of files are one fence; this one may pass it and still gets nothing.
    somebody = ["setpriv", "--reuid=65534", "--inh-caps=+dac_override"]
    somebody += ["--ambient-caps=+dac_override", sys.executable]
    answer = run(*somebody, str(asking), str(agent.socket), json.dumps(REQUEST))
    assert code(answer) == "not-yours"


def test_an_older_kernel_is_asked_when_the_process_began(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(peer, "SO_PEERPIDFD", 9999)
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with ours, theirs:
        known = Peer(ours, accepted=peer.now())
        assert not known.has_ended()
        known.close()
        # A process that is younger than the connection has got the number of one that ended.
        with pytest.raises(UnknownProgramError):
            Peer(ours, accepted=1.0)


@pytest.mark.parametrize(
    ("executable", "arguments", "script"),
    [
        ("firefox", ["-c", "x"], None),
        ("python3.11", ["app.py", "-c"], "app.py"),
        ("python3", ["-I", "-u", "app.py"], "app.py"),
        ("bash", ["-eu", "run.sh"], "run.sh"),
        ("perl", ["-w", "x.pl"], "x.pl"),
        ("node", ["x.js"], "x.js"),
        ("python3.13t", ["app.py"], "app.py"),
        ("python3.11-dbg", ["app.py"], "app.py"),
        ("perl5.36-x86_64-linux-gnu", ["x.pl"], "x.pl"),
        ("gjs-console", ["x.js"], "x.js"),
        ("ksh93", ["x.sh"], "x.sh"),
        ("fish", ["x.fish"], "x.fish"),
        ("php-cgi8.2", ["x.php"], "x.php"),
        ("luajit-2.1.0-beta3", ["x.lua"], "x.lua"),
        ("shotwell", ["x"], None),
    ],
)
def test_the_script_of_an_interpreter(
    executable: str, arguments: list[str], script: str | None
) -> None:
    assert script_of(executable, arguments) == script


@pytest.mark.parametrize(
    ("executable", "arguments"),
    [
        ("python3.11", []),
        ("python3.11", [""]),
        ("python3.11", ["-m", "app"]),
        ("python3.11", ["-Ic", "code", "app.py"]),
        ("python3.11", ["-W", "ignore", "app.py"]),
        ("python3.11", ["-"]),
        ("bash", ["-c", "code"]),
        ("bash", ["-s", "x"]),
        ("perl", ["-e", "code", "x.pl"]),
        ("node", ["-r", "x.js"]),
        ("python3.11-dbg", ["-c", "code"]),
        ("gjs-console", ["-c", "code"]),
        ("fish", ["-c", "code"]),
        ("java", ["app"]),
        ("R", ["--file=x.R"]),
        ("electron", ["app"]),
        ("julia", ["x.jl"]),
        ("beam.smp", ["-root", "x"]),
        ("racket", ["x.rkt"]),
        ("pwsh", ["x.ps1"]),
        ("qemu-aarch64-static", ["app"]),
        ("socat", ["-", "UNIX-CONNECT:x"]),
        ("busybox", ["sh", "x.sh"]),
        ("ld-linux-x86-64.so.2", ["/bin/app"]),
    ],
)
def test_an_interpreter_without_a_script_is_nobody(executable: str, arguments: list[str]) -> None:
    with pytest.raises(UnknownProgramError):
        script_of(executable, arguments)


# Connects, hands its connection over and ends; or asks on a connection that it was given.
RELAY = """\
import socket, sys
if sys.argv[1]:
    agent = socket.socket(socket.AF_UNIX)
    agent.connect(sys.argv[1])
    agent.sendall(b"hello\\n")
    agent.recv(4096)
    socket.send_fds(socket.socket(fileno=int(sys.argv[2])), [b"x"], [agent.fileno()])
else:
    agent = socket.socket(fileno=int(sys.argv[2]))
    agent.sendall(sys.argv[3].encode() + b"\\n")
    sys.stdout.write(agent.makefile().readline())
"""
LAST_PID = Path("/proc/sys/kernel/ns_last_pid")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root says which number comes next")
def test_a_number_that_was_reused_is_not_the_process_that_connected(
    keys: Device, agent: Agent, tmp_path: Path
) -> None:
    relay = tmp_path / "relay.py"
    relay.write_text(RELAY)
    allowed_already(keys, relay)
    # The number may have gone to somebody else in between: then it is tried again.
    for _attempt in range(20):
        ours, theirs = socket.socketpair(socket.AF_UNIX)
        with ours, theirs:
            first = relayed(relay, str(agent.socket), theirs)
            first.communicate(timeout=10)
            _message, descriptors, _flags, _address = socket.recv_fds(ours, 1, 1)
        with socket.socket(fileno=descriptors[0]) as connection:
            LAST_PID.write_text(str(first.pid - 1))
            second = relayed(relay, "", connection, json.dumps(REQUEST))
        answer = agent_site.ended(second)
        assert code(answer) == "unknown-program"
        if second.pid == first.pid:
            return
    pytest.fail("the number was never free")


def relayed(
    relay: Path, address: str, passed: socket.socket, *more: str
) -> "subprocess.Popen[str]":
    command = [sys.executable, str(relay), address, str(passed.fileno()), *more]
    return subprocess.Popen(command, pass_fds=[passed.fileno()], stdout=subprocess.PIPE, text=True)
