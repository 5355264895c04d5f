// The JDK's own server in one source file, as `java Server.java` runs it.
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

public class Server {
  static final Map<String, String> ENV = System.getenv();
  static final Pattern PATH = Pattern.compile("/api/v2/vps/([^/]+)/agent/exec");
  static final Map<String, List<String>> SCOPES = Map.of(
      ENV.get("HOSTUP_API_KEY"), List.of("read:vm", "write:vm"), ENV.get("HOSTUP_READ_API_KEY"), List.of("read:vm"));
  static final Map<String, String> AGENTS = Map.of(
      ENV.get("HOSTUP_VPS_ID"), "{\"available\": true, \"reason\": null, \"vmRunning\": true}",
      ENV.get("HOSTUP_UNAVAILABLE_VPS_ID"), "{\"available\": false, \"reason\": \"Stopped\", \"vmRunning\": false}");
  static final Map<Integer, String> COMMANDS = new ConcurrentHashMap<>(Map.of(
      Integer.valueOf(ENV.get("HOSTUP_RUNNING_PID")), "{\"exited\": false}",
      Integer.valueOf(ENV.get("HOSTUP_FINISHED_PID")), "{\"exited\": true, \"exitCode\": 0, \"stdout\": \"java\\n\"}"));

  static void problem(HttpExchange exchange, int status, String code, String title, String detail, String errors)
      throws IOException {
    exchange.getResponseHeaders().set("Content-Type", "application/problem+json");
    if (status == 401) {
      exchange.getResponseHeaders().set("WWW-Authenticate", "Bearer");
    }
    if (status == 405) {
      exchange.getResponseHeaders().set("Allow", "GET, HEAD");
    }
    send(exchange, status, """
        {"type": "https://developer.hostup.se/errors/%1$s", "title": "%2$s", "status": %3$d, "detail": "%4$s",
         "code": "%1$s", "instance": "%5$s", "requestId": "req_%6$s", "timestamp": "%7$s"%8$s}
        """.formatted(code, title, status, detail, exchange.getRequestURI().getRawPath(), UUID.randomUUID(),
        Instant.now(), errors == null ? "" : ", \"errors\": " + errors));
  }

  static void send(HttpExchange exchange, int status, String text) throws IOException {
    byte[] body = text.getBytes(StandardCharsets.UTF_8);
    if (exchange.getRequestMethod().equals("HEAD")) {
      exchange.sendResponseHeaders(status, -1);
    } else {
      exchange.sendResponseHeaders(status, body.length);
      exchange.getResponseBody().write(body);
    }
    exchange.close();
  }

  static String pid(String query) {
    for (String pair : query == null ? new String[0] : query.split("&")) {
      String[] parts = pair.split("=", 2);
      if (URLDecoder.decode(parts[0], StandardCharsets.UTF_8).equals("pid")) {
        return parts.length == 2 ? URLDecoder.decode(parts[1], StandardCharsets.UTF_8) : "";
      }
    }
    return null;
  }

  static void handle(HttpExchange exchange) throws IOException {
    Matcher path = PATH.matcher(exchange.getRequestURI().getPath());
    if (!path.matches()) {
      problem(exchange, 404, "not_found", "Not found", "There is nothing here.", null);
      return;
    }
    if (!List.of("GET", "HEAD").contains(exchange.getRequestMethod())) {
      problem(exchange, 405, "method_not_allowed", "Method not allowed", "Use GET.", null);
      return;
    }
    String authorization = exchange.getRequestHeaders().getFirst("Authorization");
    String[] parts = authorization == null ? new String[0] : authorization.split(" ", 2);
    List<String> scopes = parts.length == 2 && parts[0].equalsIgnoreCase("Bearer") ? SCOPES.get(parts[1]) : null;
    if (scopes == null) {
      problem(exchange, 401, "unauthorized", "Unauthorized", "Authentication is required.", null);
      return;
    }
    String pid = pid(exchange.getRequestURI().getRawQuery());
    if (!scopes.contains(pid == null ? "read:vm" : "write:vm")) {
      problem(exchange, 403, "forbidden", "Forbidden", "A scope is missing.", null);
      return;
    }
    String agent = AGENTS.get(path.group(1));
    if (agent == null) {
      problem(exchange, 404, "not_found", "Not found", "The VPS could not be found.", null);
      return;
    }
    exchange.getResponseHeaders().set("Content-Type", "application/json");
    if (pid == null) {
      send(exchange, 200, agent);
      return;
    }
    int number;
    try {
      number = Integer.parseInt(pid);
    } catch (NumberFormatException e) {
      problem(exchange, 400, "invalid_request", "Invalid request", "The query failed validation.",
          "[{\"pointer\": \"/pid\", \"detail\": \"must be an integer\", \"code\": \"invalid_request\"}]");
      return;
    }
    String output = path.group(1).equals(ENV.get("HOSTUP_VPS_ID")) ? COMMANDS.get(number) : null;
    if (output == null) {
      problem(exchange, 404, "not_found", "Not found", "The command could not be found.", null);
      return;
    }
    if (output.contains("\"exited\": true") && exchange.getRequestMethod().equals("GET")) {
      COMMANDS.remove(number);
    }
    send(exchange, 200, output);
  }

  public static void main(String[] args) throws IOException {
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(ENV.get("PORT"))), 0);
    server.createContext("/", Server::handle);
    server.setExecutor(Executors.newFixedThreadPool(8));
    server.start();
  }
}
