#!/bin/sh
# Run HOSTUP_COMMAND in a VPS, print its output, and exit with its exit code. It needs curl and jq.
set -eu
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
end=$(($(date +%s) + ${HOSTUP_TIMEOUT:-300}))
url="${HOSTUP_BASE_URL%/}/api/v2/vps/$(jq -rn --arg id "$HOSTUP_VPS_ID" '$id | @uri')/agent/exec"

fail() {
  echo "$*" >&2
  exit 1
}

# Writes the response to $tmp/body, its status code to $status (000 if none came), and Retry-After to $wait if it is a
# number of seconds. The key goes through a pipe, so that no list of processes shows it.
call() {
  left=$((end - $(date +%s)))
  [ "$left" -gt 0 ] || fail "timed out; the command may still be running"
  : >"$tmp/head" >"$tmp/body"
  status=$(printf 'header = "Authorization: Bearer %s"\n' "$HOSTUP_API_KEY" |
    curl --config - --silent --show-error --max-time "$left" -A example-client/1.0 -H 'Accept: application/json' \
      -D "$tmp/head" -o "$tmp/body" -w '%{http_code}' "$@") || status=000
  wait=$(tr -d '\r' <"$tmp/head" | sed -n 's/^[Rr][Ee][Tt][Rr][Yy]-[Aa][Ff][Tt][Ee][Rr]: *\([0-9]*\)$/\1/p')
}

call "$url"
[ "$status" = 200 ] || fail "status $status"
jq -e '.available == true' "$tmp/body" >/dev/null || fail "commands cannot be run: $(cat "$tmp/body")"
jq -n --arg command "$HOSTUP_COMMAND" '{command: $command}' >"$tmp/start"
call "$url" -H 'Content-Type: application/json' --data-binary "@$tmp/start"
[ "$status" = 200 ] || fail "status $status"
pid=$(jq -er '.pid | numbers' "$tmp/body") || fail "the start named no pid"
while :; do
  call "$url?pid=$pid"
  case $status in
    200) ! jq -e '.exited == true' "$tmp/body" >/dev/null || break ;;
    429 | 503) [ -n "$wait" ] || fail "status $status" ;;
    5* | 000) ;; # what is lost says nothing: poll on
    *) fail "status $status" ;;
  esac
  [ "${wait:-0}" -lt "$((end - $(date +%s)))" ] || fail "status $status, for $wait seconds"
  [ "${wait:-0}" -gt 0 ] || wait=0.5
  sleep "$wait"
done
jq -j '.stdout // ""' "$tmp/body"
jq -j '.stderr // ""' "$tmp/body" >&2
exit "$(jq -r '.exitCode | if . == null then 1 elif . < 0 or . > 255 then 255 else . end' "$tmp/body")"
