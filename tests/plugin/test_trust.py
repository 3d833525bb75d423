"""Whom the device trusts: on first use, with the right root, and never back to older keys."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.decoding import DecodingError, decode
from plugin.device import Device
from plugin.errors import ExitCode, UserError
from plugin.paths import Paths
from plugin.portal.sign_in import keep_token, token_of
from plugin.trust.issuers import TrustFile
from plugin.trust.policy import Policy
from tests.plugin.conftest import Run, open_device
from tests.plugin.loopback_service import Service, fresh_key


def add(handfast: Run, service: Service, *more: str) -> int:
    return handfast(
        "trust", "add", service.issuer, "--ca-file", str(service.ca_file), *more
    ).returncode


def test_trust_on_first_use_says_so(handfast: Run, service: Service) -> None:
    done = handfast("trust", "add", service.issuer, "--ca-file", str(service.ca_file), "--yes")
    assert done.returncode == ExitCode.OK
    assert "trust on first use" in done.stderr
    assert service.bundle.fingerprint in done.stderr
    assert service.issuer in handfast("trust", "list").stdout


def test_without_an_answer_nothing_is_trusted(handfast: Run, service: Service) -> None:
    assert add(handfast, service) == ExitCode.NO_WAY_TO_ASK
    assert handfast("trust", "list", "--json").stdout.strip() == "[]"


@pytest.mark.parametrize("spelling", ["plain", "lower", "together"])
def test_the_right_fingerprint_needs_no_question(
    spelling: str, handfast: Run, service: Service
) -> None:
    right = service.bundle.fingerprint
    spelled = {"plain": right, "lower": right.lower(), "together": right.replace(" ", "")}
    assert add(handfast, service, "--fingerprint", spelled[spelling]) == ExitCode.OK


def test_a_wrong_fingerprint_is_refused(handfast: Run, service: Service) -> None:
    wrong = service.bundle.fingerprint[:-1] + "?"
    assert add(handfast, service, "--yes", "--fingerprint", wrong) == ExitCode.UNTRUSTED
    assert add(handfast, service, "--yes", "--fingerprint", "") == ExitCode.UNTRUSTED


def test_who_is_trusted_already_is_not_asked_about_again(handfast: Run, service: Service) -> None:
    assert add(handfast, service, "--yes") == ExitCode.OK
    before = handfast("trust", "list", "--json").stdout
    again = handfast("trust", "add", service.issuer, "--ca-file", str(service.ca_file))
    assert again.returncode == ExitCode.OK
    assert "trusts" in again.stdout
    assert "already" in again.stdout
    assert "first use" not in again.stderr
    assert handfast("trust", "list", "--json").stdout == before
    assert add(handfast, service, "--fingerprint", "0ABC") == ExitCode.UNTRUSTED
    service.root = fresh_key()
    assert add(handfast, service, "--yes") == ExitCode.USAGE


def test_a_server_without_a_verified_certificate_is_refused(
    handfast: Run, service: Service
) -> None:
    done = handfast("trust", "add", service.issuer, "--yes")
    assert done.returncode == ExitCode.UNFINISHED
    assert "certificate" in done.stderr


def test_plain_http_is_refused(handfast: Run) -> None:
    assert handfast("trust", "add", "http://localhost", "--yes").returncode == ExitCode.USAGE


def test_a_bundle_and_a_key_set_from_files_need_no_network(
    handfast: Run, service: Service, tmp_path: Path
) -> None:
    (tmp_path / "bundle.json").write_bytes(service.bundle.to_json())
    (tmp_path / "keys.jwt").write_bytes(service.key_set())
    arguments = ("trust", "add", "bundle.json", "--key-set", "keys.jwt", "--yes")
    assert handfast(*arguments).returncode == ExitCode.OK
    assert service.requests == []


def test_another_root_for_a_trusted_issuer_is_refused(device: Device, service: Service) -> None:
    service.root = fresh_key()
    with pytest.raises(UserError, match="already"):
        device.trust.add(service.bundle, service.key_set(), ca_file=None)


def test_keys_of_another_root_are_refused(device: Device, service: Service) -> None:
    service.root = fresh_key()
    service.version = 9
    with pytest.raises(UserError, match="not signed by the root") as refused:
        device.trust.update(service.issuer)
    assert refused.value.exit_code is ExitCode.UNTRUSTED
    assert device.trust.get(service.issuer).key_set_version == 1


def test_the_version_never_goes_down(device: Device, service: Service) -> None:
    service.version = 5
    device.trust.update(service.issuer)
    service.version = 4
    with pytest.raises(UserError) as refused:
        device.trust.update(service.issuer)
    assert refused.value.exit_code is ExitCode.UNTRUSTED
    assert device.trust.get(service.issuer).key_set_version == 5


def test_an_issuer_that_offers_another_issuer_is_refused(device: Device, service: Service) -> None:
    url, service.issuer = service.issuer, "https://victim.example"
    with pytest.raises(UserError, match="the trust of another service"):
        device.trust.fetch_bundle(url, ca_file=service.ca_file)


def test_removing_says_what_goes_and_what_stays(
    handfast: Run, device: Device, service: Service
) -> None:
    identity = device.identity(service.issuer).kid
    keep_token(device, service.issuer, "token")
    done = handfast("trust", "remove", service.issuer, "--yes")
    assert done.returncode == ExitCode.OK
    assert "identity key" in done.stderr
    assert device.trust.all() == []
    assert not list(device.paths.trust_dir.glob("*.*"))
    assert device.identity(service.issuer).kid != identity
    assert token_of(device, service.issuer) is None


def test_every_issuer_meets_another_identity(device: Device, service: Service) -> None:
    assert device.identity(service.issuer).kid != device.identity("https://other.example").kid
    assert (
        device.identity(service.issuer).kid
        == open_device(device.paths).identity(service.issuer).kid
    )


def test_the_administrators_bundle_is_trusted_and_stays(paths: Paths, service: Service) -> None:
    paths.system_trust_dir.mkdir(parents=True)
    (paths.system_trust_dir / "portal.json").write_bytes(service.bundle.to_json())
    (paths.system_trust_dir / "portal.pem").write_bytes(service.ca_file.read_bytes())
    device = open_device(paths)
    assert [trust.system for trust in device.trust.all()] == [True]
    assert device.trust.stale(device.clock()) == [service.issuer]
    device.trust.update(service.issuer)
    assert device.trust.stale(device.clock()) == []
    with pytest.raises(UserError, match="administrator"):
        device.trust.remove(service.issuer)
    (paths.system_trust_dir / "portal.json").unlink()
    assert open_device(paths).trust.all() == []


def test_a_damaged_trust_file_is_told(handfast: Run, device: Device) -> None:
    (file,) = device.paths.trust_dir.glob("*.json")
    file.write_text("{}")
    done = handfast("trust", "list")
    assert done.returncode == ExitCode.STORE
    assert "damaged" in done.stderr


@given(st.binary(max_size=200) | st.text(alphabet='{}[]":,0a', max_size=200).map(str.encode))
def test_any_bytes_are_a_trust_file_or_a_decoding_error(data: bytes) -> None:
    for as_type in (TrustFile, Policy):
        with suppress(DecodingError):
            assert isinstance(decode(data, as_type), as_type)


def test_a_deep_nest_is_a_decoding_error() -> None:
    with pytest.raises(DecodingError):
        decode(b'{"allow_without_consent":' + b"[" * 100_000, Policy)


@pytest.mark.parametrize("suffix", [".json", ".pem", ".jwt"])
def test_a_file_of_the_administrator_that_others_may_write_is_not_believed(
    suffix: str, handfast: Run, paths: Paths, service: Service
) -> None:
    paths.system_trust_dir.mkdir(parents=True)
    (paths.system_trust_dir / "portal.json").write_bytes(service.bundle.to_json())
    (paths.system_trust_dir / "portal.pem").write_bytes(service.ca_file.read_bytes())
    (paths.system_trust_dir / "portal.jwt").write_bytes(b"a.b.c")
    for file in paths.system_trust_dir.iterdir():
        file.chmod(0o644)
    assert handfast("trust", "list").returncode == ExitCode.OK
    (paths.system_trust_dir / f"portal{suffix}").chmod(0o666)
    done = handfast("trust", "list")
    assert done.returncode == ExitCode.UNTRUSTED
    assert f"portal{suffix}" in done.stderr
    assert "others may write to it" in done.stderr
