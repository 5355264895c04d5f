/** hapi: an auth scheme, onPreResponse turns boom errors into problems, those of unknown paths included. */
import Hapi from "@hapi/hapi";
import { port, scopes, vpss } from "./fixtures.mjs";

const names = {
  400: "invalid_request",
  401: "unauthorized",
  403: "forbidden",
  404: "not_found",
  500: "internal_error",
};
const server = Hapi.server({ port, host: "127.0.0.1" });

class Refusal extends Error {
  constructor(status, message, errors) {
    super(message);
    Object.assign(this, { status, errors });
  }
}

server.ext("onPreResponse", ({ response, path, info }, h) => {
  if (!response.isBoom && !(response instanceof Refusal)) return h.continue;
  const status = response.status ?? response.output.statusCode;
  const code = names[status] ?? "invalid_request";
  const body = {
    type: `https://developer.hostup.se/errors/${code}`,
    title: code.replaceAll("_", " "),
    status,
    detail: status === 500 ? "An unexpected error occurred." : response.message,
    code,
    instance: path,
    requestId: `req_${info.id}`,
    timestamp: new Date().toISOString(),
    errors: status === 400 ? (response.errors ?? [{ pointer: "", detail: response.message, code }]) : undefined,
  };
  const reply = h.response(body).code(status).type("application/problem+json");
  return status === 401 ? reply.header("WWW-Authenticate", "Bearer") : reply;
});

function refuse(status, message, errors) {
  throw Object.assign(new Refusal(status, message, errors), {
    isBoom: true,
    output: { statusCode: status, headers: {}, payload: {} },
  });
}

server.route({
  method: "GET",
  path: "/api/v2/vps/{id}/agent/exec",
  handler(request) {
    const [, key] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "") ?? [];
    const granted = scopes.get(key) ?? refuse(401, "Authentication is required.");
    const { pid } = request.query;
    const scope = pid === undefined ? "read:vm" : "write:vm";
    if (!granted.includes(scope)) refuse(403, "The scope is missing.");
    const vps = vpss.get(request.params.id) ?? refuse(404, "No such VPS.");
    if (pid === undefined) return vps.agent;
    if (!/^\d{1,10}$/.test(pid)) {
      refuse(400, "Invalid pid.", [{ pointer: "/pid", detail: "an integer", code: "invalid_request" }]);
    }
    const output = vps.commands.get(Number(pid)) ?? refuse(404, "No such command.");
    if (output.exited && request.method === "get") vps.commands.delete(Number(pid));
    return output;
  },
});

await server.start();
