#!/bin/sh
# Run a command in a VPS with the command line of this project's client.
left=${HOSTUP_TIMEOUT:-300}
# Its own limit gives a poll ten seconds more, lest the output be lost: timeout does not.
timeout "$left" hostup-agent-exec run --timeout "$left" "$HOSTUP_VPS_ID" "$HOSTUP_COMMAND"
code=$?
[ $code != 124 ] || echo "timed out; the command may still be running" >&2
exit $code
