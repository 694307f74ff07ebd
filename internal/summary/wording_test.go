package summary

import "testing"

// What differs from line to line is not part of a wording, and what says something else is
// another one.
func TestWording(t *testing.T) {
	for _, same := range [][2]string{
		{"550 5.1.1 <anna@example.com>: Recipient address rejected: User unknown", "550 5.1.1 <ben99@example.org>: Recipient address rejected: User unknown"},
		{"connect to mx1.example.net[192.0.2.1]:25: Connection timed out", "connect to other.example.com[2001:db8::1]:25: Connection timed out"},
		{"451 4.7.500 Server busy. Please try again later from [192.0.2.10]. (S77714) [AM4EUR05FT009 8A36C4]", "451 4.7.500 Server busy. Please try again later from [192.0.2.11]. (S77719) [DB3EUR04FT012 F0]"},
		{"retry time not reached for any host for 'a.example'", "retry time not reached for any host for 'b-c.example.org'"},
	} {
		if WordingOf([]byte(same[0])) != WordingOf([]byte(same[1])) {
			t.Errorf("%q and %q are two", AppendWording(nil, []byte(same[0])), AppendWording(nil, []byte(same[1])))
		}
	}
	if WordingOf([]byte("Connection timed out")) == WordingOf([]byte("Connection refused")) {
		t.Error("two are one")
	}
}
