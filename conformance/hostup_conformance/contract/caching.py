"""What a response allows caches to do (RFC 9111). It judges nothing."""

from __future__ import annotations

from hostup_conformance.contract.ask import Exchange
from hostup_conformance.http.times import http_date


def fresh_seconds(e: Exchange) -> int:
    """Return for how many seconds a private cache may reuse a response without asking (RFC 9111 section 4.2.1)."""
    directives = cache_directives(e)
    if "no-store" in directives or "no-cache" in directives:
        return 0
    if (age := directives.get("max-age", "").strip('"')).isdecimal():
        return int(age[:12])
    expires, date = http_date(e.header("expires") or ""), http_date(e.header("date") or "") or e.when
    return max(0, int((expires - date).total_seconds())) if expires and date and "max-age" not in directives else 0


def is_shared(e: Exchange) -> bool:
    """Whether a response may be given to others by a cache that has not asked the server again (RFC 9111 section 3.5).

    With `public, max-age=0, must-revalidate`, as some platforms have it by default, every use has to be asked for;
    s-maxage implies proxy-revalidate (section 5.2.2.10).
    """
    directives = cache_directives(e)
    if directives.keys() & {"no-store", "no-cache", "private"} or not directives.keys() & {"public", "s-maxage"}:
        return False
    asks_again = directives.keys() & {"must-revalidate", "proxy-revalidate", "s-maxage"}
    return not asks_again or directives.get("s-maxage", directives.get("max-age", "")).strip('"') != "0"


def cache_directives(e: Exchange) -> dict[str, str]:
    """Return the directives of Cache-Control, with their values."""
    return dict(part.strip().lower().partition("=")[::2] for part in (e.header("cache-control") or "").split(","))
