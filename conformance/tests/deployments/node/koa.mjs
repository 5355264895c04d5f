/** Koa with its router: one middleware catches what is thrown and writes problems; 405 comes from allowedMethods. */
import Router from "@koa/router";
import Koa from "koa";
import { port, scopes, vpss } from "./fixtures.mjs";

const names = {
  400: ["invalid_request", "Invalid request"],
  401: ["unauthorized", "Unauthorized"],
  403: ["forbidden", "Forbidden"],
  404: ["not_found", "Not found"],
};

async function problems(ctx, next) {
  try {
    await next();
  } catch (error) {
    const status = error.expose ? error.status : 500;
    const [code, title] = names[status] ?? ["internal_error", "Internal server error"];
    ctx.status = status;
    if (status === 401) ctx.set("WWW-Authenticate", "Bearer");
    ctx.body = {
      type: `https://developer.hostup.se/errors/${code}`,
      title,
      status,
      detail: error.expose ? error.message : "An unexpected error occurred.",
      code,
      instance: ctx.path,
      requestId: `req_${crypto.randomUUID()}`,
      timestamp: new Date().toISOString(),
      errors: error.errors,
    };
    ctx.type = "application/problem+json";
  }
}

const router = new Router({ prefix: "/api/v2" });
router.get("/vps/:id/agent/exec", (ctx) => {
  const [, key] = ctx.get("Authorization").match(/^Bearer\s+(\S+)$/i) ?? [];
  const granted = scopes.get(key) ?? ctx.throw(401, "Authentication is required.");
  const { pid } = ctx.query;
  const scope = pid === undefined ? "read:vm" : "write:vm";
  ctx.assert(granted.includes(scope), 403, "The caller lacks a required scope.");
  const vps = vpss.get(ctx.params.id);
  ctx.assert(vps, 404, "The VPS could not be found.");
  if (pid === undefined) {
    ctx.body = vps.agent;
    return;
  }
  const errors = [{ pointer: "/pid", detail: "`pid` must be an integer.", code: "invalid_request" }];
  ctx.assert(/^[0-9]+$/.test(pid), 400, "Validation failed.", { errors });
  const output = vps.commands.get(parseInt(pid, 10));
  ctx.assert(output, 404, "The command could not be found.");
  if (output.exited && ctx.method === "GET") vps.commands.delete(parseInt(pid, 10));
  ctx.body = output;
});

new Koa().use(problems).use(router.routes()).use(router.allowedMethods()).listen(port, "127.0.0.1");
