# Sinatra behind Puma: halt with a problem, Sinatra's own page for what it does not know.
require "json"
require "securerandom"
require "sinatra/base"
require "time"

class Agent < Sinatra::Base
  set :show_exceptions, false
  set :environment, :production
  set :host_authorization, { permitted_hosts: [] }

  SCOPES = {
    ENV.fetch("HOSTUP_API_KEY") => %w[read:vm write:vm],
    ENV.fetch("HOSTUP_READ_API_KEY") => %w[read:vm]
  }.freeze
  AGENTS = {
    ENV.fetch("HOSTUP_VPS_ID") => { available: true, reason: nil, vmRunning: true },
    ENV.fetch("HOSTUP_UNAVAILABLE_VPS_ID") => { available: false, reason: "Guest agent is off", vmRunning: true }
  }.freeze
  COMMANDS = {
    ENV.fetch("HOSTUP_RUNNING_PID").to_i => { exited: false },
    ENV.fetch("HOSTUP_FINISHED_PID").to_i => { exited: true, exitCode: 0, stdout: "ruby\n", stderr: "" }
  }

  helpers do
    def problem(status, code, title, detail, **more)
      headers "WWW-Authenticate" => "Bearer" if status == 401
      content_type "application/problem+json"
      halt status, {
        type: "https://developer.hostup.se/errors/#{code}", title: title, status: status, detail: detail, code: code,
        instance: request.env["REQUEST_PATH"] || request.path, requestId: "req_#{SecureRandom.hex(13)}",
        timestamp: Time.now.utc.iso8601(3), **more
      }.to_json
    end
  end

  error do
    problem 500, "internal_error", "Internal server error", "An unexpected error occurred."
  end

  get "/api/v2/vps/:id/agent/exec" do
    scheme, key = request.env["HTTP_AUTHORIZATION"].to_s.split(" ", 2)
    scopes = SCOPES[key] if scheme.to_s.casecmp?("bearer")
    problem 401, "unauthorized", "Unauthorized", "Authentication is required." unless scopes
    scope = params.key?("pid") ? "write:vm" : "read:vm"
    problem 403, "forbidden", "Forbidden", "The scope #{scope} is required." unless scopes.include?(scope)
    agent = AGENTS[params["id"]]
    problem 404, "not_found", "Not found", "The VPS could not be found." unless agent
    content_type :json
    next agent.to_json unless params.key?("pid")
    pid = Integer(params["pid"].to_s, 10, exception: false)
    unless pid
      problem 400, "invalid_request", "Invalid request", "The query failed validation.",
              errors: [{ pointer: "/pid", detail: "must be an integer", code: "invalid_request" }]
    end
    output = COMMANDS[pid] if agent[:available]
    problem 404, "not_found", "Not found", "The command could not be found." unless output
    COMMANDS.delete(pid) if output[:exited] && request.get?
    output.to_json
  end
end
