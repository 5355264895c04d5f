/** Fastify: schemas for the parameters, hooks for the key, setErrorHandler; Fastify's own JSON for unknown paths. */
import Fastify from "fastify";
import { port, scopes, vpss } from "./fixtures.mjs";

const app = Fastify({ genReqId: () => `req_${crypto.randomUUID()}` });
const titles = {
  invalid_request: "Invalid request",
  unauthorized: "Unauthorized",
  forbidden: "Forbidden",
  not_found: "Not found",
  internal_error: "Internal server error",
};

function problem(statusCode, code, detail) {
  return Object.assign(new Error(detail), { statusCode, problem: code });
}

app.setErrorHandler((error, request, reply) => {
  const status = error.statusCode ?? 500;
  const code = error.problem ?? (status < 500 ? "invalid_request" : "internal_error");
  const body = {
    type: `https://developer.hostup.se/errors/${code}`,
    title: titles[code],
    status,
    detail: status < 500 ? error.message : "An unexpected error occurred.",
    code,
    instance: request.url.split("?")[0],
    requestId: request.id,
    timestamp: new Date().toISOString(),
  };
  if (error.validation) {
    body.errors = error.validation.map(({ instancePath, message }) => ({ pointer: instancePath, detail: message, code }));
  }
  if (status === 401) reply.header("WWW-Authenticate", "Bearer");
  reply.code(status).type("application/problem+json").send(JSON.stringify(body));
});

app.decorateRequest("scopes", null);

app.get(
  "/api/v2/vps/:id/agent/exec",
  {
    schema: { querystring: { type: "object", properties: { pid: { type: "integer", minimum: 1 } } } },
    onRequest: async (request) => {
      const [, key] = /^Bearer (.+)$/i.exec(request.headers.authorization ?? "") ?? [];
      request.scopes = scopes.get(key);
      if (!request.scopes) throw problem(401, "unauthorized", "Authentication is required.");
    },
  },
  async (request) => {
    const { pid } = request.query;
    const scope = pid === undefined ? "read:vm" : "write:vm";
    if (!request.scopes.includes(scope)) throw problem(403, "forbidden", `The API key lacks the scope ${scope}.`);
    const vps = vpss.get(request.params.id);
    if (!vps) throw problem(404, "not_found", "The VPS could not be found.");
    if (pid === undefined) return vps.agent;
    const output = vps.commands.get(pid);
    if (!output) throw problem(404, "not_found", "The command could not be found.");
    if (output.exited) vps.commands.delete(pid);
    return output;
  },
);

await app.listen({ port, host: "127.0.0.1" });
