"""Pages of a list, at the same cost however long the list is.

A page is read along an index, from the row where the page before it ended: nothing is skipped by
its number and nothing is counted to its end. What a search or a filter leaves over is found in one
of two ways. Where some condition leaves few people (a name, a small group), their rows are read
and sorted. Where every condition leaves many, rows are looked at in the list's order, up to a
limit for one page; then the page says that it stopped, and the next one goes on from there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from sqlalchemy import CTE, ColumnElement, Row, Select, Subquery, and_, func, select, true, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.models import Base, Person
from protocol.encoding import b64u, unb64u
from protocol.errors import RemoteProtocolError

PER_PAGE: Final = 50
# So many people are few.
FEW: Final = 500
# So many rows are looked at for one page, and so many more each time at first.
MOST_LOOKED_AT: Final = 10_000
FIRST_LOOK: Final = 200
# A list that is longer than this is "more than" so many.
COUNTED: Final = 1_000
LONGEST_PLACE: Final = 1_200

Rows: TypeAlias = Subquery | CTE
Column: TypeAlias = InstrumentedAttribute[Any]


@dataclass(frozen=True)
class Order:
    """One way through a list: along a column, and an id where that is the same."""

    name: str
    first: Column
    tie: Column
    # Whose row it is, and the id of what the list shows.
    person: Column
    item: Column
    is_descending: bool = True
    # What the index of this way has in it.
    where: tuple[ColumnElement[bool], ...] = ()
    # Whether a row is the one to be shown of several that have the same item.
    once: Callable[[Rows], ColumnElement[bool]] | None = None

    def sorts_by(self, value: int | str) -> bool:
        """Tell whether the column may hold such a value: a text, or a time."""
        return isinstance(value, self.first.type.python_type)


@dataclass(frozen=True)
class Place:
    """Between two rows of a list: behind one, or before it."""

    order: str
    first: int | str
    tie: str
    # Whether the row itself belongs to what is read from here.
    is_with_it: bool = False

    def __str__(self) -> str:
        """Return it for an address; :func:`parse_place` reads it."""
        return b64u(json.dumps([self.order, self.first, self.tie, self.is_with_it]).encode())


@dataclass(frozen=True)
class Listing:
    """What a list is of, and what its search and filters leave over."""

    orders: tuple[Order, ...]
    shows: type[Base]
    # Conditions on Person and on what is shown.
    tests: tuple[ColumnElement[bool], ...] = ()
    # Selects of the ids of people: all that is shown is theirs.
    people: tuple[Select[Any], ...] = ()


@dataclass(frozen=True)
class Page:
    """Ids of what is shown, in order, and the ways on."""

    ids: tuple[str, ...]
    newer: Place | None = None
    older: Place | None = None
    # How many there are, if that is known, and whether it is known that there are more.
    total: int | None = None
    is_more: bool = False
    # The search stopped before it had found a whole page.
    is_cut: bool = False


def parse_place(untrusted: str | None) -> Place | None:
    """Return the place that an address names, None where it is none: that is the first page."""
    try:
        found = json.loads(unb64u((untrusted or "")[:LONGEST_PLACE]))
        order, first, tie, is_with_it = found
    except (ValueError, TypeError, RecursionError, RemoteProtocolError):
        return None
    texts = [order, tie, first] if isinstance(first, str) else [order, tie]
    if not all(isinstance(text, str) and text.isprintable() for text in texts):
        return None
    if not isinstance(first, str) and not (type(first) is int and 0 <= first < 2**63):
        return None
    return Place(order, first, tie, is_with_it is True)


def read_page(
    session: Session,
    listing: Listing,
    *,
    after: Place | None = None,
    before: Place | None = None,
    limit: int = PER_PAGE,
) -> Page:
    """Return the rows behind a place, or those before it, or the first ones."""
    few = _few(session, listing.people)
    reader = _Few(session, listing, few) if few is not None else _Many(session, listing)
    page = reader.page(before, limit, is_back=True) if before is not None else None
    # What lies before the second page is the first one, whole, also when rows have come since.
    if page is None or (page.newer is None and len(page.ids) < limit):
        page = reader.page(after if page is None else None, limit, is_back=False)
    total, is_more = reader.count(page)
    return replace(page, total=total, is_more=is_more)


def _few(session: Session, people: Sequence[Select[Any]]) -> list[str] | None:
    """Return the people of the condition that leaves the fewest, None where each leaves many."""
    fewest: list[str] | None = None
    for condition in people:
        found = session.scalars(condition.limit(FEW + 1)).all()
        if len(found) <= FEW and (fewest is None or len(found) < len(fewest)):
            fewest = sorted(set(found))
    return fewest


class _Reader:
    """What both ways of reading have in common."""

    def __init__(self, session: Session, listing: Listing) -> None:
        self._session: Final = session
        self._listing: Final = listing

    def page(self, place: Place | None, limit: int, *, is_back: bool) -> Page:
        """Return one page from a place on, forwards or backwards."""
        order, place = self._order(place)
        rows, end = self._read(order, place, limit + 1, is_back)
        shown, has_more = rows[:limit], len(rows) > limit or end is not None
        last = shown[-1] if len(rows) > limit else end
        on = _place(order, last) if has_more and last is not None else None
        # Something lies where this page came from, be it only the row that the place is about.
        if place is None:
            back = None
        else:
            back = _place(order, shown[0]) if shown else replace(place, is_with_it=True)
        ids = [row.item for row in shown]
        is_cut = end is not None and len(rows) <= limit
        if is_back:
            return Page(tuple(reversed(ids)), newer=on, older=back, is_cut=is_cut)
        return Page(tuple(ids), newer=back, older=on, is_cut=is_cut)

    def count(self, page: Page) -> tuple[int | None, bool]:
        """Return how many there are in all, if that is known, and whether there are more."""
        if page.newer is None and page.older is None:
            return len(page.ids), False
        return self._count()

    def _order(self, place: Place | None) -> tuple[Order, Place | None]:
        """Return the order that a place belongs to; a place in none of ours is the beginning."""
        orders = self._orders()
        for order in orders:
            if place and place.order == order.name and order.sorts_by(place.first):
                return order, place
        return orders[0], None

    def _orders(self) -> tuple[Order, ...]:
        return self._listing.orders

    def _read(
        self, order: Order, place: Place | None, limit: int, is_back: bool
    ) -> tuple[list[Row[Any]], Row[Any] | None]:
        """Return rows that fit, and the last one looked at where the search stopped there."""
        raise NotImplementedError

    def _count(self) -> tuple[int | None, bool]:
        raise NotImplementedError

    def _with_person(self, rows: Rows, *columns: ColumnElement[Any]) -> Select[Any]:
        """Select rows together with what the conditions are about."""
        shows = self._listing.shows
        query = select(*rows.c, *columns).join(Person, Person.id == rows.c.person)
        return query if shows is Person else query.join(shows, _id_of(shows) == rows.c.item)


class _Few(_Reader):
    """Reads all that a few people have, and sorts it."""

    def __init__(self, session: Session, listing: Listing, people: Sequence[str]) -> None:
        super().__init__(session, listing)
        self._people: Final = people

    def _orders(self) -> tuple[Order, ...]:
        # Ways that leave people out are for the other reader; the conditions say the same.
        return tuple(order for order in self._listing.orders if not order.where)

    def _read(
        self, order: Order, place: Place | None, limit: int, is_back: bool
    ) -> tuple[list[Row[Any]], Row[Any] | None]:
        found = self._found(order)
        query = select(found).limit(limit).order_by(*_sorted(found, order, is_back))
        if place is not None:
            query = query.where(_beyond(found.c.first, found.c.tie, order, place, is_back))
        return list(self._session.execute(query)), None

    def _count(self) -> tuple[int | None, bool]:
        found = self._found(self._orders()[0])
        counted = self._session.scalar(select(func.count()).select_from(found)) or 0
        return counted, False

    def _found(self, order: Order) -> CTE:
        rows = _columns(order).where(order.person.in_(self._people)).cte("rows_of_few")
        # Otherwise the database may think it better to walk through everybody in order.
        rows = rows.prefix_with("MATERIALIZED")
        once = () if order.once is None else (order.once(rows),)
        fitting = self._with_person(rows).where(*self._listing.tests, *once)
        return fitting.cte("found").prefix_with("MATERIALIZED")


class _Many(_Reader):
    """Looks at rows in order until a page is full, or for long enough."""

    def _read(
        self, order: Order, place: Place | None, limit: int, is_back: bool
    ) -> tuple[list[Row[Any]], Row[Any] | None]:
        fitting: list[Row[Any]] = []
        looked_at, size = 0, FIRST_LOOK
        while True:
            rows = self._look(order, place, size, is_back)
            fitting += [row for row in rows if row.fits]
            looked_at += len(rows)
            if len(fitting) >= limit:
                return fitting[:limit], None
            if len(rows) < size:
                return fitting, None
            if looked_at >= MOST_LOOKED_AT:
                return fitting, rows[-1]
            place = _place(order, rows[-1])
            size = min(4 * size, MOST_LOOKED_AT - looked_at)

    def _look(
        self, order: Order, place: Place | None, size: int, is_back: bool
    ) -> Sequence[Row[Any]]:
        query = _columns(order).where(*order.where).limit(size)
        if place is not None:
            query = query.where(_beyond(order.first, order.tie, order, place, is_back))
        ways = [order.first.asc(), order.tie.asc()]
        if order.is_descending != is_back:
            ways = [order.first.desc(), order.tie.desc()]
        rows = query.order_by(*ways).subquery("looked_at")
        once = () if order.once is None else (order.once(rows),)
        fits = and_(true(), *self._listing.tests, *once)
        asked = self._with_person(rows, fits.label("fits"))
        return self._session.execute(asked.order_by(*_sorted(rows, order, is_back))).all()

    def _count(self) -> tuple[int | None, bool]:
        order = self._listing.orders[0]
        if self._listing.tests or order.once is not None:
            return None, True
        some = select(order.tie).where(*order.where).limit(COUNTED + 1).subquery()
        counted = self._session.scalar(select(func.count()).select_from(some)) or 0
        return min(counted, COUNTED), counted > COUNTED


def _columns(order: Order) -> Select[Any]:
    return select(
        order.first.label("first"),
        order.tie.label("tie"),
        order.person.label("person"),
        order.item.label("item"),
    )


def _sorted(rows: Rows, order: Order, is_back: bool) -> list[ColumnElement[Any]]:
    columns = [rows.c.first, rows.c.tie]
    if order.is_descending != is_back:
        return [column.desc() for column in columns]
    return [column.asc() for column in columns]


def _beyond(
    first: ColumnElement[Any] | Column,
    tie: ColumnElement[Any] | Column,
    order: Order,
    place: Place,
    is_back: bool,
) -> ColumnElement[bool]:
    here = tuple_(first, tie)
    there = tuple_(place.first, place.tie)
    if place.is_with_it:
        return here <= there if order.is_descending != is_back else here >= there
    return here < there if order.is_descending != is_back else here > there


def _place(order: Order, row: Row[Any]) -> Place:
    return Place(order.name, row.first, row.tie)


def _id_of(shows: type[Base]) -> ColumnElement[str]:
    found: ColumnElement[str] = shows.__table__.c.id
    return found
