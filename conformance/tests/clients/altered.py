"""Wrong clients that are right ones of `right/` with a little text replaced: what their libraries do by default."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Altered:
    """A script of `right/`, what is wrong with it, and how it gets wrong."""

    script: str
    doc: str
    requirements: tuple[str, ...]
    scenes: tuple[str, ...]
    #: The texts that are replaced, each of which stands in the script once.
    replaced: dict[str, str]

    def text(self, right: str) -> str:
        """Return the altered text of the script."""
        for old, new in self.replaced.items():
            assert right.count(old) == 1, (self.script, old)
            right = right.replace(old, new)
        return right


#: By the name of the script that results.
ALTERED = {
    "kept_curl.php": Altered(
        "curl.php",
        "It uses one curl handle: on a kept connection, curl repeats a lost request, even a POST.",
        ("CLIENT-17", "CLIENT-18"),
        ("start-lost", "poll-lost"),
        {
            "$curl = curl_init($url);": "static $curl = curl_init(); curl_reset($curl); "
            "curl_setopt($curl, CURLOPT_URL, $url);",
            "php-client/1.0": "php-curl/1.0",
        },
    ),
    "kept_nethttp.go": Altered(
        "nethttp.go",
        "It keeps connections, and net/http repeats a lost GET on one.",
        ("CLIENT-18",),
        ("poll-lost",),
        {"DisableKeepAlives: true": "DisableKeepAlives: false", "go-client/1.0": "Go-http-client/1.1"},
    ),
    "repeating_aiohttp.py": Altered(
        "aiohttp_client.py",
        "It lets aiohttp repeat a lost GET.",
        ("CLIENT-18",),
        ("poll-lost",),
        {
            ', "User-Agent": "aiohttp-client/1.0"': "",
            "force_close=True": "force_close=False",
            ", middlewares=[once]": "",
        },
    ),
    "repeating_http_tiny.pl": Altered(
        "http_tiny.pl",
        "It lets HTTP::Tiny repeat a lost GET.",
        ("CLIENT-18",),
        ("poll-lost",),
        {"agent => 'perl-client/1.0', ": "", 'die "no response\\n" if $connected++; ': ""},
    ),
    "repeating_net_http.rb": Altered(
        "net_http.rb",
        "It lets Net::HTTP repeat a lost GET.",
        ("CLIENT-18",),
        ("poll-lost",),
        {'  request["User-Agent"] = "ruby-client/1.0"\n': "", "http.max_retries = 0": ""},
    ),
    "redirected_urllib.py": Altered(
        "urllib_client.py",
        "It lets urllib follow redirects to any host, with the key.",
        ("CLIENT-03",),
        ("probe-redirected", "poll-found"),
        {"build_opener(NoRedirect, ": "build_opener("},
    ),
}
