// Package incident finds the windows in which something was abnormal, and gathers what a
// report of them needs. It reads the events once, in order, and its memory has a bound that
// does not grow with the log: what is counted is kept by the minute, and what went wrong
// line by line, until there is too much of it; what had to be given up then is counted.
//
// What is normal the log itself says: each cause is held against its own share and rate in
// the rest of the log. So an incident is where much more went wrong than there by chance,
// and a log that is alike from end to end has none.
package incident
