// Run a command in a VPS with axios.
import axios from "axios";

const { HOSTUP_BASE_URL, HOSTUP_API_KEY, HOSTUP_VPS_ID, HOSTUP_COMMAND, HOSTUP_TIMEOUT = "300" } = process.env;
const signal = AbortSignal.timeout(Number(HOSTUP_TIMEOUT) * 1000);
const client = axios.create({
  baseURL: HOSTUP_BASE_URL,
  headers: { Authorization: `Bearer ${HOSTUP_API_KEY}`, Accept: "application/json", "User-Agent": "axios-client/1.0" },
  maxRedirects: 0,
  maxContentLength: 256 * 2 ** 20,
  transitional: { silentJSONParsing: false },
  responseType: "json",
  proxy: false,
  signal,
});
const url = `/api/v2/vps/${encodeURIComponent(HOSTUP_VPS_ID)}/agent/exec`;
const call = async (config) => (await client.request({ url, ...config })).data ?? {};

try {
  const availability = await call({});
  if (availability.available !== true) throw new Error(`commands cannot be run: ${availability.reason}`);
  const { pid } = await call({ method: "post", data: { command: HOSTUP_COMMAND } });
  if (!Number.isSafeInteger(pid)) throw new Error("the start named no pid");
  let output = {};
  while (!signal.aborted && (output = await call({ params: { pid } })).exited !== true) {
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  if (output.exited !== true) throw new Error("timed out; the command may still be running");
  const code = output.exitCode;
  process.exitCode = Number.isInteger(code) && code >= 0 && code < 256 ? code : 255;
  process.stderr.write(output.stderr ?? "");
  process.stdout.write(output.stdout ?? "", () => process.exit());
} catch (error) {
  console.error(`${error.code ?? error.name}: ${error.message}`);
  process.exit(1);
}
