"""The problems that our servers respond with, as the endpoint's documentation has them."""

#: code and title by status code.
PROBLEMS = {
    400: ("invalid_request", "Invalid request"),
    401: ("unauthorized", "Unauthorized"),
    403: ("forbidden", "Forbidden"),
    404: ("not_found", "Not found"),
    405: ("method_not_allowed", "Method not allowed"),
    429: ("rate_limit_exceeded", "Too many requests"),
    500: ("internal_error", "Internal server error"),
    503: ("upstream_unavailable", "Guest agent unavailable"),
}
