"""Bind the media type to the handler: `handfast register`, `unregister` and `doctor`."""

import argparse

from plugin.registration import command, doctor
from plugin.registration.command import refresh

__all__ = ["add_arguments", "refresh"]


def add_arguments(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Define the three commands."""
    command.add_arguments(commands)
    doctor.add_arguments(commands)
