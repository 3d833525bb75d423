"""A test that did not run must be noticed: the gate is tried on small runs of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def run_alone(folder: Path, source: str) -> subprocess.CompletedProcess[str]:
    """Run one test file under the gate, in a pytest that knows nothing else of this repository."""
    test_file = folder / "test_alone.py"
    test_file.write_text(f"import pytest\n\n{source}\n")
    command = ["-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", "-q"]
    return subprocess.run(
        [sys.executable, *command, f"--rootdir={folder}", "-c", os.devnull, str(test_file)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    "source",
    [
        "def test_it():\n    pytest.skip('not today')",
        "@pytest.mark.skip(reason='not today')\ndef test_it(): pass",
        "@pytest.mark.xfail\ndef test_it(): assert False",
        "pytest.skip('not today', allow_module_level=True)",
        "pytest.importorskip('no_such_module')",
    ],
    ids=["in the test", "by a mark", "expected to fail", "the whole file", "for an import"],
)
def test_an_unlisted_skip_fails_the_run(tmp_path: Path, source: str) -> None:
    ran = run_alone(tmp_path, source + "\n\ndef test_other(): pass" * source.startswith("def"))
    assert ran.returncode != 0
    assert "skipped without being listed" in ran.stdout


def test_a_run_without_skips_passes(tmp_path: Path) -> None:
    ran = run_alone(tmp_path, "def test_it(): pass")
    assert ran.returncode == 0, ran.stdout


def test_the_machine_s_own_settings_do_not_reach_a_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SSL_CERT_FILE", "https_proxy", "HTTP_PROXY", "HANDFAST_ISSUER", "DATABASE_URL"):
        monkeypatch.setenv(name, "/from/the/machine")
    ran = run_alone(
        tmp_path,
        "import os\ndef test_it(): assert '/from/the/machine' not in os.environ.values()",
    )
    assert ran.returncode == 0, ran.stdout
