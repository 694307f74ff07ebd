package smtp

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParseCode(t *testing.T) {
	for text, want := range map[string]Code{
		"250":         250,
		"250 OK":      250,
		"250-size":    250,
		"550:no":      550,
		"200":         200,
		"699 strange": 699,
		"999":         999,
		"":            0,
		"25":          0,
		"2500":        0,
		"199 no":      0,
		"099":         0,
		" 250":        0,
		"25O":         0,
		"2 0":         0,
		"２５０":         0,
		"4.7.1":       0,
	} {
		if got := ParseCode([]byte(text)); got != want {
			t.Errorf("ParseCode(%q) = %d, want %d", text, got, want)
		}
	}
}

func TestCodeClass(t *testing.T) {
	for code := range Code(1000) {
		class := int(code) / 100
		if code.Class() != class || code.Positive() != (class == 2 || class == 3) ||
			code.Transient() != (class == 4) || code.Permanent() != (class == 5) {
			t.Fatalf("%d: class %d, positive %v, transient %v, permanent %v",
				code, code.Class(), code.Positive(), code.Transient(), code.Permanent())
		}
		if code >= 200 && (ParseCode([]byte(code.String())) != code) {
			t.Fatalf("%d does not survive String and ParseCode", code)
		}
	}
	if Code(0).String() != "" {
		t.Error("no code has a name")
	}
}

func TestParseEnhanced(t *testing.T) {
	for text, want := range map[string]string{
		"5.1.1":            "5.1.1",
		"5.1.1 no such":    "5.1.1",
		"5.1.1: no such":   "5.1.1",
		"5.1.1, no such":   "5.1.1",
		"4.7.1.":           "4.7.1",
		"4.7.1. Try later": "4.7.1",
		"4.7.1.x":          "4.7.1",
		"2.0.0":            "2.0.0",
		"5.7.509 DMARC":    "5.7.509",
		"4.123.456":        "4.123.456",
		"":                 "",
		"5.1":              "",
		"5.1.":             "",
		"5..1":             "",
		"5.1.1.1":          "", // an address
		"5.1.1beta":        "", // a version
		"5.1.1234":         "",
		"5.1234.1":         "",
		"5.01.1":           "",
		"5.1.01":           "",
		"5.00.0":           "",
		"1.2.3":            "",
		"3.2.3":            "",
		"6.2.3":            "",
		"55.1.1":           "",
		" 5.1.1":           "",
		"5.1.1\xc3\xa9":    "5.1.1",
	} {
		e, n := ParseEnhanced([]byte(text))
		if e.String() != want || n != len(want) || e.IsZero() != (want == "") {
			t.Errorf("ParseEnhanced(%q) = %q and %d, want %q", text, e, n, want)
		}
		if got := string(e.Append([]byte("dsn="))); got != "dsn="+want {
			t.Errorf("Append(%q) = %q", want, got)
		}
	}
}

func TestParseReply(t *testing.T) {
	for _, c := range []struct {
		text     string
		code     Code
		enhanced string
	}{
		{"550 5.1.1 no such user", 550, "5.1.1"},
		{"550-5.1.1 no such user", 550, "5.1.1"},
		{"550\t5.1.1", 550, "5.1.1"},
		{"550  \t 5.1.1", 550, "5.1.1"},
		{"550", 550, ""},
		{"550 ", 550, ""},
		{"550-", 550, ""},
		{"250 OK id=1abcde-000", 250, ""},
		{"450 Greylisted (4.7.1)", 450, ""}, // RFC 2034: it stands right behind the code or it is none
		{"4.7.1 Service unavailable - try again later", 0, "4.7.1"},
		{"550 192.0.2.1 refused", 550, ""},
		{"550 5.1.1.1 refused", 550, ""},
		{"550:5.1.1", 0, ""},
		{"550x", 0, ""},
		{"5500 5.1.1", 0, ""},
		{"150 5.1.1", 0, ""},
		{"timed out", 0, ""},
		{"", 0, ""},
	} {
		r := ParseReply([]byte(c.text))
		if r.Code != c.code || r.Enhanced.String() != c.enhanced || string(r.Text) != c.text {
			t.Errorf("ParseReply(%q) = %d, %q, %q; want %d, %q", c.text, r.Code, r.Enhanced, r.Text, c.code, c.enhanced)
		}
	}
	if ParseReply(nil).Text != nil {
		t.Error("no text became one that is shown as empty")
	}
}

func FuzzReply(f *testing.F) {
	for _, s := range []string{"550 5.1.1 no", "250-OK", "4.7.1 later", "550 5.1.1.1", "5.1.1beta", "220", "999 2.999.999", ""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r := ParseReply(text)
		if !bytes.Equal(r.Text, text) {
			t.Fatalf("text %q became %q", text, r.Text)
		}
		rest := text
		if r.Code != 0 {
			if r.Code < 200 || r.Code > 999 || !bytes.HasPrefix(text, []byte(r.Code.String())) {
				t.Fatalf("code %d of %q", r.Code, text)
			}
			rest = bytes.TrimLeft(text[min(4, len(text)):], " \t")
		}
		if e := r.Enhanced; !e.IsZero() {
			if c := e[0]; c != 2 && c != 4 && c != 5 || e[1] > 999 || e[2] > 999 {
				t.Fatalf("enhanced code %s of %q", e, text)
			}
			if !bytes.HasPrefix(rest, []byte(e.String())) {
				t.Fatalf("enhanced code %s does not stand where it should in %q", e, text)
			}
		}
		EachCommand(text, func(name []byte, ok, all int) {
			if len(name) == 0 || ok < 0 || all < 0 {
				t.Fatalf("%q=%d/%d of %q", name, ok, all, text)
			}
		})
		for _, name := range []string{"quit", "data"} {
			wantOK, wantAll, found := 0, 0, false
			EachCommand(text, func(n []byte, ok, all int) {
				if string(n) == name && !found {
					wantOK, wantAll, found = ok, all, true
				}
			})
			if ok, all := CommandCount(text, name); ok != wantOK || all != wantAll {
				t.Fatalf("%s=%d/%d of %q, want %d/%d", name, ok, all, text, wantOK, wantAll)
			}
		}
		if s := ParseStage(text); (s == StageNone) != (len(text) == 0) || s >= numStages {
			t.Fatalf("stage %d of %q", s, text)
		}
	})
}

func TestParseStage(t *testing.T) {
	for word, want := range map[string]Stage{
		"":                   StageNone,
		"HELO":               StageEHLO,
		"lhlo":               StageEHLO,
		"Ehlo":               StageEHLO,
		"END-OF-MESSAGE":     StageDOT,
		"end-of-data":        StageDOT,
		".":                  StageDOT,
		"rcpt":               StageRCPT,
		"STARTTLS":           StageSTARTTLS,
		"xforward":           StageXFORWARD,
		"GET":                StageUNKNOWN,
		"MAIL FROM":          StageUNKNOWN,
		"RCPT\x00":           StageUNKNOWN,
		"QUIT ":              StageUNKNOWN,
		"SIXTEENBYTESLONG":   StageUNKNOWN,
		"SEVENTEENBYTESLONG": StageUNKNOWN,
		"\xff\xfe":           StageUNKNOWN,
	} {
		if got := ParseStage([]byte(word)); got != want {
			t.Errorf("ParseStage(%q) = %v, want %v", word, got, want)
		}
	}
	for s := StageConnect; s < numStages; s++ {
		if got := ParseStage([]byte(strings.ToLower(s.String()))); got != s {
			t.Errorf("%v in lower case is read as %v", s, got)
		}
	}
}

func TestEachCommand(t *testing.T) {
	for text, want := range map[string]string{
		"ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4": "ehlo 1/1, mail 1/1, rcpt 0/1, quit 1/1, commands 3/4, ",
		"":                                  "",
		"  ehlo=2   quit=1 ":                "ehlo 2/2, quit 1/1, ",
		"unknown=0/3":                       "unknown 0/3, ",
		"from mail=1":                       "mail 1/1, ",
		"=1 mail= mail=x rcpt=1x":           "",
		"rcpt=1/ rcpt=/1 rcpt=1/x":          "",
		"rcpt=1/2/3 rcpt=1/2x rcpt=-1":      "",
		"rcpt=999999999":                    "rcpt 999999999/999999999, ",
		"rcpt=1000000000 rcpt=1/9999999999": "", // beyond what any session can have
	} {
		var got []byte
		EachCommand([]byte(text), func(name []byte, ok, all int) {
			got = fmt.Appendf(got, "%s %d/%d, ", name, ok, all)
		})
		if string(got) != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestCommandCount(t *testing.T) {
	const counts = "ehlo=2 starttls=1 mail=1 rcpt=0/1 bdat=2/3 data=x data=0/1 undata=7 quit=1 commands=5/8"
	for name, want := range map[string][2]int{"quit": {1, 1}, "data": {0, 1}, "bdat": {2, 3}, "rset": {0, 0}, "ehlo": {2, 2}, "commands": {5, 8}} {
		if ok, all := CommandCount([]byte(counts), name); ok != want[0] || all != want[1] {
			t.Errorf("%s: %d/%d, want %d/%d", name, ok, all, want[0], want[1])
		}
	}
}

// TestDaysFromCivil goes through every month of the years that four digits can show.
func TestDaysFromCivil(t *testing.T) {
	for year := 1; year <= 9999; year++ {
		for month := 1; month <= 12; month++ {
			last := time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
			for _, day := range []int{1, 2, 28, last} {
				want := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).Unix() / 86400
				if got := daysFromCivil(year, month, day); got != want {
					t.Fatalf("%04d-%02d-%02d: day %d, want %d", year, month, day, got, want)
				}
			}
		}
	}
}

func TestMakeStamp(t *testing.T) {
	for _, want := range []time.Time{
		time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(1969, 12, 31, 23, 59, 59, 999_999_999, time.UTC),
		time.Date(1900, 2, 28, 12, 0, 0, 0, time.UTC),
		time.Date(2000, 2, 29, 12, 0, 0, 1, time.UTC),
		time.Date(2024, 2, 29, 23, 59, 59, 123_456_000, time.UTC),
		time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
		time.Date(2100, 2, 28, 0, 0, 0, 0, time.UTC),
		time.Date(2261, 12, 31, 23, 59, 59, 0, time.UTC),
		time.Date(1678, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		s := MakeStamp(want.Year(), int(want.Month()), want.Day(), want.Hour(), want.Minute(), want.Second(), int64(want.Nanosecond()))
		if s.Wall != want.UnixNano() || s.Flags != HasTime|HasYear || s.Offset != 0 {
			t.Errorf("%v: got %+v, want a Wall of %d", want, s, want.UnixNano())
		}
		z := s.WithZone(-19800)
		if z.Wall != s.Wall || z.Offset != -19800 || z.Flags != HasTime|HasYear|HasZone {
			t.Errorf("%v with a zone: %+v", want, z)
		}
	}
	// A leap second is the first of the next minute, as time.Date has it.
	if s, want := MakeStamp(2016, 12, 31, 23, 59, 60, 0), time.Date(2017, 1, 1, 0, 0, 0, 0, time.UTC); s.Wall != want.UnixNano() {
		t.Errorf("a leap second: %d, want %d", s.Wall, want.UnixNano())
	}
	s := MakeStamp(0, 2, 29, 1, 2, 3, 4)
	if want := time.Date(NoYearYear, 2, 29, 1, 2, 3, 4, time.UTC); s.Wall != want.UnixNano() || s.Flags != HasTime {
		t.Errorf("without a year: %+v, want a Wall of %d", s, want.UnixNano())
	}
}

// TestReset fills every field there is, those of later additions too.
func TestReset(t *testing.T) {
	var ev, blank Event
	blank.Reset()
	if blank.Delay != NoDelay || blank.Delays[0] != NoDelay {
		t.Error("a blank event tells of a delay")
	}
	v := reflect.ValueOf(&ev).Elem()
	fill(t, v)
	for i := range v.NumField() {
		if v.Type().Field(i).IsExported() && v.Field(i).IsZero() {
			t.Fatalf("%s was not filled", v.Type().Field(i).Name)
		}
	}
	ev.Scratch(10)
	ev.Reset()
	if cap(ev.scratch) == 0 || len(ev.scratch) != 0 {
		t.Errorf("the scratch space has %d of %d bytes in use", len(ev.scratch), cap(ev.scratch))
	}
	ev.scratch = nil
	blank.scratch = nil
	if !reflect.DeepEqual(ev, blank) {
		t.Errorf("Reset left %+v", ev)
	}
}

// fill sets whatever can be set to something that is not zero.
func fill(t *testing.T, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(1, 2)))
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() || v.Type().Field(i).Anonymous {
				fill(t, v.Field(i))
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(t, v.Index(i))
		}
	case reflect.Slice:
		v.SetBytes([]byte("old"))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(7)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(7)
	default:
		t.Fatalf("a field of kind %v: teach this test to fill it", v.Kind())
	}
}

// TestScratch: what was handed out stays as it is, however much more is asked for.
func TestScratch(t *testing.T) {
	var ev Event
	for range 3 {
		var all [][]byte
		for i, n := range []int{0, 1, 100, 411, 1, 512, 5000, 3, 1 << 20, 0, 64} {
			b := ev.Scratch(n)
			if len(b) != n || cap(b) != n {
				t.Fatalf("asked for %d bytes, got %d of %d", n, len(b), cap(b))
			}
			for j := range b {
				b[j] = byte(i)
			}
			all = append(all, b)
			all[i] = append(slices.Clip(b), 'x') // must not reach into the next one
		}
		for i, b := range all {
			if want := bytes.Repeat([]byte{byte(i)}, len(b)-1); !bytes.Equal(b[:len(b)-1], want) {
				t.Fatalf("slice %d was overwritten", i)
			}
		}
		ev.Reset()
	}
	if n := testing.AllocsPerRun(100, func() { ev.Reset(); ev.Scratch(1000); ev.Scratch(100) }); n > 0 {
		t.Errorf("%v allocations for space that was there", n)
	}
}

func TestCount(t *testing.T) {
	if (&Event{}).Count() != 1 || (&Event{Repeat: 4}).Count() != 5 {
		t.Error("a line counts once, and once more for each repetition")
	}
	if p := (Peer{}); !p.IsZero() {
		t.Error("a blank peer is known")
	}
	if p := (Peer{IP: []byte("192.0.2.1")}); p.IsZero() {
		t.Error("a peer with an address is not known")
	}
}

// TestNames: machine-readable output must be able to tell the values apart.
func TestNames(t *testing.T) {
	check(t, NumKinds, func(i int) string { return Kind(i).String() }, false)
	check(t, int(numFormats), func(i int) string { return Format(i).String() }, true)
	check(t, int(numDirections), func(i int) string { return Direction(i).String() }, true)
	check(t, NumOutcomes, func(i int) string { return Outcome(i).String() }, true)
	check(t, int(numEximFlags), func(i int) string { return EximFlag(i).String() }, true)
	check(t, NumStages, func(i int) string { return Stage(i).String() }, true)
	check(t, NumEnds, func(i int) string { return End(i).String() }, false)
}

// check wants a name of its own for every value, "" for the zero value where that means
// none, and "" beyond the last.
func check(t *testing.T, n int, name func(int) string, noneIsEmpty bool) {
	t.Helper()
	seen := map[string]int{}
	for i := range n {
		s := name(i)
		if (s == "") != (noneIsEmpty && i == 0) {
			t.Errorf("value %d is called %q", i, s)
		}
		if j, ok := seen[s]; ok {
			t.Errorf("values %d and %d are both called %q", j, i, s)
		}
		seen[s] = i
	}
	for _, i := range []int{n, 255} {
		if s := name(i); s != "" {
			t.Errorf("value %d, which there is not, is called %q", i, s)
		}
	}
}
