// Run a command in a VPS with Go's net/http.
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

var client = &http.Client{
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

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
		request.Header.Set("User-Agent", "go-client/1.0")
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
		if after := response.Header.Get("Retry-After"); response.StatusCode == 429 && after != "" {
			select {
			case <-time.After(pause(after)):
				continue
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		if response.StatusCode != 200 {
			return nil, fmt.Errorf("%s: %s", method, response.Status)
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
	target := strings.TrimSuffix(os.Getenv("HOSTUP_BASE_URL"), "/") + "/api/v2/vps/" + url.PathEscape(os.Getenv("HOSTUP_VPS_ID")) + "/agent/exec"

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
	poll := fmt.Sprintf("%s?pid=%d", target, started.Pid)
	output, err := call(ctx, "GET", poll, nil)
	for err == nil && !output.Exited {
		time.Sleep(500 * time.Millisecond)
		output, err = call(ctx, "GET", poll, nil)
	}
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
