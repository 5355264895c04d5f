/** Express 5: routes, an error handler for the problems, Express' own HTML for unknown paths. */
import { randomUUID } from "node:crypto";
import express from "express";
import { port, scopes, vpss } from "./fixtures.mjs";

class Problem extends Error {
  constructor(status, code, title, detail, errors) {
    super(detail);
    Object.assign(this, { status, code, title, errors });
  }
}

const app = express();

app.get("/api/v2/vps/:id/agent/exec", (req, res) => {
  const [, key] = /^Bearer (.+)$/i.exec(req.get("authorization") ?? "") ?? [];
  const granted = scopes.get(key);
  if (!granted) throw new Problem(401, "unauthorized", "Unauthorized", "Authentication is required.");
  const { pid } = req.query;
  const scope = pid === undefined ? "read:vm" : "write:vm";
  if (!granted.includes(scope)) throw new Problem(403, "forbidden", "Forbidden", `The scope ${scope} is missing.`);
  const vps = vpss.get(req.params.id);
  if (!vps) throw new Problem(404, "not_found", "Not found", "The VPS could not be found.");
  if (pid === undefined) return res.json(vps.agent);
  const number = Number(pid);
  if (!Number.isSafeInteger(number) || number <= 0) {
    const errors = [{ pointer: "/pid", detail: "`pid` must be a positive integer.", code: "invalid_request" }];
    throw new Problem(400, "invalid_request", "Invalid request", "The query failed validation.", errors);
  }
  const output = vps.commands.get(number);
  if (!output) throw new Problem(404, "not_found", "Not found", "The command could not be found.");
  if (output.exited) vps.commands.delete(number);
  res.json(output);
});

app.use((error, req, res, next) => {
  if (!(error instanceof Problem)) return next(error);
  const { status, code, title, message: detail, errors } = error;
  if (status === 401) res.set("WWW-Authenticate", "Bearer");
  res.status(status).type("application/problem+json").send(
    JSON.stringify({
      type: `https://developer.hostup.se/errors/${code}`,
      title,
      status,
      detail,
      code,
      instance: req.path,
      requestId: `req_${randomUUID()}`,
      timestamp: new Date().toISOString(),
      errors,
    }),
  );
});

app.listen(port, "127.0.0.1");
