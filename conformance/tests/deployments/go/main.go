// Go's net/http with the patterns of its own router; unknown paths and methods get the router's plain text.
package main

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

type availability struct {
	Available bool    `json:"available"`
	Reason    *string `json:"reason"`
	VMRunning bool    `json:"vmRunning"`
}

type output struct {
	Exited   bool   `json:"exited"`
	ExitCode *int   `json:"exitCode,omitempty"`
	Stdout   string `json:"stdout,omitempty"`
	Stderr   string `json:"stderr,omitempty"`
}

type item struct {
	Pointer string `json:"pointer"`
	Detail  string `json:"detail"`
	Code    string `json:"code"`
}

type problem struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail"`
	Code      string `json:"code"`
	Instance  string `json:"instance"`
	RequestID string `json:"requestId"`
	Timestamp string `json:"timestamp"`
	Errors    []item `json:"errors,omitempty"`
}

type server struct {
	mu       sync.Mutex
	scopes   map[string][]string
	agents   map[string]availability
	vps      string
	commands map[int]output
}

func refuse(w http.ResponseWriter, r *http.Request, status int, code, title, detail string, errors ...item) {
	id := make([]byte, 13)
	rand.Read(id)
	w.Header().Set("Content-Type", "application/problem+json")
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(problem{
		"https://developer.hostup.se/errors/" + code, title, status, detail, code, r.URL.EscapedPath(),
		"req_" + hex.EncodeToString(id), time.Now().UTC().Format(time.RFC3339Nano), errors,
	})
}

func write(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(body)
}

func contains(scopes []string, scope string) bool {
	for _, s := range scopes {
		if s == scope {
			return true
		}
	}
	return false
}

func (s *server) exec(w http.ResponseWriter, r *http.Request) {
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	scopes, ok := s.scopes[key]
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		refuse(w, r, 401, "unauthorized", "Unauthorized", "Authentication is required.")
		return
	}
	query := r.URL.Query()
	scope := "read:vm"
	if query.Has("pid") {
		scope = "write:vm"
	}
	if !contains(scopes, scope) {
		refuse(w, r, 403, "forbidden", "Forbidden", "The API key lacks the scope "+scope+".")
		return
	}
	agent, ok := s.agents[r.PathValue("id")]
	if !ok {
		refuse(w, r, 404, "not_found", "Not found", "The VPS could not be found.")
		return
	}
	if !query.Has("pid") {
		write(w, agent)
		return
	}
	pid, err := strconv.Atoi(query.Get("pid"))
	if err != nil {
		refuse(w, r, 400, "invalid_request", "Invalid request", "The query failed validation.",
			item{"/pid", "`pid` must be an integer.", "invalid_request"})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out, ok := s.commands[pid]
	if !ok || r.PathValue("id") != s.vps {
		refuse(w, r, 404, "not_found", "Not found", "The command could not be found.")
		return
	}
	if out.Exited && r.Method == http.MethodGet {
		delete(s.commands, pid)
	}
	write(w, out)
}

func number(name string) int {
	n, err := strconv.Atoi(os.Getenv(name))
	if err != nil {
		log.Fatal(err)
	}
	return n
}

func main() {
	reason, zero := "The guest agent is not running.", 0
	s := &server{
		scopes: map[string][]string{
			os.Getenv("HOSTUP_API_KEY"):      {"read:vm", "write:vm"},
			os.Getenv("HOSTUP_READ_API_KEY"): {"read:vm"},
		},
		agents: map[string]availability{
			os.Getenv("HOSTUP_VPS_ID"):             {true, nil, true},
			os.Getenv("HOSTUP_UNAVAILABLE_VPS_ID"): {false, &reason, true},
		},
		vps: os.Getenv("HOSTUP_VPS_ID"),
		commands: map[int]output{
			number("HOSTUP_RUNNING_PID"):  {},
			number("HOSTUP_FINISHED_PID"): {Exited: true, ExitCode: &zero, Stdout: "go\n"},
		},
	}
	http.HandleFunc("GET /api/v2/vps/{id}/agent/exec", s.exec)
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
