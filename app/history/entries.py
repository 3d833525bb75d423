"""What a history is made of: events, and the rotations among them folded into one entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from app.audit import Act

_STEPS: Final = frozenset(
    {Act.KEY_ROTATION_BEGUN, Act.KEY_ROTATED, Act.KEY_PROVEN, Act.KEY_RETIRED}
)


@dataclass(frozen=True)
class Event:
    """One act and the plain facts written with it."""

    id: int
    at: int
    actor: str
    act: str
    target: str | None
    facts: dict[str, str]
    # Name and role of the member of staff who did it, or whose program did.
    staff: tuple[str, str] | None = None

    @property
    def reason(self) -> str | None:
        """What staff wrote about why; others give none."""
        return self.facts.get("reason") if self.staff else None

    @property
    def rotated_key(self) -> str | None:
        """The key that makes way, if this is a step of a rotation; None if it is anything else."""
        if self.act == Act.KEY_PROVEN:
            return self.facts.get("replaces")
        # A key also makes way for one that came with a document, and that is no rotation.
        if self.act == Act.KEY_RETIRED and "replaced_by" not in self.facts:
            return None
        return self.target if self.act in _STEPS else None

    @property
    def rotating_device(self) -> str | None:
        """The device whose key is being replaced by this, or None."""
        return None if self.rotated_key is None else self.facts.get("device_id")


@dataclass(frozen=True)
class Entry:
    """One event, or consecutive steps by which one device had keys replaced; the newest first."""

    events: tuple[Event, ...]

    @property
    def is_folded(self) -> bool:
        """Whether there is more than one event in it."""
        return len(self.events) > 1

    @property
    def replaced(self) -> int:
        """How many keys made way for newer ones."""
        return len({each.target for each in self.events if each.act == Act.KEY_RETIRED})

    @property
    def under_way(self) -> int:
        """How many keys it is about, replaced or not."""
        return len({each.rotated_key for each in self.events})


def fold(events: Sequence[Event]) -> list[Entry]:
    """Put consecutive rotations of one device into one entry each."""
    entries: list[Entry] = []
    for device, run in groupby(events, key=lambda event: event.rotating_device):
        if device is None:
            entries += [Entry((event,)) for event in run]
        else:
            entries.append(Entry(tuple(run)))
    return entries
