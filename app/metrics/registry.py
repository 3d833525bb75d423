"""What this process counts by itself: requests, mail checks, refusals.

Labels are endpoints, statuses and causes: names of ours, of which there are few. Each portal has
a registry of its own, so that several in one process (tests) do not add up.
"""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

# Seconds; a page should be in the first half of them.
BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
UNKNOWN: Final = "unknown"


class Metrics:
    """The counters of one portal."""

    def __init__(self) -> None:
        self.registry: Final = CollectorRegistry(auto_describe=True)
        self._requests: Final = Counter(
            "handfast_requests",
            "Requests answered.",
            ("endpoint", "status"),
            registry=self.registry,
        )
        self._seconds: Final = Histogram(
            "handfast_request_seconds",
            "How long an answer took.",
            ("endpoint",),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._mail_checks: Final = Counter(
            "handfast_mail_checks",
            "Credentials tried at a mail server, by how that ended.",
            ("outcome",),
            registry=self.registry,
        )
        self._throttled: Final = Counter(
            "handfast_throttled", "Requests refused as too many.", registry=self.registry
        )
        self._database_errors: Final = Counter(
            "handfast_database_errors",
            "Requests that the database could not serve.",
            registry=self.registry,
        )

    def count_request(self, endpoint: str | None, status: int, seconds: float) -> None:
        """Count an answer; whatever has no route is one endpoint."""
        self._requests.labels(endpoint or UNKNOWN, str(status)).inc()
        self._seconds.labels(endpoint or UNKNOWN).observe(seconds)

    def count_mail_check(self, outcome: str) -> None:
        """Count a credential that was tried."""
        self._mail_checks.labels(outcome).inc()

    def count_throttled(self) -> None:
        """Count a request that came too often."""
        self._throttled.inc()

    def count_database_error(self) -> None:
        """Count a request that the database could not serve."""
        self._database_errors.inc()
