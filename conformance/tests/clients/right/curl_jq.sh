#!/bin/sh
# Run a command in a VPS with curl and jq.
set -eu
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
end=$(($(date +%s) + ${HOSTUP_TIMEOUT:-300}))
url="${HOSTUP_BASE_URL%/}/api/v2/vps/$(jq -rn --arg id "$HOSTUP_VPS_ID" '$id | @uri')/agent/exec"

fail() {
  echo "$*" >&2
  exit 1
}

call() { # writes the response to $tmp/body; the key goes through a pipe, so that no process list shows it
  left=$((end - $(date +%s)))
  [ "$left" -gt 0 ] || fail "timed out; the command may still be running"
  status=$(printf 'header = "Authorization: Bearer %s"\n' "$HOSTUP_API_KEY" |
    curl --config - --silent --show-error --max-time "$left" --noproxy '*' -A curl-client/1.0 \
      -H 'Accept: application/json' -o "$tmp/body" -w '%{http_code}' "$@")
  [ "$status" = 200 ] || fail "status $status"
}

call "$url"
jq -e '.available == true' "$tmp/body" >/dev/null || fail "commands cannot be run: $(cat "$tmp/body")"
jq -n --arg command "$HOSTUP_COMMAND" '{command: $command}' >"$tmp/start"
call "$url" -H 'Content-Type: application/json' --data-binary "@$tmp/start"
pid=$(jq -er '.pid | numbers' "$tmp/body") || fail "the start named no pid"
call "$url?pid=$pid"
until jq -e '.exited == true' "$tmp/body" >/dev/null; do
  jq -e type "$tmp/body" >/dev/null || fail "the poll got no JSON"
  sleep 0.5
  call "$url?pid=$pid"
done
jq -j '.stdout // ""' "$tmp/body"
jq -j '.stderr // ""' "$tmp/body" >&2
exit "$(jq -r '.exitCode | if . == null then 1 elif . < 0 or . > 255 then 255 else . end' "$tmp/body")"
