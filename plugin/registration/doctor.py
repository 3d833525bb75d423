"""`handfast doctor`: would a document reach the handler, and does this device report in daily?"""

import argparse
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from plugin.device import Device
from plugin.errors import ExitCode
from plugin.i18n import _
from plugin.person.output import print_json
from plugin.person.terminal import bold, say
from plugin.registration import chromium, files, firefox, freedesktop, record, systemd, timer
from plugin.registration.command import trusted_issuers
from plugin.registration.program import NATIVE_HOST, OPEN_FILE


@dataclass(frozen=True)
class Finding:
    """One way a document may take, or the daily refresh; without a problem it works.

    `state` says so in words.
    """

    way: str
    place: str
    problem: str = ""
    hint: str = ""
    state: str = _("a document reaches the handler")

    @property
    def works(self) -> bool:
        return not self.problem


def add_arguments(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Define the command."""
    doctor_parser = commands.add_parser(
        "doctor", help=_("say whether a document would reach the handler, and what runs daily")
    )
    doctor_parser.add_argument("--json", action="store_true", help=_("print JSON"))
    doctor_parser.set_defaults(run=doctor)


def doctor(args: argparse.Namespace, device: Device) -> int:
    """Examine every browser and desktop found; unfinished unless a document reaches us from all."""
    findings = list(examine(device))
    if args.json:
        print_json([{**asdict(finding), "works": finding.works} for finding in findings])
    else:
        _say(findings)
    works = bool(findings) and all(finding.works for finding in findings)
    return ExitCode.OK if works else ExitCode.UNFINISHED


def examine(device: Device) -> Iterator[Finding]:
    """Yield one finding for each browser profile, one for the desktop, one for the refresh."""
    recorded = record.read(device.paths)
    folders = {target.path for target in recorded if target.kind == "chromium"}
    if chromium.program():
        folders.add(chromium.default_user_data_dir())
    for folder in sorted(folders):
        yield _chromium(folder, device)
    profiles = {target.path for target in recorded if target.kind == "firefox"}
    if firefox.program():
        profiles |= set(firefox.profiles(Path.home()))
    for profile in sorted(profiles):
        yield _firefox(profile, device)
    if freedesktop.is_desktop():
        yield _desktop(device)
    known = any(target.kind == "refresh" for target in recorded)
    if known or (systemd.runs_for_this_person() and not device.paths.portable):
        yield _refresh(device)


def _chromium(folder: Path, device: Device) -> Finding:
    programs = record.program_folder(device.paths)
    own = chromium.Place.of_profile(folder, programs)
    system = chromium.Place.of_system()
    place = own if own.host_manifest.exists() else system
    again = "handfast register --browser chromium"
    if folder != chromium.default_user_data_dir():
        again += f" --user-data-dir {folder}"

    def finding(problem: str = "", hint: str = "") -> Finding:
        return Finding("Chromium", str(folder), problem, hint)

    if not _host_is_allowed(place):
        return finding(_("the browser does not know the handler"), _("run: %s") % again)
    if not NATIVE_HOST.works(place.programs):
        return finding(_("the handler's program does not start"), _("run: %s") % again)
    if place == own and not _is_current(place.extension):
        return finding(_("the extension is missing or of another version"), _("run: %s") % again)
    if not trusted_issuers(device):
        return finding(_("this device trusts no service"), _("run: handfast trust add https://…"))
    if not _may_act_everywhere(place.extension, trusted_issuers(device)):
        return finding(
            _("the extension does not know every trusted portal"),
            _("run: %s; then start the browser again") % again,
        )
    if place == own and not _is_loaded(folder, place.extension):
        return finding(
            _("the browser has not loaded the extension"),
            _("chrome://extensions, Developer mode, Load unpacked, %s") % place.extension,
        )
    return finding()


def _host_is_allowed(place: chromium.Place) -> bool:
    try:
        manifest = files.read_json_object(place.host_manifest)
    except ValueError:
        return False
    return manifest == chromium.host_manifest(place.launcher)


def _is_current(extension: Path) -> bool:
    """Whether the copy is what this version would write, apart from the portals."""
    for source in chromium.SOURCE.rglob("*"):
        copy = extension / source.relative_to(chromium.SOURCE)
        if source.is_dir() or source.name == "manifest.json":
            continue
        if not copy.is_file() or copy.read_bytes() != source.read_bytes():
            return False
    return (extension / "manifest.json").is_file()


def _may_act_everywhere(extension: Path, issuers: list[str]) -> bool:
    try:
        allowed = files.read_json_object(extension / "manifest.json").get("host_permissions", [])
    except ValueError:
        return False
    return {chromium.host_permission(issuer) for issuer in issuers} <= set(allowed)


def _is_loaded(user_data_dir: Path, extension: Path) -> bool:
    """Whether a profile keeps the extension, or a running browser was told to load it."""
    kept = any(
        _keeps(preferences)
        for name in ("Preferences", "Secure Preferences")
        for preferences in user_data_dir.glob(f"*/{name}")
    )
    return kept or _runs_with(user_data_dir, extension)


def _keeps(preferences: Path) -> bool:
    try:
        settings = json.loads(preferences.read_bytes())["extensions"]["settings"]
        entry = settings[chromium.EXTENSION_ID]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    # An extension loaded by a command-line option is kept too, but not loaded the next time.
    return bool(entry.get("location") == _LOADED_UNPACKED and not entry.get("disable_reasons"))


_LOADED_UNPACKED = 4


def _runs_with(user_data_dir: Path, extension: Path) -> bool:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        loads = any(
            argument.startswith(b"--load-extension=") and os.fsencode(extension) in argument
            for argument in arguments
        )
        if loads and b"--user-data-dir=" + os.fsencode(user_data_dir) in arguments:
            return True
    return False


def _firefox(profile: Path, device: Device) -> Finding:
    programs = record.program_folder(device.paths)
    again = _("run: %s") % f"handfast register --browser firefox --profile {profile}"

    def finding(problem: str = "", hint: str = "") -> Finding:
        return Finding("Firefox", str(profile), problem, hint)

    try:
        own, policy = firefox.is_registered(profile, programs), firefox.is_registered_by_policy()
    except ValueError as error:
        return finding(_("%s cannot be read") % error, _("move that file away; %s") % again)
    if not own and not policy:
        return finding(_("the browser does not give documents to the handler"), again)
    folder = programs if own else freedesktop.Place.of_system().programs
    if not OPEN_FILE.works(folder):
        return finding(_("the handler's program does not start"), again)
    return finding()


def _desktop(device: Device) -> Finding:
    own = freedesktop.Place.of_person(record.program_folder(device.paths))
    system = freedesktop.Place.of_system()
    # Where nothing is registered yet, the person's own place is the one to speak of.
    place = system if system.desktop_file.exists() and not own.desktop_file.exists() else own
    again = _("run: %s") % "handfast register --browser desktop"

    def finding(problem: str = "", hint: str = "") -> Finding:
        return Finding(_("Desktop"), str(place.shared), problem, hint)

    if freedesktop.default_application() != freedesktop.DESKTOP_FILE:
        return finding(_("the desktop does not open documents with the handler"), again)
    if not OPEN_FILE.works(place.programs):
        return finding(_("the handler's program does not start"), again)
    return finding()


def _refresh(device: Device) -> Finding:
    place = timer.Place.of_person(record.program_folder(device.paths))
    again = _("run: %s") % "handfast register --browser refresh"

    def finding(problem: str = "", hint: str = "") -> Finding:
        state = _("this device reports to the services once a day")
        return Finding(_("Refresh"), str(place.timer), problem, hint, state)

    if not timer.is_written(place):
        return finding(_("this device does not report to the services by itself"), again)
    if not timer.program_starts(place):
        return finding(_("the handler's program does not start"), again)
    if not timer.runs():
        hint = _("run: %s") % f"systemctl --user enable --now {timer.TIMER_UNIT}"
        return finding(_("the timer does not run"), hint)
    protection = device.store.protection()
    if protection and protection.method == "passphrase":
        # A choice of the person's, and no fault: it is told, and all is well.
        return Finding(
            _("Refresh"),
            str(place.timer),
            hint=_('run "handfast refresh" yourself now and then'),
            state=_("the timer cannot open the key store, which is sealed with a passphrase"),
        )
    return finding()


def _say(findings: list[Finding]) -> None:
    if not findings:
        say(_("No browser and no desktop was found on this device."))
    for finding in findings:
        said = finding.state if finding.works else finding.problem
        say(f"{bold(finding.way)} {finding.place}", f"  {said}")
        if finding.hint:
            say(f"  {_('hint:')} {finding.hint}")
