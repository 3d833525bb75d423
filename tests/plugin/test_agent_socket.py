"""Where the agent listens: its own folder, one agent at a time, and nothing left behind."""

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from plugin.agent.server import MAX_CONNECTIONS
from plugin.errors import ExitCode
from plugin.paths import Paths
from tests.plugin import agent_site
from tests.plugin.agent_site import REQUEST, allowed_already, code, give_keys, program
from tests.plugin.conftest import REPOSITORY, Run, environment

ANN = ("ann@example.org", "contacts")


def test_folder_and_socket_are_for_their_owner_alone(paths: Paths) -> None:
    with agent_site.running(paths) as agent:
        assert agent.socket.stat().st_mode & 0o777 == 0o600
        assert agent.socket.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_agent_that_is_ended_takes_its_socket_away(number: signal.Signals, paths: Paths) -> None:
    with agent_site.running(paths) as agent:
        agent.process.send_signal(number)
        agent.process.wait(10)
        assert not agent.socket.exists()
        agent.screen.read()
        assert "Traceback" not in agent.screen.shown


def test_a_killed_agent_is_in_nobody_s_way(paths: Paths, tmp_path: Path) -> None:
    give_keys(paths, ANN)
    with agent_site.running(paths) as agent:
        agent.process.kill()
        agent.process.wait(10)
        assert agent.socket.exists()
    with agent_site.running(paths, terminal=False) as agent:
        assert code(agent.ask(program(tmp_path))) == "no-way-to-ask"


def test_a_second_agent_leaves_the_first_one_alone(
    paths: Paths, handfast: Run, tmp_path: Path
) -> None:
    give_keys(paths, ANN)
    with agent_site.running(paths, terminal=False) as agent:
        second = handfast("agent")
        assert second.returncode == ExitCode.USAGE
        assert "another agent is running" in second.stderr
        assert code(agent.ask(program(tmp_path))) == "no-way-to-ask"


def test_a_socket_on_which_another_program_listens_stays(paths: Paths, handfast: Run) -> None:
    paths.runtime_dir.mkdir(parents=True, mode=0o700)
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(paths.runtime_dir / "agent"))
        other.listen()
        assert handfast("agent").returncode == ExitCode.USAGE
        assert (paths.runtime_dir / "agent").is_socket()


def open_to_others(folder: Path) -> None:
    folder.chmod(0o755)


def replaced_by_others(folder: Path) -> None:
    folder.parent.chmod(0o777)


def a_link(folder: Path) -> None:
    folder.rmdir()
    elsewhere = folder.with_name("elsewhere")
    elsewhere.mkdir(mode=0o700)
    folder.symlink_to(elsewhere)


def a_file_in_its_place(folder: Path) -> None:
    (folder / "agent").touch()


def of_another_user(folder: Path) -> None:
    os.chown(folder, 65534, 65534)


@pytest.mark.parametrize(
    "spoil",
    [
        open_to_others,
        replaced_by_others,
        a_link,
        a_file_in_its_place,
        pytest.param(
            of_another_user,
            marks=pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away"),
        ),
    ],
)
def test_a_folder_that_is_not_safe_is_refused(
    spoil: Callable[[Path], None], paths: Paths, handfast: Run
) -> None:
    paths.runtime_dir.mkdir(parents=True, mode=0o700)
    spoil(paths.runtime_dir)
    ended = handfast("agent")
    assert ended.returncode == ExitCode.USAGE
    assert "cannot use the folder" in ended.stderr
    assert "handfast: hint:" in ended.stderr


def test_a_path_too_long_for_a_socket_is_said(tmp_path: Path, handfast: Run) -> None:
    ended = handfast("agent", HANDFAST_HOME=str(tmp_path / ("x" * 120)))
    assert ended.returncode == ExitCode.USAGE
    assert "handfast: hint:" in ended.stderr


def test_silent_connections_keep_nobody_away_for_long(paths: Paths, tmp_path: Path) -> None:
    give_keys(paths, ANN)
    asking = program(tmp_path)
    with agent_site.running(paths, terminal=False) as agent:
        silent = [socket.socket(socket.AF_UNIX) for _number in range(MAX_CONNECTIONS)]
        for one in silent:
            one.connect(str(agent.socket))
        assert code(agent.ask(asking)) == "busy"
        for one in silent:
            one.close()
        give_up = time.monotonic() + 5
        while code(answer := agent.ask(asking)) == "busy" and time.monotonic() < give_up:
            time.sleep(0.05)
        assert code(answer) == "no-way-to-ask"


def test_a_locked_store_is_said_and_asked_for_where_somebody_is(
    paths: Paths, tmp_path: Path, handfast: Run
) -> None:
    device = give_keys(paths, ANN)
    asking = program(tmp_path)
    allowed_already(device, asking)
    device.store.set_passphrase("correct horse")
    with agent_site.running(paths, terminal=False) as agent:
        assert code(agent.ask(asking)) == "locked"
    with agent_site.running(paths, until="Passphrase of the key store:") as agent:
        os.write(agent.screen.descriptor, b"correct horse\n")
        agent.screen.wait_for("Ctrl-C")
        assert "key" in agent.ask(asking)


@pytest.mark.skipif(
    not shutil.which("systemd-socket-activate"), reason="needs systemd's own tool to pass a socket"
)
def test_systemd_may_open_the_socket_and_start_the_agent(paths: Paths, tmp_path: Path) -> None:
    device = give_keys(paths, ANN)
    asking = program(tmp_path)
    allowed_already(device, asking)
    path = tmp_path / "by-systemd"
    settings = environment(paths)
    command = [sys.executable, "-m", "plugin", "agent"]
    kept = [f"--setenv={name}" for name in settings]
    starter = subprocess.Popen(
        ["systemd-socket-activate", f"--listen={path}", *kept, *command],
        cwd=REPOSITORY,
        env=settings,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        give_up = time.monotonic() + 10
        while not path.exists() and time.monotonic() < give_up:
            time.sleep(0.02)
        done = subprocess.run(
            [sys.executable, str(asking), str(path), json.dumps(REQUEST)],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
        assert "key" in json.loads(done.stdout)
    finally:
        starter.terminate()
        starter.wait(10)


def test_the_units_of_systemd_are_written_and_taken_back(
    paths: Paths, tmp_path: Path, handfast: Run
) -> None:
    config = tmp_path / "config%"
    written = handfast("agent", "install", XDG_CONFIG_HOME=str(config), PATH="/nowhere")
    assert written.returncode == 0, written.stderr
    assert "systemctl --user enable --now handfast-agent.socket" in written.stderr
    units = config / "systemd" / "user"
    listens = (units / "handfast-agent.socket").read_text()
    assert f"ListenStream={paths.runtime_dir}/agent" in listens
    service = (units / "handfast-agent.service").read_text()
    shell, started = shlex.split(service.partition("ExecStart=")[2].splitlines()[0])
    assert '# Written by "handfast agent install".' in Path(started).read_text()
    shown = subprocess.run([shell, started, "--help"], capture_output=True, text=True, check=True)
    assert "handfast agent" in shown.stdout
    assert handfast("agent", "remove", XDG_CONFIG_HOME=str(config), PATH="/nowhere").returncode == 0
    assert list(units.iterdir()) == []
    assert not Path(started).exists()


@pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="systemd's own checker is not installed here"
)
def test_no_part_of_a_path_means_anything_to_systemd(tmp_path: Path, handfast: Run) -> None:
    home = tmp_path / 'a $HOME %h "b"'
    home.mkdir()
    settings = {"HANDFAST_HOME": str(home), "XDG_CONFIG_HOME": str(home), "PATH": "/nowhere"}
    assert handfast("agent", "install", **settings).returncode == 0
    units = home / "systemd/user"
    ended = subprocess.run(
        ["systemd-analyze", "--user", "--man=no", "verify", str(units / "handfast-agent.socket")],
        capture_output=True,
        text=True,
        check=False,
        env={"HOME": str(home), "XDG_RUNTIME_DIR": str(home), "PATH": os.environ["PATH"]},
    )
    assert ended.returncode == 0, ended.stderr
    assert "handfast" not in ended.stderr
    service = (units / "handfast-agent.service").read_text()
    assert 'ExecStart=/bin/sh "' in service
    assert '/a $$HOME %%h \\"b\\"/' in service
