#!/bin/sh
# curl with --retry, and what the shell makes of the output.
url="$HOSTUP_BASE_URL/api/v2/vps/$HOSTUP_VPS_ID/agent/exec"
call() {
  curl -sSL --retry 3 --retry-delay 1 --retry-all-errors -H "Authorization: Bearer $HOSTUP_API_KEY" "$@"
}
call "$url" | jq -e .available >/dev/null || exit 1
pid=$(call "$url" -H 'Content-Type: application/json' -d "{\"command\": \"$HOSTUP_COMMAND\"}" | jq .pid)
while output=$(call "$url?pid=$pid") && [ "$(printf '%s' "$output" | jq .exited)" != true ]; do
  sleep 1
done
printf '%s' "$output" | jq -r .stdout
exit "$(printf '%s' "$output" | jq .exitCode)"
