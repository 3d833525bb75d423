"""Bind the media type to the handler: `handfast register`, `unregister` and `doctor`."""

import argparse

from plugin.registration import command
from plugin.registration import doctor as examination
from plugin.registration.command import refresh, refresh_registrations, register, unregister
from plugin.registration.doctor import doctor

__all__ = [
    "add_arguments",
    "doctor",
    "refresh",
    "refresh_registrations",
    "register",
    "unregister",
]


def add_arguments(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Define the three commands."""
    command.add_arguments(commands)
    examination.add_arguments(commands)
