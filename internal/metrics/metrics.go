// Package metrics counts what a followed log tells and shows it to Prometheus. Its counts
// are those of the report: replies and recipients' fates as logged, causes by verdicts,
// sessions as they end.
//
// Strangers write into logs, and a label's every value is a series that a database keeps
// for ever. So labels come from closed lists alone: no address, no host, no domain. Of
// codes only those stand for themselves that the knowledge base has; the rest are "other".
// However these combine, there are no more than maxReplies series of replies, and what
// found no room is counted under "other" and told by mailwhy_replies_folded_total.
//
// Names and units follow https://prometheus.io/docs/practices/naming/.
package metrics

import (
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/session"
	"github.com/mailwhy/mailwhy/internal/summary"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

const (
	// maxScrapes is how many requests are answered at once; there are seldom two.
	maxScrapes = 4

	// scrapeTimeout bounds one answer. Prometheus itself waits 10 s unless told otherwise.
	scrapeTimeout = 10 * time.Second
)

// Metrics are the counts. Event and Session are for one goroutine at a time; Handler's
// requests may come at any time beside them.
type Metrics struct {
	registry *prometheus.Registry

	replies  replies
	messages family // by outcome
	failures family // by cause
	sessions family // by end
	delay    delays

	reloads    *prometheus.CounterVec
	reloadedAt prometheus.Gauge
}

// New returns metrics at zero. version is the program's; base is what codes are known by;
// health is asked at each scrape for how the following goes.
func New(version string, base *knowledge.Base, health func() Health) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		replies:  newReplies(base),
		messages: newFamily("messages_total", "Lines that decide a recipient's fate, as logged: a message to two recipients counts twice, and each time that it is deferred.",
			"outcome", names[smtp.Outcome](smtp.NumOutcomes), smtp.Inbound, smtp.Outbound, smtp.Internal),
		failures: newFamily("failures_total", "Verdicts that something went wrong, by cause, with a reply or without one (a timeout, an unknown domain).",
			"cause", names[knowledge.Cause](knowledge.NumCauses), smtp.Inbound, smtp.Outbound, smtp.Internal),
		sessions: newFamily("sessions_total", "SMTP sessions by how they ended.",
			"end", names[smtp.End](smtp.NumEnds), smtp.Inbound, smtp.Outbound),
		reloads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mailwhy_config_reloads_total", Help: "Times the configuration was read again while running.",
		}, []string{"result"}),
		reloadedAt: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "mailwhy_config_last_reload_success_timestamp_seconds", Help: "When the configuration was last read without a fault.",
		}),
	}
	for _, result := range []string{"success", "failure"} {
		m.reloads.WithLabelValues(result)
	}
	m.reloadedAt.SetToCurrentTime()
	m.registry.MustRegister(
		m.replies.counters, m.replies.folded, m.messages.counters, m.failures.counters, m.sessions.counters, &m.delay, m.reloads, m.reloadedAt,
		buildInfo(version), causeInfo(), following{health},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

// buildInfo is the usual series of value 1 whose labels tell the version.
func buildInfo(version string) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "mailwhy_build_info", Help: "1; the labels tell the version.",
		ConstLabels: prometheus.Labels{"version": version, "goversion": runtime.Version()},
	}, func() float64 { return 1 })
}

// causeInfo tells of each cause how bad it is and who can mend it, to be joined with:
//
//	... * on (cause) group_left (severity) mailwhy_cause_info{severity="critical"}
func causeInfo() prometheus.Collector {
	info := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "mailwhy_cause_info", Help: "1; the labels tell how bad a cause is where another server refuses our mail for it, and who can mend it.",
	}, []string{"cause", "severity", "actor"})
	for _, c := range knowledge.Causes() {
		info.WithLabelValues(c.ID(), c.Severity().String(), c.Actor().String()).Set(1)
	}
	return info
}

// Handler answers GET /metrics, in the text format or in OpenMetrics, as it is asked.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		MaxRequestsInFlight: maxScrapes, Timeout: scrapeTimeout, EnableOpenMetrics: true, ErrorHandling: promhttp.ContinueOnError,
	})
}

// Reloaded counts a reading of the configuration while running.
func (m *Metrics) Reloaded(err error) {
	if err != nil {
		m.reloads.WithLabelValues("failure").Inc()
		return
	}
	m.reloads.WithLabelValues("success").Inc()
	m.reloadedAt.SetToCurrentTime()
}

// Event counts what a line says. note is nil when it shows neither a reply nor a failure.
func (m *Metrics) Event(ev *smtp.Event, note *summary.Note) {
	n := float64(ev.Count())
	if ev.Decides() {
		m.messages.at(ev.Format, ev.Direction, uint8(ev.Outcome)).Add(n)
		if ev.Outcome == smtp.Sent && ev.Delay != smtp.NoDelay {
			m.delay.observe(ev.Delay, uint64(ev.Count()))
		}
	}
	if note == nil {
		return
	}
	if ev.Reply.Code != 0 {
		m.replies.at(reply{ev.Format, ev.Direction, ev.Stage, note.Cause, ev.Reply.Code, ev.Reply.Enhanced}).Add(n)
	}
	if ev.WentWrong() {
		m.failures.at(ev.Format, ev.Direction, uint8(note.Cause)).Add(n)
	}
}

// Session counts a session that ended. Where its QUIT was answered by the counts that
// Postfix logs and no line shows the reply, that 221 is counted too, as the report does;
// quit is what such a reply means.
func (m *Metrics) Session(s *session.Session, quit summary.Note) {
	m.sessions.at(s.Format, s.Direction, uint8(s.End)).Inc()
	if s.Graceful && s.Format != smtp.FormatTranscript {
		m.replies.at(reply{mta: s.Format, direction: s.Direction, stage: smtp.StageQUIT, code: 221, cause: quit.Cause}).Inc()
	}
}
