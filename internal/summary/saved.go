package summary

import (
	"time"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// Version is that of the files that Save writes. It rises when an older reader would
// misunderstand a newer file; what is only added does not need it.
const Version = 1

// magic is what a saved summary begins with, so that it is told from a log by its content.
const magic = `{"mailwhy":"summary"`

// saved is a summary in a file. Its names are a promise: a summary is kept for years, and
// read by a newer program. Whatever has a name is saved by it, because numbers change.
type saved struct {
	Mailwhy    string             `json:"mailwhy"` // first: see magic
	Version    int                `json:"version"`
	Parts      int                `json:"parts,omitempty"`
	Coverage   savedCoverage      `json:"coverage"`
	Files      []savedFile        `json:"files"`
	Sessions   [2]savedSessions   `json:"sessions"`
	Messages   savedMessages      `json:"messages"`
	Deliveries map[string]savedBy `json:"deliveries"` // by direction
	Dropped    savedDropped       `json:"dropped"`
	Timeline   savedTimeline      `json:"timeline"`
	Replies    []savedReply       `json:"replies"`
	Causes     []savedCause       `json:"causes"`
	Peers      []savedPeer        `json:"peers"`
	Missed     int64              `json:"missed_at_most,omitempty"` // of any peer that is not among them
	Wordings   *[]savedWording    `json:"wordings,omitempty"`       // none: not counted
}

// savedBy is numbers by the names of outcomes, or of ends.
type savedBy map[string]int64

// savedCoverage is Coverage but for its files, field by field.
type savedCoverage struct {
	Lines       int64     `json:"lines"`
	Understood  int64     `json:"understood"`
	Foreign     int64     `json:"foreign"`
	Unknown     int64     `json:"unknown"`
	Bytes       int64     `json:"bytes"`
	Duplicate   int64     `json:"duplicate"`
	Cut         int64     `json:"cut"`
	First       time.Time `json:"first,omitzero"`
	Last        time.Time `json:"last,omitzero"`
	Guessed     int64     `json:"time_guessed"`
	Interrupted bool      `json:"interrupted,omitempty"`
	Redacted    bool      `json:"redacted,omitempty"`
}

type savedFile struct {
	Path        string        `json:"path"`
	Format      string        `json:"format,omitempty"`
	Compression string        `json:"compression,omitempty"`
	Coverage    savedCoverage `json:"coverage"`
	Error       string        `json:"error,omitempty"`
}

type savedSessions struct {
	Total int64   `json:"total"`
	Ended savedBy `json:"ended"`
}

// savedMessages is Messages, field by field.
type savedMessages struct {
	Received  int64 `json:"received"`
	Rejected  int64 `json:"rejected"`
	Sent      int64 `json:"sent"`
	Deferred  int64 `json:"deferred"`
	Bounced   int64 `json:"bounced"`
	Expired   int64 `json:"expired"`
	Discarded int64 `json:"discarded"`
	Queued    int64 `json:"queued"`
	Waiting   int64 `json:"queued_deferred"`
	Evicted   int64 `json:"evicted"`
}

// savedDropped is Dropped, field by field.
type savedDropped struct {
	Replies  int64 `json:"replies"`
	Causes   int64 `json:"causes"`
	Peers    int64 `json:"peers"`
	Sessions int64 `json:"sessions"`
	Wordings int64 `json:"wordings"`
}

type savedTimeline struct {
	Seconds int64         `json:"bucket_seconds"`
	Untimed int64         `json:"untimed"`
	Buckets []savedBucket `json:"buckets"`
}

type savedBucket struct {
	Start      int64   `json:"start"` // seconds since 1970 in UTC
	Deliveries savedBy `json:"deliveries"`
}

// savedRow is what a reply and a cause have in common.
type savedRow struct {
	Direction string            `json:"direction,omitempty"`
	Stage     string            `json:"stage,omitempty"`
	Code      smtp.Code         `json:"code,omitempty"`
	Enhanced  smtp.EnhancedCode `json:"enhanced_code,omitzero"`
	Cause     string            `json:"cause"`
	Severity  string            `json:"severity"`
	Entry     string            `json:"entry"`
	Count     int64             `json:"count"`
	First     time.Time         `json:"first,omitzero"`
	Last      time.Time         `json:"last,omitzero"`
}

type savedReply struct {
	savedRow
	Inferred bool `json:"inferred,omitempty"`
}

type savedCause struct {
	savedRow
	File       string           `json:"sample_file"`
	Line       int64            `json:"sample_line"`
	Text       string           `json:"sample_text"`
	Reply      string           `json:"reply,omitempty"`
	Hosts      map[string]int64 `json:"hosts"`                // "" has the rest
	Recipients []byte           `json:"recipients,omitempty"` // their hashes (XXH64), eight bytes each in big-endian order, sorted
	Sketch     []byte           `json:"sketch,omitempty"`     // a HyperLogLog of them where there are more
}

type savedPeer struct {
	Direction  string  `json:"direction,omitempty"`
	Name       string  `json:"name"`
	Deliveries savedBy `json:"deliveries"`
	Missed     int64   `json:"missed_at_most,omitempty"`
}

type savedWording struct {
	Direction string    `json:"direction,omitempty"`
	Cause     string    `json:"cause"`
	Hash      uint64    `json:"hash,string"` // XXH64 of all its words
	Text      string    `json:"text"`
	Sample    string    `json:"sample"`
	Count     int64     `json:"count"`
	First     time.Time `json:"first,omitzero"`
	Last      time.Time `json:"last,omitzero"`
}
