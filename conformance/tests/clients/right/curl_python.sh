#!/bin/bash
# Run a command in a VPS with curl, and Python to read JSON.
set -euo pipefail
json() { python3 -IS -c "import json, os, sys; from urllib.parse import quote; $1" "${@:2}"; }
url="$HOSTUP_BASE_URL/api/v2/vps/$(json 'print(quote(os.environ["HOSTUP_VPS_ID"], safe=""))')/agent/exec"
body=$(mktemp)
trap 'rm -f "$body"' EXIT
SECONDS=0

call() {
  local left=$((${HOSTUP_TIMEOUT:-300} - SECONDS))
  ((left > 0)) || { echo "timed out; the command may still be running" >&2; exit 1; }
  curl -sS --fail --max-time "$left" --noproxy '*' -A curl-client/1.0 -o "$body" \
    -H @<(printf 'Authorization: Bearer %s\n' "$HOSTUP_API_KEY") "$@"
}

call "$url"
json 'sys.exit(json.load(open(sys.argv[1]))["available"] is not True and "commands cannot be run")' "$body"
json 'print(json.dumps({"command": os.environ["HOSTUP_COMMAND"]}))' | call "$url" -H 'Content-Type: application/json' -d @-
pid=$(json 'print(int(json.load(open(sys.argv[1]))["pid"]))' "$body")
ended=False
while [ "$ended" = False ]; do
  sleep 0.5
  call "$url?pid=$pid"
  ended=$(json 'print(json.load(open(sys.argv[1], encoding="utf-8"))["exited"] is True)' "$body")
done
json '
output = json.load(open(sys.argv[1], encoding="utf-8"))
sys.stdout.buffer.write((output.get("stdout") or "").encode())
sys.stderr.buffer.write((output.get("stderr") or "").encode())
code = output.get("exitCode")
sys.exit(255 if code is None or not 0 <= code < 256 else code)' "$body"
