/** Nothing but node:http and URL. */
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { port, scopes, vpss } from "./fixtures.mjs";

const PATH = /^\/api\/v2\/vps\/([^/]+)\/agent\/exec$/;

function handle(request, url) {
  const match = PATH.exec(url.pathname);
  if (!match) return [404, "not_found", "Not found", "There is nothing here."];
  if (!["GET", "HEAD"].includes(request.method)) return [405, "method_not_allowed", "Method not allowed", "Use GET."];
  const [, key] = /^bearer\s+(.+)$/i.exec(request.headers.authorization ?? "") ?? [];
  const granted = scopes.get(key);
  if (!granted) return [401, "unauthorized", "Unauthorized", "Authentication is required."];
  const pid = url.searchParams.get("pid");
  if (!granted.includes(pid === null ? "read:vm" : "write:vm")) {
    return [403, "forbidden", "Forbidden", "The caller lacks a required scope."];
  }
  let id;
  try {
    id = decodeURIComponent(match[1]);
  } catch {
    return [400, "invalid_request", "Invalid request", "The id is malformed."];
  }
  const vps = vpss.get(id);
  if (!vps) return [404, "not_found", "Not found", "The VPS could not be found."];
  if (pid === null) return [200, vps.agent];
  if (!/^[1-9][0-9]*$/.test(pid)) {
    const errors = [{ pointer: "/pid", detail: "`pid` must be an integer.", code: "invalid_request" }];
    return [400, "invalid_request", "Invalid request", "The query failed validation.", errors];
  }
  const output = vps.commands.get(Number(pid));
  if (!output) return [404, "not_found", "Not found", "The command could not be found."];
  if (output.exited && request.method === "GET") vps.commands.delete(Number(pid));
  return [200, output];
}

createServer((request, response) => {
  const url = new URL(request.url, "http://localhost");
  const [status, code, title, detail, errors] = handle(request, url);
  const headers = { "Content-Type": status === 200 ? "application/json" : "application/problem+json" };
  if (status === 401) headers["WWW-Authenticate"] = "Bearer";
  if (status === 405) headers.Allow = "GET, HEAD";
  const body = status === 200 ? code : {
    type: `https://developer.hostup.se/errors/${code}`,
    title,
    status,
    detail,
    code,
    instance: url.pathname,
    requestId: `req_${randomUUID()}`,
    timestamp: new Date().toISOString(),
    errors,
  };
  response.writeHead(status, headers).end(JSON.stringify(body));
}).listen(port, "127.0.0.1");
