// Package trace finds the life of a message in logs of any size: what was asked for may be
// its queue ID here or at the next server, its Message-ID, an address or a host.
//
// It does not parse the log. It looks for bytes: a line that does not hold a name that is
// followed cannot be about it, so only lines that do are parsed. Each such line may tell
// further names (the Message-ID, the next queue ID, the bounce made of it), which are looked
// for too, until no line tells a new one:
//
//	             ┌─▶ worker: blocks ──▶ lines with a name ──▶ parsed ┐
//	inputs ──────┤                                                   ├──▶ in order: legs, new names
//	   ▲         └─▶ worker: blocks ──▶ lines with a name ──▶ parsed ┘         │
//	   └──────────────── again, where the new names were not looked for ◀──────┘
//
// A leg is what one server had of a message under one queue ID. Legs are linked (link.go)
// into lives, and a life tells what became of each recipient (fate.go). What the server's
// processes said around it without its queue ID, as the connect line, is fetched last
// (around.go).
//
// The result is that of a search which parses all lines, as a test holds it to; so are
// the limits, which are counted and told.
package trace
