"""Counters of this process. What stands in the database is counted there, when somebody asks (`/metrics`)."""

from prometheus_client import Counter, Histogram

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

REQUESTS = Counter(
    "membership_http_requests_total",
    "Requests answered by this process, by route pattern",
    ["method", "route", "status"],
)
SECONDS = Histogram(
    "membership_http_request_seconds",
    "Time from the first byte of our code to the answer, by route pattern",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


def count_request(method: str, route: str, status: int, seconds: float) -> None:
    """Count one answer. `route` is the pattern, so the number of series is that of the routes."""
    REQUESTS.labels(method, route, str(status)).inc()
    SECONDS.labels(route).observe(seconds)
