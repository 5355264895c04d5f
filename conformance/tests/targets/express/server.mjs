/**
 * The endpoint in Express, written from its page alone: a target that nobody tuned for the suite.
 *
 *     npm install && node server.mjs [--port N]
 *
 * The first line on stdout is JSON: the base URL, and the environment that the suite needs to judge this server. Polls are
 * one-shot, as with the guest agent itself: once a command was reported as exited, its pid is forgotten. `Prefer` is
 * ignored, and each answer carries the X-RateLimit headers.
 */
import { randomUUID } from "node:crypto";
import { parseArgs } from "node:util";
import express from "express";

const PATH = "/api/v2/vps/:id/agent/exec";
const LIMIT = 600; // requests a key and minute
const WINDOW_MS = 60_000;

const keys = new Map([
  ["express-key-read-write", { account: "alice", scopes: ["read:vm", "write:vm"] }],
  ["express-key-read", { account: "alice", scopes: ["read:vm"] }],
]);

const fleet = new Map([
  [
    "vps_01k2express0000000000ready",
    {
      account: "alice",
      agent: { available: true, reason: null, vmRunning: true },
      commands: new Map([
        [3001, { exited: true, exitCode: 1, stdout: "", stderr: "ls: cannot access '/nope': No such file or directory\n" }],
        [3002, { exited: false }],
      ]),
    },
  ],
  [
    "vps_01k2express000000noagent",
    {
      account: "alice",
      agent: { available: false, reason: "QEMU Guest Agent is not installed.", vmRunning: true },
      commands: new Map(),
    },
  ],
  ["vps_01k2express000000foreign", { account: "bob", agent: { available: true }, commands: new Map() }],
]);

const env = {
  HOSTUP_API_KEY: "express-key-read-write",
  HOSTUP_READ_API_KEY: "express-key-read",
  HOSTUP_VPS_ID: "vps_01k2express0000000000ready",
  HOSTUP_UNAVAILABLE_VPS_ID: "vps_01k2express000000noagent",
  HOSTUP_FOREIGN_VPS_ID: "vps_01k2express000000foreign",
  HOSTUP_FINISHED_PID: "3001",
  HOSTUP_RUNNING_PID: "3002",
};

/** A request that is answered with a problem document. */
class Problem extends Error {
  constructor(status, code, title, detail, { errors, headers = {} } = {}) {
    super(detail);
    Object.assign(this, { status, code, title, detail, errors, headers });
  }
}

const invalid = (pointer, detail) =>
  new Problem(400, "invalid_request", "Invalid request", "The request failed validation.", {
    errors: [{ pointer, detail, code: "invalid_request" }],
  });
const unauthorized = () =>
  new Problem(401, "unauthorized", "Unauthorized", "Authentication is required.", {
    headers: { "WWW-Authenticate": 'Bearer realm="hostup"' },
  });
const forbidden = (scope) => new Problem(403, "forbidden", "Forbidden", `The API key lacks the scope ${scope}.`);
const notFound = (what) => new Problem(404, "not_found", "Not found", `${what} could not be found.`);

/** Count the request in its caller's window, tell the caller, and refuse what is too much. */
const windows = new Map();
function limitRate(req, res, next) {
  const caller = req.get("Authorization") ?? req.ip;
  const now = Date.now();
  let window = windows.get(caller);
  if (window === undefined || window.ends <= now) windows.set(caller, (window = { used: 0, ends: now + WINDOW_MS }));
  window.used += 1;
  res.set("X-RateLimit-Limit", String(LIMIT));
  res.set("X-RateLimit-Remaining", String(Math.max(0, LIMIT - window.used)));
  res.set("X-RateLimit-Reset", new Date(window.ends).toISOString());
  if (window.used > LIMIT) {
    throw new Problem(429, "rate_limit_exceeded", "Too many requests", "Retry after the limit resets.", {
      headers: { "Retry-After": String(Math.ceil((window.ends - now) / 1000)) },
    });
  }
  next();
}

/** Turn the bearer key into its caller. */
function authenticate(req, res, next) {
  const [, key] = /^Bearer +(\S+)$/i.exec(req.get("Authorization") ?? "") ?? [];
  res.locals.caller = keys.get(key);
  next(res.locals.caller ? undefined : unauthorized());
}

/** The pid of the query: undefined when omitted, refused when it is not one integer. */
function readPid(query) {
  if (query.pid === undefined) return undefined;
  if (typeof query.pid !== "string" || !/^-?\d+$/.test(query.pid)) throw invalid("/pid", "`pid` must be an integer.");
  return Number(query.pid);
}

const app = express();
app.disable("x-powered-by");
app.use(limitRate);

app.get(PATH, authenticate, (req, res) => {
  const { caller } = res.locals;
  const pid = readPid(req.query);
  const scope = pid === undefined ? "read:vm" : "write:vm";
  if (!caller.scopes.includes(scope)) throw forbidden(scope);
  const vps = fleet.get(req.params.id);
  if (vps?.account !== caller.account) throw notFound("The VPS");
  if (pid === undefined) return res.json(vps.agent);
  const output = vps.commands.get(pid);
  if (output === undefined) throw notFound("The command");
  if (output.exited && req.method === "GET") vps.commands.delete(pid); // a HEAD takes nothing away
  return res.json(output);
});

app.use((_req, _res) => {
  throw notFound("The path");
});

/** The last word on every error: a problem document that says nothing of the inside. */
app.use((error, req, res, _next) => {
  const known = error instanceof Problem ? error : error.status === 400 ? invalid("", "The path is malformed.") : undefined;
  const { status, code, title, detail, errors, headers } =
    known ?? new Problem(500, "internal_error", "Internal server error", "An unexpected error occurred.");
  if (known === undefined) console.error(error);
  const type = `https://developer.hostup.se/errors/${code}`;
  const instance = encodeURI(req.path).replace(/%25([0-9a-f]{2})/gi, "%$1"); // as sent, yet always a URI reference
  const stamp = { instance, requestId: `req_${randomUUID()}`, timestamp: new Date().toISOString() };
  res.status(status).set(headers).type("application/problem+json");
  res.send(JSON.stringify({ type, title, status, detail, code, ...stamp, errors }));
});

const { values } = parseArgs({ options: { port: { type: "string", default: "0" } } });
const server = app.listen(Number(values.port), "127.0.0.1", (error) => {
  if (error) throw error;
  console.log(JSON.stringify({ base_url: `http://127.0.0.1:${server.address().port}`, env }));
});
