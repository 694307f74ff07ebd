package alert

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/mailwhy/mailwhy/internal/filter"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// Rule is a table [[alert]] as its user writes it. It counts verdicts, as a report's causes
// do: lines that decide a recipient's fate, and lines that tell of a failure. One of
// AtLeast, Share and No says when it fires.
type Rule struct {
	Name string `toml:"name"`

	// Which lines count: all that is given must hold.
	Cause     List   `toml:"cause"`
	Outcome   List   `toml:"outcome"`
	Direction string `toml:"direction"`
	Code      List   `toml:"code"`     // 550, 5xx, 5.7.1, 5.7.x
	Severity  string `toml:"severity"` // this one or worse

	AtLeast   int    `toml:"at_least"`    // so many, Within
	Share     string `toml:"share"`       // so large a share, "20%", of at least OfAtLeast deliveries, Within
	OfAtLeast int    `toml:"of_at_least"` // 100 when left out
	Within    string `toml:"within"`
	No        List   `toml:"no"` // none of these outcomes, For so long
	For       string `toml:"for"`
	By        string `toml:"by"` // counted for each: provider, domain, host; none when left out

	HoldOff      string `toml:"hold_off"`      // 1h when left out
	ResolveAfter string `toml:"resolve_after"` // Within when left out; at once for No

	Run     List   `toml:"run"`     // a program and its arguments
	Shell   bool   `toml:"shell"`   // Run is for /bin/sh
	Webhook string `toml:"webhook"` // where JSON is posted to
	Header  List   `toml:"header"`  // of the post: "Authorization: Bearer ..."
}

// List is one text or several.
type List []string

// UnmarshalTOML takes "a" and ["a", "b"].
func (l *List) UnmarshalTOML(v any) error {
	switch v := v.(type) {
	case string:
		*l = List{v}
		return nil
	case []any:
		for _, item := range v {
			s, ok := item.(string)
			if !ok {
				return fmt.Errorf("%v is no text; put it in quotes", item)
			}
			*l = append(*l, s)
		}
		return nil
	}
	return fmt.Errorf("%v is neither a text in quotes nor a list of them", v)
}

const (
	// MaxRules bounds the rules; each line that may count is held against all of them.
	MaxRules = 64

	maxName       = 64 // bytes; names go into pages and mail subjects
	defaultSample = 100
	maxWithin     = 31 * 24 * time.Hour
	minWithin     = time.Second

	defaultHoldOff = time.Hour
)

// by is what a rule counts for each of.
type by uint8

const (
	byNone by = iota
	byProvider
	byDomain
	byHost
)

var byNames = []string{"none", "provider", "domain", "host"}

// rule is a Rule ready for use.
type rule struct {
	*Rule
	silence  bool
	outcomes uint // a bit each; 0: any
	causes   uint64
	codes    []filter.Code
	severity knowledge.Severity
	side     smtp.Direction
	by       by

	strangers bool // those whom our server refuses count

	share                          float64
	within, holdOff, resolve, mute time.Duration

	groups map[string]*group
	firing int
}

// Validate tells all that is wrong with a rule, and what to do about it.
func (r *Rule) Validate() error {
	_, err := compile(r)
	return err
}

// compile makes a rule ready for use.
func compile(in *Rule) (*rule, error) {
	c := &compiler{rule: rule{Rule: in, groups: map[string]*group{}}}
	c.name()
	c.conditions()
	c.when()
	c.actions()
	if c.wrong != nil {
		return nil, errors.Join(c.wrong...)
	}
	return &c.rule, nil
}

type compiler struct {
	rule
	wrong []error
}

func (c *compiler) errorf(field, format string, args ...any) {
	name := c.Name
	if len(name) > maxName {
		name = name[:maxName]
	}
	c.wrong = append(c.wrong, fmt.Errorf("alert %q: %s: %w", name, field, fmt.Errorf(format, args...)))
}

func (c *compiler) name() {
	switch {
	case c.Name == "":
		c.errorf("name", "it has none; give it one of its own")
	case len(c.Name) > maxName:
		c.errorf("name", "it has more than %d bytes; shorten it", maxName)
	case strings.ContainsFunc(c.Name, func(r rune) bool { return !unicode.IsGraphic(r) }):
		c.errorf("name", "it has characters that cannot be seen; use letters, digits and -")
	}
}

func (c *compiler) conditions() {
	for _, id := range c.Cause {
		cause, ok := knowledge.CauseByID(id)
		if !ok {
			c.errorf("cause", "%q is none; mailwhy causes lists them", id)
		}
		c.causes |= 1 << cause
	}
	c.outcomes = c.outcomesOf("outcome", c.Outcome)
	for _, code := range c.Code {
		parsed, err := filter.ParseCode(code)
		if err != nil {
			c.errorf("code", "%w", err)
		}
		c.codes = append(c.codes, parsed)
	}
	c.severity = named(c, "severity", c.Severity, knowledge.Info, knowledge.NumSeverities)
	c.side = named(c, "direction", c.Direction, smtp.Inbound, int(smtp.Internal)+1)
	c.strangers = c.side == smtp.Inbound || c.outcomes>>smtp.Rejected&1 != 0 || c.Severity == knowledge.Info.String()
	if c.By != "" {
		i := slices.Index(byNames, c.By)
		if i < 0 {
			c.errorf("by", "%q is none of %s", c.By, strings.Join(byNames, ", "))
		}
		c.by = by(max(i, 0))
	}
}

func (c *compiler) outcomesOf(field string, names []string) (set uint) {
	for _, name := range names {
		set |= 1 << named(c, field, name, smtp.Sent, smtp.NumOutcomes)
	}
	return set
}

// named finds one of the values from first on by its name.
func named[T interface {
	~uint8
	String() string
}](c *compiler, field, name string, first T, n int) T {
	if name == "" {
		return 0
	}
	var all []string
	for v := first; int(v) < n; v++ {
		if v.String() == name {
			return v
		}
		all = append(all, v.String())
	}
	c.errorf(field, "%q is none of %s", name, strings.Join(all, ", "))
	return 0
}

// when reads what makes the rule fire.
func (c *compiler) when() {
	ways := 0
	for _, given := range []bool{c.AtLeast != 0, c.Share != "", len(c.No) > 0} {
		if given {
			ways++
		}
	}
	if ways != 1 {
		c.errorf("when", `give one of at_least = 5 (with within = "10m"), share = "20%%" (with within = "1h"), no = "sent" (with for = "15m"); there are %d of them`, ways)
		return
	}
	c.holdOff = c.duration("hold_off", c.HoldOff, defaultHoldOff, 0)
	if len(c.No) > 0 {
		c.silenceRule()
		return
	}
	if c.Within == "" {
		c.errorf("within", `it is missing; say in what time, like within = "10m"`)
	}
	c.within = c.duration("within", c.Within, time.Minute, minWithin)
	c.resolve = c.duration("resolve_after", c.ResolveAfter, c.within, 0)
	if c.For != "" {
		c.errorf("for", `it goes with no = "sent"; with at_least and share it is within = %q`, c.For)
	}
	if c.Cause == nil && c.Outcome == nil && c.Code == nil && c.Severity == "" {
		c.errorf("cause", "nothing says what counts; give cause, outcome, code or severity")
	}
	if c.AtLeast < 0 {
		c.errorf("at_least", "%d is no count; give 1 or more", c.AtLeast)
	}
	if c.Share != "" {
		c.shareRule()
	} else if c.OfAtLeast != 0 {
		c.errorf("of_at_least", `it goes with share = "20%%"; take it out, or give share in place of at_least`)
	}
}

func (c *compiler) shareRule() {
	var err error
	if c.rule.share, err = ParseShare(c.Share); err != nil {
		c.errorf("share", "%w", err)
	} else if c.rule.share == 0 {
		c.errorf("share", "0%% is always reached; give more, or at_least = 1 for each single one")
	}
	if c.OfAtLeast < 0 {
		c.errorf("of_at_least", "%d is no count; give 1 or more", c.OfAtLeast)
	}
	if c.ofReceived() && c.by == byDomain {
		c.errorf("by", "a share of what comes in cannot be by domain: what came in is logged without its recipients; give host or provider")
	}
	if c.ofReceived() && c.outcomes&^(1<<smtp.Rejected) != 0 {
		c.errorf("outcome", "rejected is of what comes in, the others are of deliveries; make two alerts of it")
	}
}

func (c *compiler) silenceRule() {
	c.silence = true
	c.outcomes = c.outcomesOf("no", c.No)
	if c.For == "" {
		c.errorf("for", `it is missing; say how long it may be silent, like for = "15m"`)
	}
	c.mute = c.duration("for", c.For, time.Minute, minWithin)
	c.resolve = c.duration("resolve_after", c.ResolveAfter, 0, 0)
	for _, given := range []struct {
		field string
		is    bool
	}{
		{"within", c.Within != ""}, {"of_at_least", c.OfAtLeast != 0}, {"by", c.by != byNone}, {"outcome", c.Outcome != nil},
		{"cause", c.Cause != nil}, {"code", c.Code != nil}, {"severity", c.Severity != ""},
	} {
		if given.is {
			c.errorf(given.field, `it does not go with no = %q, which takes direction and for alone; take it out`, strings.Join(c.No, ", "))
		}
	}
}

func (c *compiler) actions() {
	switch {
	case c.Shell && len(c.Run) == 0:
		c.errorf("shell", `there is no run; give the shell something to run, or take shell out`)
	case len(c.Run) > 0 && strings.TrimSpace(c.Run[0]) == "":
		c.errorf("run", `it names no program; give one with its whole path`)
	case !c.Shell && len(c.Run) == 1 && strings.ContainsAny(c.Run[0], " |;&$<>"):
		c.errorf("run", `no shell takes %q apart; write a list, run = ["/path/program", "argument"], or set shell = true`, c.Run[0])
	}
	for _, word := range c.Run {
		if strings.ContainsRune(word, 0) {
			c.errorf("run", "a NUL byte cannot be handed to a program; take it out")
		}
	}
	if c.Webhook != "" {
		u, err := url.Parse(c.Webhook)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			c.errorf("webhook", "it is no URL; give one like https://hooks.example.com/mail") // it may be a secret: it is not shown
		}
	}
	for _, h := range c.Header {
		name, value, ok := strings.Cut(h, ":")
		if !ok || !isToken(name) || strings.ContainsAny(value, "\r\n\x00") {
			c.errorf("header", `give lines like "Authorization: Bearer ...", each a name, a colon and a value`)
		}
	}
	if len(c.Header) > 0 && c.Webhook == "" {
		c.errorf("header", "there is no webhook that it could be for; give one, or take header out")
	}
}

// isToken reports a name that a header may have (RFC 9110, section 5.6.2).
func isToken(s string) bool {
	for _, r := range s {
		if r <= ' ' || r >= 0x7F || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r) {
			return false
		}
	}
	return s != ""
}

// duration reads "90s", "10m", "1h30m", "1d".
func (c *compiler) duration(field, s string, without, least time.Duration) time.Duration {
	if s == "" {
		return without
	}
	d, err := time.ParseDuration(s)
	if days, ok := strings.CutSuffix(s, "d"); ok && err != nil {
		var n int
		n, err = strconv.Atoi(days)
		d = time.Duration(min(max(n, -1000), 1000)) * 24 * time.Hour
	}
	switch {
	case err != nil:
		c.errorf(field, `%q is no duration; give one like "90s", "10m", "1h" or "1d"`, s)
	case d < least || d > maxWithin:
		c.errorf(field, "%s is not from %s to %d days", s, least, maxWithin/(24*time.Hour))
	default:
		return d
	}
	return without
}

// ParseShare reads "20%", "0.5 %" or "0.2" as a part of one.
func ParseShare(s string) (float64, error) {
	number, percent := strings.CutSuffix(strings.TrimSpace(s), "%")
	f, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if percent {
		f /= 100
	}
	if err != nil || !(f >= 0 && f <= 1) {
		return 0, fmt.Errorf("%q is no share; give one from 0%% to 100%%, like 2%%", s)
	}
	return f, nil
}

// Sample is of how many deliveries a share is taken at least.
func (r *Rule) Sample() int { return cmp.Or(r.OfAtLeast, defaultSample) }

// Holds and Lasts are HoldOff and ResolveAfter, or what stands for them where they are left
// out.
func (r *Rule) Holds() string { return cmp.Or(r.HoldOff, "1h") }

// Lasts: see Holds.
func (r *Rule) Lasts() string { return cmp.Or(r.ResolveAfter, r.Within, "0s") }

// Program is what Run starts.
func (r *Rule) Program() string {
	if r.Shell {
		return "/bin/sh"
	}
	return r.Run[0]
}

// WebhookHost is where the webhook is, without what may be secret in its URL.
func (r *Rule) WebhookHost() string {
	u, err := url.Parse(r.Webhook)
	if err != nil {
		return ""
	}
	return u.Host
}

// Example is an alert that the rule might give, to try its actions with.
func (r *Rule) Example(now time.Time, resolved bool) *Alert {
	a := &Alert{Rule: r, Resolved: resolved, Time: now, Since: now, Count: int64(r.AtLeast)}
	c, err := compile(r)
	if err != nil {
		return a
	}
	a.Within = cmp.Or(c.within, c.mute)
	if resolved || c.silence {
		a.Since = now.Add(-a.Within)
	}
	if c.share > 0 {
		a.Of = int64(r.Sample())
		a.Count = int64(math.Ceil(c.share * float64(a.Of)))
	}
	if c.by != byNone {
		a.Group = "example.com"
	}
	return a
}
