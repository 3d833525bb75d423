"""The dashboard's plots, in the words of the page: each also as a sentence and as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from babel.dates import format_skeleton
from flask_babel import LazyString, format_date, format_decimal, get_locale, gettext, lazy_gettext

from app.clock import DAY, as_datetime
from app.statistics.names import (
    KEY_AGES,
    LONGER,
    PLATFORMS,
    WAITING_AGES,
    WAITS,
    Bounds,
    Daily,
    Present,
    Step,
)
from app.statistics.plots import Lines, lengths, lines
from app.statistics.services import Statistics
from app.webadmin import figure_words as words

# So many dates have room below a plot on a telephone.
DATES: Final = 4
MOST_BARS: Final = 10
Label: TypeAlias = str | LazyString
Pairs: TypeAlias = Iterable[tuple[Label, int]]


@dataclass(frozen=True)
class Bar:
    """One bar: what it stands for, its value, and its length in percent of the longest."""

    label: Label
    value: int
    length: float

    @property
    def is_data(self) -> bool:
        """Tell whether the label is a name, such as a provider's, and not a word of ours."""
        return isinstance(self.label, str)


@dataclass(frozen=True)
class Bars:
    """Bars below one another: a table in which each row has its bar."""

    id: str
    title: LazyString
    # The heading of the labels.
    of: LazyString
    summary: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Course:
    """Lines over time."""

    id: str
    title: LazyString
    summary: str
    names: tuple[Label, ...]
    totals: tuple[int, ...]
    plot: Lines
    # The day that each bin begins with: short for the axis, and whole for the table.
    dates: tuple[str, ...]
    days: tuple[str, ...]
    is_in_weeks: bool


@dataclass(frozen=True)
class Kind:
    """The words of one plot of bars; the sentence has ``count`` and ``most``."""

    id: str
    title: LazyString
    of: LazyString
    sentence: LazyString


WAITED: Final = Kind(
    "waited",
    lazy_gettext("Time to activate"),
    lazy_gettext("From asked for to active"),
    lazy_gettext("%(count)s activations became active. It took most often: %(most)s."),
)
ENDED: Final = Kind(
    "ended",
    lazy_gettext("Why activations ended without a device"),
    lazy_gettext("Why"),
    lazy_gettext("%(count)s activations ended without a device, most often: %(most)s."),
)
FAILED: Final = Kind(
    "failed",
    lazy_gettext("Failed sign-ins by cause"),
    lazy_gettext("Cause"),
    lazy_gettext("%(count)s sign-ins of people known here failed, most often: %(most)s."),
)
FAILED_AT: Final = Kind(
    "failed-at",
    lazy_gettext("Failed sign-ins by mail provider"),
    lazy_gettext("Provider"),
    lazy_gettext("%(count)s sign-ins of people known here failed, most often at: %(most)s."),
)
DEVICES: Final = Kind(
    "devices",
    lazy_gettext("Devices by platform"),
    lazy_gettext("Platform"),
    lazy_gettext("%(count)s devices are active. The largest group: %(most)s."),
)
KEYS: Final = Kind(
    "keys",
    lazy_gettext("Keys by age"),
    lazy_gettext("Age"),
    lazy_gettext("%(count)s keys are active. The largest group: %(most)s."),
)
WAITING: Final = Kind(
    "waiting",
    lazy_gettext("Waiting activations by age"),
    lazy_gettext("Waiting for"),
    lazy_gettext("%(count)s activations wait for a device. The largest group: %(most)s."),
)


def course(found: Statistics) -> Course:
    """Return the activations over time."""
    totals = {step: sum(found.steps[step]) for step in words.STEPS}
    return Course(
        id="activations",
        title=lazy_gettext("Activations over time"),
        summary=gettext(
            "In %(days)s days %(issued)s documents and codes were given out, %(active)s activations"
            " became active, and %(ended)s ended without a device.",
            days=format_decimal(len(found.bins) * found.days_in_bin),
            issued=format_decimal(totals[Step.ISSUED]),
            active=format_decimal(totals[Step.ACTIVE]),
            ended=format_decimal(totals[Step.ENDED]),
        ),
        names=tuple(words.STEPS.values()),
        totals=tuple(totals.values()),
        plot=lines([found.steps[step] for step in words.STEPS], named=DATES),
        dates=tuple(_short(day) for day in found.bins),
        days=tuple(format_date(as_datetime(day * DAY), "medium") for day in found.bins),
        is_in_weeks=found.days_in_bin > 1,
    )


def happened(found: Statistics) -> list[Bars]:
    """Return what happened in the range of days: how long it took, what failed and why."""
    totals = found.totals
    return [
        _bars(WAITED, _classes(totals[Daily.WAITED], WAITS, words.WAITS)),
        _bars(ENDED, _most_first(totals[Daily.ENDED], words.ENDINGS)),
        _bars(FAILED, _most_first(totals[Daily.FAILED], words.CAUSES)),
        _bars(FAILED_AT, _providers(totals[Daily.FAILED_AT])),
    ]


def there_is(found: Statistics) -> list[Bars]:
    """Return what there is at present."""
    present = found.present
    return [
        _bars(WAITING, _classes(present[Present.WAITING], WAITING_AGES, words.AGES)),
        _bars(DEVICES, _most_first(present[Present.DEVICES], PLATFORMS)),
        _bars(KEYS, _classes(present[Present.KEYS], KEY_AGES, words.AGES)),
    ]


def _bars(kind: Kind, pairs: Pairs) -> Bars:
    listed = list(pairs)
    values = [value for _, value in listed]
    total, most = sum(values), max(values, default=0)
    if not total:
        return Bars(kind.id, kind.title, kind.of, gettext("Nothing to show yet."), ())
    leader = next(label for label, value in listed if value == most)
    summary = str(kind.sentence) % {"count": format_decimal(total), "most": leader}
    drawn = zip(listed, lengths(values), strict=True)
    bars = tuple(Bar(label, value, length) for (label, value), length in drawn)
    return Bars(kind.id, kind.title, kind.of, summary, bars)


def _classes(counts: Mapping[str, int], bounds: Bounds, named: Mapping[str, Label]) -> Pairs:
    """Return the classes in their order, empty ones too: gaps are part of the picture."""
    labels = [label for _, label in bounds] + [LONGER]
    return [(named[label], counts.get(label, 0)) for label in labels]


def _most_first(counts: Counter[str], named: Mapping[str, Label]) -> Pairs:
    found: Counter[Label] = Counter()
    for label, count in counts.items():
        found[named.get(label, words.OTHERS)] += count
    return found.most_common()


def _providers(counts: Counter[str]) -> Pairs:
    """Return those with the most failures, and all the others together."""
    found: Counter[Label] = Counter()
    for place, (label, count) in enumerate(counts.most_common()):
        found[words.provider_name(label) if place < MOST_BARS else words.OTHERS] += count
    return found.most_common()


def _short(day: int) -> str:
    """Return a day without its year, as short as the language has it."""
    return str(format_skeleton("MMMd", as_datetime(day * DAY), locale=get_locale()))
