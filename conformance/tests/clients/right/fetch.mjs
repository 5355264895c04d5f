// Run a command in a VPS with Node's fetch.
const { HOSTUP_BASE_URL, HOSTUP_API_KEY, HOSTUP_VPS_ID, HOSTUP_COMMAND, HOSTUP_TIMEOUT = "300" } = process.env;
const url = `${HOSTUP_BASE_URL.replace(/\/$/, "")}/api/v2/vps/${encodeURIComponent(HOSTUP_VPS_ID)}/agent/exec`;
const signal = AbortSignal.timeout(Number(HOSTUP_TIMEOUT) * 1000);
const sleep = (ms) => new Promise((resolve, reject) => {
  setTimeout(resolve, ms);
  signal.addEventListener("abort", () => reject(signal.reason));
});

// Date.parse reads a date without a zone, as asctime has it, as local time.
function secondsOf(retryAfter) {
  if (/^\d+$/.test(retryAfter)) return Number(retryAfter);
  return (Date.parse(/ \d{4}$/.test(retryAfter) ? `${retryAfter} GMT` : retryAfter) - Date.now()) / 1000 || 0;
}

async function call(target, init = {}) {
  const headers = { Authorization: `Bearer ${HOSTUP_API_KEY}`, Accept: "application/json", "User-Agent": "fetch-client/1.0", ...init.headers };
  const response = await fetch(target, { ...init, headers, signal, redirect: "manual" });
  const retryAfter = response.headers.get("Retry-After");
  if (response.status === 429 && retryAfter) {
    await response.body?.cancel();
    await sleep(Math.max(secondsOf(retryAfter), 0.5) * 1000 + 10);
    return call(target, init);
  }
  if (response.status !== 200) throw new Error(`${init.method ?? "GET"}: status ${response.status}`);
  return response.json();
}

try {
  const availability = await call(url);
  if (availability.available !== true) throw new Error(`commands cannot be run: ${availability.reason}`);
  const { pid } = await call(url, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ command: HOSTUP_COMMAND }),
  });
  if (!Number.isSafeInteger(pid)) throw new Error("the start named no pid");
  let output;
  while ((output = await call(`${url}?pid=${pid}`)).exited !== true) await sleep(500);
  const code = output.exitCode;
  process.exitCode = Number.isInteger(code) && code >= 0 && code < 256 ? code : 255;
  process.stderr.write(output.stderr ?? "");
  process.stdout.write(output.stdout ?? "", () => process.exit());
} catch (error) {
  console.error(`${error.name}: ${error.message}`, error.cause?.code ?? "");
  process.exit(1);
}
