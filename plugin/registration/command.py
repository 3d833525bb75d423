"""`handfast register` and `handfast unregister`: bind the media type to the handler."""

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from plugin.device import Device
from plugin.errors import ExitCode, UserError
from plugin.i18n import _
from plugin.paths import private_dir
from plugin.person.terminal import say, tell
from plugin.registration import chromium, files, firefox, freedesktop, record, systemd, timer
from plugin.registration.program import OPEN_FILE
from plugin.registration.record import Target
from protocol.trust import is_issuer

TARGETS: Final = ("chromium", "firefox", "desktop", "refresh")


def add_arguments(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Define the two commands."""
    add = commands.add_parser(
        "register",
        help=_("let browsers and the desktop start the handler"),
        description=_(
            "Without --browser: everything that is found on this device, and a timer that reports"
            ' to your services daily ("refresh").'
        ),
    )
    _define_targets(add)
    add.add_argument(
        "--issuer",
        action="append",
        default=[],
        metavar=_("URL"),
        help=_("let the extension act on this portal too, not only on the trusted ones"),
    )
    add.set_defaults(run=register)
    remove = commands.add_parser("unregister", help=_("undo what register did"))
    _define_targets(remove)
    remove.set_defaults(run=unregister)


def _define_targets(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--browser", choices=TARGETS, help=_("only for this one"))
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--user-data-dir", type=Path, metavar=_("DIR"), help=_("Chromium's folder of profiles")
    )
    where.add_argument("--profile", type=Path, metavar=_("DIR"), help=_("Firefox's profile"))
    where.add_argument(
        "--system", action="store_true", help=_("for everybody on this device (administrators)")
    )


def register(args: argparse.Namespace, device: Device) -> int:
    """Register for what was named, or for everything found; say what was done and what is left."""
    issuers = tuple(_checked(issuer) for issuer in args.issuer)
    if args.system:
        _need_administrator()
        with _problems_named():
            return _register_system(args, issuers, device)
    targets = _targets(args, issuers, device)
    if not targets:
        raise UserError(
            _("no browser and no desktop was found"),
            _("name one: handfast register --browser chromium --user-data-dir DIR"),
            ExitCode.USAGE,
        )
    for target in targets:
        record.add(device.paths, target)
        try:
            with _problems_named():
                written = _write(target, device)
        except UserError:
            record.forget(device.paths, target)
            raise
        _say_written(target, written)
    _say_what_is_left(issuers, device)
    return ExitCode.OK


def _say_what_is_left(issuers: tuple[str, ...], device: Device) -> None:
    """Without trust the handler refuses every document, whatever the extension may act on."""
    if not device.trust.all():
        portal = issuers[0] if issuers else "https://…"
        tell(_("This device trusts no service yet. Next: handfast trust add %s") % portal)


def unregister(args: argparse.Namespace, device: Device) -> int:
    """Remove exactly what was registered."""
    with _problems_named():
        if args.system:
            _need_administrator()
            gone = _unregister_system(args)
        else:
            gone = [path for target in _chosen(args, device) for path in _take_back(target, device)]
    for path in gone:
        say(_("removed or cleaned: %s") % path)
    if not gone:
        say(_("Nothing was registered."))
    return ExitCode.OK


def refresh(device: Device) -> bool:
    """Renew the extension after the trust changed; True if browsers must be started again."""
    if not any(target.kind == "chromium" for target in record.read(device.paths)):
        return False
    folder = record.program_folder(device.paths) / "chromium"
    chromium.write_extension(folder, trusted_issuers(device))
    return True


def trusted_issuers(device: Device) -> list[str]:
    """Return the portals the extension may act on: trusted, or named with `--issuer`."""
    named = {issuer for target in record.read(device.paths) for issuer in target.issuers}
    return sorted(named | {trust.issuer for trust in device.trust.all()})


def _targets(args: argparse.Namespace, issuers: tuple[str, ...], device: Device) -> list[Target]:
    wanted = _kinds(args)
    found: list[Target] = []
    if "chromium" in wanted and (args.browser or args.user_data_dir or chromium.program()):
        folder = args.user_data_dir or chromium.default_user_data_dir()
        found.append(Target("chromium", str(folder.absolute()), issuers))
    if "firefox" in wanted:
        profiles = [args.profile] if args.profile else firefox.profiles(Path.home())
        found += [Target("firefox", str(profile.absolute())) for profile in profiles]
    if "desktop" in wanted and (args.browser or freedesktop.is_desktop()):
        found.append(Target("desktop", ""))
    if "refresh" in wanted and (args.browser or _wants_timer(device)):
        found.append(Target("refresh", ""))
    return found


def _wants_timer(device: Device) -> bool:
    """Whether a timer makes sense unasked: a device in a folder of its own may soon be gone."""
    return systemd.runs_for_this_person() and not device.paths.portable


def _kinds(args: argparse.Namespace) -> tuple[str, ...]:
    """Return what was meant: a folder of one browser's means that browser."""
    if args.user_data_dir:
        meant: tuple[str, ...] = ("chromium",)
    elif args.profile:
        meant = ("firefox",)
    else:
        meant = (args.browser,) if args.browser else TARGETS
    if args.browser and args.browser not in meant:
        raise UserError(
            _("the folder is not one of %s") % args.browser,
            _("--user-data-dir is for chromium, --profile for firefox"),
            ExitCode.USAGE,
        )
    return meant


def _chosen(args: argparse.Namespace, device: Device) -> list[Target]:
    wanted = _kinds(args)
    folder = args.user_data_dir or args.profile
    return [
        target
        for target in record.read(device.paths)
        if target.kind in wanted
        and (folder is None or os.path.realpath(folder) == os.path.realpath(target.folder))
    ]


def _write(target: Target, device: Device) -> list[Path]:
    programs = private_dir(record.program_folder(device.paths))
    if target.kind == "chromium":
        # Made by us, it must be as private as the browser would have made it.
        place = chromium.Place.of_profile(private_dir(target.path), programs)
        return chromium.register(place, trusted_issuers(device))
    if target.kind == "firefox":
        return firefox.register(target.path, programs)
    if target.kind == "refresh":
        written, runs = timer.register(timer.Place.of_person(programs))
        if not runs:
            tell(_("Next: systemctl --user enable --now %s") % timer.TIMER_UNIT)
        return written
    return freedesktop.register(freedesktop.Place.of_person(programs))


def _take_back(target: Target, device: Device) -> list[Path]:
    programs = record.program_folder(device.paths)
    left = {other.kind for other in record.read(device.paths) if other != target}
    if target.kind == "chromium":
        place = chromium.Place.of_profile(target.path, programs)
        gone = chromium.unregister(place, shared="chromium" in left)
    elif target.kind == "firefox":
        gone = firefox.unregister(target.path, programs)
    elif target.kind == "refresh":
        gone = timer.unregister(timer.Place.of_person(programs))
    else:
        gone = freedesktop.unregister(freedesktop.Place.of_person(programs))
    if target.kind in ("firefox", "desktop") and not left & {"firefox", "desktop"}:
        gone += _without_opener(programs)
    record.forget(device.paths, target)
    return gone


def _without_opener(programs: Path) -> list[Path]:
    return files.remove(programs / OPEN_FILE.name)


def _say_written(target: Target, written: list[Path]) -> None:
    say(f"{target.kind} {target.folder}".rstrip())
    for path in written:
        say(_("  wrote %s") % path)
    if target.kind == "chromium":
        say(
            _("  to do: load the extension once, in one of two ways"),
            _("    chrome://extensions, Developer mode, Load unpacked, %s") % written[0],
            _("    or start chromium with --load-extension=%s") % written[0],
            _("    (an administrator can do it for everybody: handfast register --system)"),
        )
    if target.kind == "firefox":
        say(_("  to do: start Firefox again; it must not run while this command does"))


def _register_system(args: argparse.Namespace, issuers: tuple[str, ...], device: Device) -> int:
    kinds = _kinds(args)
    trusted = {trust.issuer for trust in device.trust.all() if trust.system} | set(issuers)
    written: list[Path] = []
    if "chromium" in kinds:
        written += chromium.register(chromium.Place.of_system(), sorted(trusted))
    if "firefox" in kinds:
        written += firefox.register_system()
    if "desktop" in kinds:
        written += freedesktop.register(freedesktop.Place.of_system())
    for path in written:
        say(_("  wrote %s") % path)
    if "chromium" in kinds and not trusted:
        tell(
            _("The extension acts on no portal yet: put trust bundles into %s, or name --issuer.")
            % device.paths.system_trust_dir
        )
    say(_("  to do: start the browsers again"))
    return ExitCode.OK


def _unregister_system(args: argparse.Namespace) -> list[Path]:
    kinds = _kinds(args)
    gone: list[Path] = []
    if "chromium" in kinds:
        gone += chromium.unregister(chromium.Place.of_system(), shared=False)
    if "firefox" in kinds:
        gone += firefox.unregister_system()
    if "desktop" in kinds:
        gone += freedesktop.unregister(freedesktop.Place.of_system())
    if {"firefox", "desktop"} <= set(kinds):
        gone += _without_opener(freedesktop.Place.of_system().programs)
    return gone


def _need_administrator() -> None:
    if os.geteuid() != 0:
        raise UserError(
            _("--system writes to the folders of the whole device"),
            _("run it as the administrator (root)"),
            ExitCode.USAGE,
        )


def _checked(issuer: str) -> str:
    if not is_issuer(issuer.rstrip("/")):
        raise UserError(
            _("%s is not the address of a portal") % issuer,
            _("give it as https://host or https://host:port"),
            ExitCode.USAGE,
        )
    return issuer.rstrip("/")


@contextmanager
def _problems_named() -> Iterator[None]:
    """A file of another program that cannot be read or written is the person's problem."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise UserError(
            _("a file of the browser or desktop cannot be changed: %s") % error,
            _("look at that file, or move it away, then try again"),
        ) from error
