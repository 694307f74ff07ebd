package alert

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

const (
	commandTimeout = 30 * time.Second
	webhookTimeout = 10 * time.Second
	maxComplaint   = 512      // bytes that are told of what a program or a server said
	maxAnswer      = 64 << 10 // bytes of an answer that are read, so that the connection can be used again

	// A webhook is tried so often, with pauses that double. A receiver that is restarted is
	// back in that time; what is down for longer is down for somebody to see.
	maxTries   = 5
	firstPause = 2 * time.Second
	longPause  = time.Minute // the longest that a server's Retry-After is heeded
)

// Command runs a rule's program and waits for it, 30 seconds at most. The facts are in its
// environment, and nothing of the log is anywhere else: neither in an argument nor in a
// shell's text.
func Command(ctx context.Context, r *Rule, f *Facts) error {
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	args := []string(r.Run)
	if r.Shell {
		args = append([]string{r.Program(), "-c", args[0], "mailwhy"}, args[1:]...)
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), f.Environ()...)
	said := &head{}
	cmd.Stdout, cmd.Stderr = io.Discard, said
	cmd.WaitDelay = time.Second // a child of its own may hold stderr open
	alone(cmd)
	err := cmd.Run()
	switch {
	case err == nil || errors.Is(err, exec.ErrWaitDelay):
		return nil
	case ctx.Err() == context.DeadlineExceeded:
		return fmt.Errorf("%s: it ran for more than %s and was ended; let it do long work in the background", args[0], commandTimeout)
	case said.Len() > 0:
		return fmt.Errorf("%s: %w: %s", args[0], err, strings.TrimSpace(clean(said.String())))
	}
	return fmt.Errorf("%s: %w", args[0], err)
}

// head keeps the beginning of what is written to it.
type head struct{ bytes.Buffer }

func (h *head) Write(p []byte) (int, error) {
	h.Buffer.Write(p[:min(len(p), maxComplaint-h.Len())])
	return len(p), nil
}

// client follows no redirect: the post would become a GET, or go where nobody meant it to.
var client = &http.Client{
	Timeout:       webhookTimeout,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// Post posts the facts to a rule's webhook once. again tells whether it is worth trying once
// more, and after how long when the server says so.
func Post(ctx context.Context, r *Rule, f *Facts) (again bool, after time.Duration, err error) {
	body, err := json.Marshal(f)
	if err != nil {
		return false, 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.Webhook, bytes.NewReader(body))
	if err != nil {
		return false, 0, fmt.Errorf("webhook: it is no URL")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "mailwhy")
	for _, h := range r.Header {
		name, value, _ := strings.Cut(h, ":")
		req.Header.Set(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	res, err := client.Do(req)
	if err != nil {
		var whole *url.Error
		if errors.As(err, &whole) {
			err = whole.Err // without the URL, which may hold a secret
		}
		return true, 0, fmt.Errorf("webhook at %s: %w", req.URL.Host, err)
	}
	defer res.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if res.StatusCode/100 == 2 {
		return false, 0, nil
	}
	err = fmt.Errorf("webhook at %s: it answered %s", req.URL.Host, res.Status)
	if text := strings.TrimSpace(clean(string(answer[:min(len(answer), maxComplaint)]))); text != "" {
		err = fmt.Errorf("%w: %s", err, text)
	}
	again = res.StatusCode >= 500 || res.StatusCode == http.StatusTooManyRequests || res.StatusCode == http.StatusRequestTimeout
	if seconds, wrong := strconv.Atoi(res.Header.Get("Retry-After")); wrong == nil && seconds > 0 {
		after = min(time.Duration(min(seconds, 3600))*time.Second, longPause)
	}
	return again, after, err
}

// post tries a webhook until it takes the facts or it is no use. hurry ends the pauses
// between the tries: there is one more then.
func post(ctx context.Context, hurry <-chan struct{}, r *Rule, f *Facts, pause time.Duration) error {
	for try := 1; ; try++ {
		again, after, err := Post(ctx, r, f)
		if err == nil || !again || try >= maxTries {
			return err
		}
		select {
		case <-hurry:
			if _, _, err = Post(ctx, r, f); err != nil {
				return err
			}
			return nil
		case <-time.After(max(pause, after)):
		}
		pause *= 2
	}
}
