// Run HOSTUP_COMMAND in a VPS, print its output, and exit with its exit code. It needs Node 18, and nothing else.
const { HOSTUP_BASE_URL, HOSTUP_API_KEY, HOSTUP_VPS_ID, HOSTUP_COMMAND, HOSTUP_TIMEOUT = "300" } = process.env;
const url = `${HOSTUP_BASE_URL.replace(/\/$/, "")}/api/v2/vps/${encodeURIComponent(HOSTUP_VPS_ID)}/agent/exec`;
const signal = AbortSignal.timeout(Number(HOSTUP_TIMEOUT) * 1000); // for all of it
const sleep = (seconds) => new Promise((resolve, reject) => {
  setTimeout(resolve, Math.min(seconds * 1000, 2 ** 31 - 1)); // more would be no wait at all
  signal.addEventListener("abort", () => reject(signal.reason));
});

class Refused extends Error {} // the server has said why

// A date of the form that asctime has names no zone; Date.parse would take it for local time.
function secondsOf(retryAfter) {
  if (/^\d+$/.test(retryAfter)) return Number(retryAfter);
  return (Date.parse(/ \d{4}$/.test(retryAfter) ? `${retryAfter} GMT` : retryAfter) - Date.now()) / 1000 || 0;
}

async function call(target, init = {}) {
  const headers = { Authorization: `Bearer ${HOSTUP_API_KEY}`, Accept: "application/json", "User-Agent": "example-client/1.0", ...init.headers };
  const response = await fetch(target, { ...init, headers, signal, redirect: "manual" });
  const retryAfter = response.headers.get("Retry-After");
  if ([429, 503].includes(response.status) && retryAfter) { // nothing was carried out
    await response.body?.cancel();
    await sleep(Math.max(secondsOf(retryAfter), 0.5) + 0.01);
    return call(target, init);
  }
  if (response.status !== 200) {
    const error = new Refused(`${init.method ?? "GET"}: status ${response.status}`);
    throw response.status < 500 ? error : new Error(error.message);
  }
  return response.json();
}

async function outputOf(pid) {
  for (;;) {
    try {
      const output = await call(`${url}?pid=${pid}`);
      if (output.exited === true) return output;
    } catch (error) { // a response that is lost says nothing, so poll on
      if (signal.aborted || error instanceof Refused) throw error;
      console.error(`polling on after: ${error.message}`);
    }
    await sleep(0.5);
  }
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
  const output = await outputOf(pid);
  const code = output.exitCode;
  process.exitCode = Number.isInteger(code) && code >= 0 && code < 256 ? code : 255;
  process.stderr.write(output.stderr ?? "");
  process.stdout.write(output.stdout ?? "", () => process.exit());
} catch (error) {
  console.error(`${error.name}: ${error.message}`, error.cause?.code ?? "");
  process.exit(1);
}
