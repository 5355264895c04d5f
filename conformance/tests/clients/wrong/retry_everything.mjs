// A wrapper of fetch that tries everything three times.
const { HOSTUP_BASE_URL, HOSTUP_API_KEY, HOSTUP_VPS_ID, HOSTUP_COMMAND } = process.env;
const url = `${HOSTUP_BASE_URL}/api/v2/vps/${encodeURIComponent(HOSTUP_VPS_ID)}/agent/exec`;

async function fetchWithRetry(target, options = {}, tries = 3) {
  const headers = { Authorization: `Bearer ${HOSTUP_API_KEY}`, "Content-Type": "application/json" };
  try {
    const response = await fetch(target, { ...options, headers, signal: AbortSignal.timeout(2000) });
    if (!response.ok) throw new Error(`status ${response.status}`);
    return await response.json();
  } catch (error) {
    if (tries <= 1) throw error;
    await new Promise((resolve) => setTimeout(resolve, 250));
    return fetchWithRetry(target, options, tries - 1);
  }
}

const { available } = await fetchWithRetry(url);
if (!available) throw new Error("commands cannot be run");
const { pid } = await fetchWithRetry(url, { method: "POST", body: JSON.stringify({ command: HOSTUP_COMMAND }) });
let output;
do {
  await new Promise((resolve) => setTimeout(resolve, 500));
  output = await fetchWithRetry(`${url}?pid=${pid}`);
} while (!output.exited);
console.log(output.stdout);
console.error(output.stderr);
process.exitCode = output.exitCode;
