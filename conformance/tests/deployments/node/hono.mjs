/** Hono on node: bearer middleware by hand, onError for problems, Hono's own text for unknown paths. */
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { port, scopes, vpss } from "./fixtures.mjs";

const codes = {
  400: ["invalid_request", "Invalid request"],
  401: ["unauthorized", "Unauthorized"],
  403: ["forbidden", "Forbidden"],
  404: ["not_found", "Not found"],
};
const app = new Hono();

app.onError((error, c) => {
  const status = error instanceof HTTPException ? error.status : 500;
  const [code, title] = codes[status] ?? ["internal_error", "Internal server error"];
  const body = {
    type: `https://developer.hostup.se/errors/${code}`,
    title,
    status,
    detail: status < 500 ? error.message : "An unexpected error occurred.",
    code,
    instance: c.req.path,
    requestId: `req_${crypto.randomUUID()}`,
    timestamp: new Date().toISOString(),
    errors: error.cause,
  };
  if (status === 401) c.header("WWW-Authenticate", 'Bearer realm="api"');
  c.header("Content-Type", "application/problem+json");
  return c.body(JSON.stringify(body), status);
});

app.use("/api/v2/*", async (c, next) => {
  const [scheme, key] = (c.req.header("Authorization") ?? "").split(" ");
  if (scheme.toLowerCase() !== "bearer" || !scopes.has(key)) {
    throw new HTTPException(401, { message: "Authentication is required." });
  }
  c.set("scopes", scopes.get(key));
  await next();
});

app.get("/api/v2/vps/:id/agent/exec", (c) => {
  const pid = c.req.query("pid");
  const scope = pid === undefined ? "read:vm" : "write:vm";
  if (!c.get("scopes").includes(scope)) throw new HTTPException(403, { message: `The scope ${scope} is required.` });
  const vps = vpss.get(c.req.param("id"));
  if (!vps) throw new HTTPException(404, { message: "No such VPS." });
  if (pid === undefined) return c.json(vps.agent);
  if (!/^\d+$/.test(pid)) {
    const cause = [{ pointer: "/pid", detail: "Expected an integer.", code: "invalid_request" }];
    throw new HTTPException(400, { message: "Validation failed.", cause });
  }
  const output = vps.commands.get(Number(pid));
  if (!output) throw new HTTPException(404, { message: "No such command." });
  if (output.exited) vps.commands.delete(Number(pid));
  return c.json(output);
});

serve({ fetch: app.fetch, port, hostname: "127.0.0.1" });
