# Run a command in a VPS with Ruby's Net::HTTP.
require "erb"
require "json"
require "net/http"
require "time"
require "timeout"

DEADLINE = Process.clock_gettime(Process::CLOCK_MONOTONIC) + Float(ENV.fetch("HOSTUP_TIMEOUT", "300"))
PATH = "/api/v2/vps/#{ERB::Util.url_encode(ENV.fetch("HOSTUP_VPS_ID"))}/agent/exec"
BASE = URI(ENV.fetch("HOSTUP_BASE_URL").chomp("/"))

def call(request)
  left = DEADLINE - Process.clock_gettime(Process::CLOCK_MONOTONIC)
  abort "timed out; the command may still be running" if left <= 0
  request["Authorization"] = "Bearer #{ENV.fetch("HOSTUP_API_KEY")}"
  request["Accept"] = "application/json"
  request["User-Agent"] = "ruby-client/1.0"
  http = Net::HTTP.new(BASE.host, BASE.port, nil)
  http.use_ssl = BASE.scheme == "https"
  # Limits all of it: read_timeout would limit each read.
  response = Timeout.timeout(left) { http.start { http.request(request) } }
  if response.code == "429" && (after = response["Retry-After"])
    seconds = after =~ /\A\d+\z/ ? Integer(after, 10) : Time.httpdate(after) - Time.now
    abort "limited for #{seconds} seconds" if seconds > left
    sleep [seconds, 0.5].max + 0.01
    return call(request)
  end
  abort "status #{response.code}" unless response.code == "200"
  JSON.parse(response.body.force_encoding("UTF-8"))
end

availability = call(Net::HTTP::Get.new(BASE.path + PATH))
abort "commands cannot be run: #{availability["reason"]}" unless availability["available"] == true
start = Net::HTTP::Post.new(BASE.path + PATH, "Content-Type" => "application/json")
start.body = JSON.generate(command: ENV.fetch("HOSTUP_COMMAND").dup.force_encoding("UTF-8"))
pid = Integer(call(start).fetch("pid"))
until (output = call(Net::HTTP::Get.new("#{BASE.path}#{PATH}?pid=#{pid}")))["exited"] == true
  sleep 0.5
end
$stdout.binmode.write(output["stdout"])
$stderr.binmode.write(output["stderr"])
code = output["exitCode"]
exit!((0..255).cover?(code) ? code : 255) if $stdout.flush
