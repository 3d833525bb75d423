"""The device API: other programs on this device get keys of their own, once its owner allows it."""

from plugin.agent.command import add_arguments

__all__ = ["add_arguments"]
