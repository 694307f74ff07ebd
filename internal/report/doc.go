// Package report prints what was found. It is the only place that knows about terminals,
// Markdown, HTML, JSON and CSV, and the place where text out of a log, which strangers write,
// is made harmless for each of them.
package report
