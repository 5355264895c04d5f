// Run HOSTUP_COMMAND in a VPS, print its output, and exit with its exit code. It needs Go 1.21, and nothing else.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

type reply struct {
	Available bool    `json:"available"`
	Reason    *string `json:"reason"`
	Pid       int64   `json:"pid"`
	Exited    bool    `json:"exited"`
	ExitCode  *int64  `json:"exitCode"`
	Stdout    string  `json:"stdout"`
	Stderr    string  `json:"stderr"`
}

// status is that of a response other than 200.
type status int

func (code status) Error() string { return fmt.Sprintf("status %d", int(code)) }

// net/http would take the command along to any host, though not the key.
var client = &http.Client{
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// call sends a request; it waits and repeats it where the server asks for that.
func call(ctx context.Context, method, target string, body any) (*reply, error) {
	var content []byte
	if body != nil {
		content, _ = json.Marshal(body)
	}
	for {
		request, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(content))
		if err != nil {
			return nil, err
		}
		request.Header.Set("Authorization", "Bearer "+os.Getenv("HOSTUP_API_KEY"))
		request.Header.Set("Accept", "application/json")
		request.Header.Set("User-Agent", "example-client/1.0")
		if body != nil {
			request.Header.Set("Content-Type", "application/json")
		}
		response, err := client.Do(request)
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			return nil, err
		}
		after, code := response.Header.Get("Retry-After"), response.StatusCode
		if (code == 429 || code == 503) && after != "" { // nothing was carried out
			select {
			case <-time.After(pause(after)):
				continue
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		if code != 200 {
			return nil, status(code)
		}
		var decoded reply
		return &decoded, json.Unmarshal(text, &decoded)
	}
}

func pause(retryAfter string) time.Duration {
	wait := time.Minute
	if seconds, err := strconv.Atoi(retryAfter); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if date, err := http.ParseTime(retryAfter); err == nil {
		wait = time.Until(date)
	}
	return max(wait, 500*time.Millisecond) + 10*time.Millisecond
}

// poll returns the output once the command has ended. A response that is lost says nothing, so it polls on.
func poll(ctx context.Context, target string) (*reply, error) {
	for {
		output, err := call(ctx, "GET", target, nil)
		if code, refused := err.(status); ctx.Err() != nil || refused && code < 500 {
			return nil, err
		}
		if err == nil && output.Exited {
			return output, nil
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "polling on after:", err)
		}
		time.Sleep(500 * time.Millisecond)
	}
}

func fail(message any) {
	fmt.Fprintln(os.Stderr, message)
	os.Exit(1)
}

func main() {
	seconds, err := strconv.ParseFloat(os.Getenv("HOSTUP_TIMEOUT"), 64)
	if err != nil {
		seconds = 300
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(seconds*float64(time.Second)))
	defer cancel()
	base, id := strings.TrimSuffix(os.Getenv("HOSTUP_BASE_URL"), "/"), os.Getenv("HOSTUP_VPS_ID")
	target := base + "/api/v2/vps/" + url.PathEscape(id) + "/agent/exec"

	availability, err := call(ctx, "GET", target, nil)
	if err != nil {
		fail(err)
	}
	if !availability.Available {
		fail("commands cannot be run")
	}
	started, err := call(ctx, "POST", target, map[string]string{"command": os.Getenv("HOSTUP_COMMAND")})
	if err != nil {
		fail(err)
	}
	if started.Pid < 1 {
		fail("the start named no pid")
	}
	output, err := poll(ctx, fmt.Sprintf("%s?pid=%d", target, started.Pid))
	if err != nil {
		fail(err)
	}
	io.WriteString(os.Stdout, output.Stdout)
	io.WriteString(os.Stderr, output.Stderr)
	if output.ExitCode == nil || *output.ExitCode < 0 || *output.ExitCode > 255 {
		os.Exit(255)
	}
	os.Exit(int(*output.ExitCode))
}
