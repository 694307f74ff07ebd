package knowledge

import "strings"

// plurals chooses between the words of a phrase that go with a number: {n:line|lines} is line
// where the value of n is 1, and lines else. It stands beside the number: "{n} {n:line|lines}".
// A language whose words are the same with any number has no need of it.
func plurals(s, name, value string) string {
	open := "{" + name + ":"
	for {
		before, rest, ok := strings.Cut(s, open)
		if !ok {
			return s
		}
		choice, after, closed := strings.Cut(rest, "}")
		one, many, both := strings.Cut(choice, "|")
		if !closed || !both {
			return s // the test of the words refuses it
		}
		if value != "1" {
			one = many
		}
		s = before + one + after
	}
}
