package report

import (
	"testing"

	"github.com/mailwhy/mailwhy/internal/knowledge"
)

// A point between thousands is Turkish, where a comma begins the decimals.
func TestNumbersByLanguage(t *testing.T) {
	for lang, want := range map[string][4]string{
		"en": {"1,234,567", "0.3", "100 %", "99.99 %"},
		"hi": {"1,234,567", "0.3", "100%", "99.99%"},
		"tr": {"1.234.567", "0,3", "%100", "%99,99"},
	} {
		w := knowledge.In(lang)
		if got := [4]string{count(w, 1234567), decimal(w, 0.3, 1), percent(w, 7, 7), percent(w, 999999, 1000000)}; got != want {
			t.Errorf("%s: %q, want %q", lang, got, want)
		}
	}
}

func TestUngrouped(t *testing.T) {
	for in, want := range map[string]string{"1,046": "1046", "1,234,567": "1234567", "7": "7", "a, b": "a, b", "": "", ",": ",", "550 5.7.1": "550 5.7.1"} {
		if got := ungrouped(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
