// Package alert tells when what a log shows calls for somebody: a cause that is met too
// often, too large a share of deliveries that fail, or no delivery at all. A rule is a
// table [[alert]] of the configuration. The Engine counts for it and says when it begins to
// hold and when that is over; the Runner runs its command and posts to its webhook.
//
// An alert is told once as it begins and once when it is over. It is over when the rule
// has not held for resolve_after, and is not told again before hold_off has passed, lest
// what comes and goes wakes somebody each time.
//
// Time is the log's while old lines are read, and nothing is told of that time: what is
// over is nobody's alarm, and what still holds is told once all has been read. After that,
// lines count when they are read, so that a log whose stamps are in another zone than was
// thought is still watched rightly.
package alert
