"""Wrong clients that are right ones with a little text replaced: what their libraries do by default."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Altered:
    """A right script, what is wrong with it, and how it gets wrong."""

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
        ("CLIENT-17",),
        ("start-lost",),
        {
            "$curl = curl_init($url);": "static $curl = curl_init(); curl_reset($curl); "
            "curl_setopt($curl, CURLOPT_URL, $url);",
            "php-client/1.0": "php-curl/1.0",
        },
    ),
    "redirected.go": Altered(
        "client.go",
        "It lets net/http follow redirects, which takes the command elsewhere, without the key.",
        ("CLIENT-45",),
        ("start-redirected",),
        {"CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },": ""},
    ),
    "each_read_of_http_tiny.pl": Altered(
        "http_tiny.pl",
        "It limits each read, and not the time in all.",
        ("CLIENT-24",),
        ("poll-trickling",),
        {"alarm($ENV{HOSTUP_TIMEOUT} // 300);": ""},
    ),
    "each_read_of_requests.py": Altered(
        "requests_client.py",
        "It limits each read, and not the time in all.",
        ("CLIENT-24",),
        ("poll-trickling",),
        {"signal.setitimer(signal.ITIMER_REAL, TIMEOUT)\n": ""},
    ),
    "redirected_urllib.py": Altered(
        "client.py",
        "It lets urllib follow redirects to any host, with the key.",
        ("CLIENT-03",),
        ("probe-redirected", "poll-found"),
        {"build_opener(NoRedirect)": "build_opener()"},
    ),
}
