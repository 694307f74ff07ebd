package knowledge

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/pelletier/go-toml/v2"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// Load reads the files once and returns what is in them. It panics when they are broken,
// which only a program built with broken files can be, and the tests keep from being.
var Load = sync.OnceValue(func() *Base {
	b, err := load()
	if err != nil {
		panic("knowledge: " + err.Error())
	}
	return b
})

func load() (*Base, error) {
	b := &Base{byID: make(map[string]EntryID)}
	b.Entries = append(b.Entries, Entry{ID: "unknown"})
	b.byID["unknown"] = 0
	for _, step := range []func(*Base) error{loadCauses, loadCodes, loadEnhanced, loadProviders, loadRules, loadBlocklists, loadMarks, loadPublic} {
		if err := step(b); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// decode reads one file and refuses what it does not know: a misspelt key would else be
// knowledge that nobody ever sees. Every start reads these files, so it is done by the fastest reader
// there is; users' files are read by the one that tells best what is wrong.
func decode(name string, into any) error {
	data, err := files.ReadFile(name)
	if err != nil {
		return err
	}
	d := toml.NewDecoder(bytes.NewReader(data)).DisallowUnknownFields()
	err = d.Decode(into)
	var unknown *toml.StrictMissingError
	var broken *toml.DecodeError
	switch {
	case errors.As(err, &unknown):
		line, _ := unknown.Errors[0].Position()
		return fmt.Errorf("%s:%d: unknown key %s; correct its spelling", name, line, strings.Join(unknown.Errors[0].Key(), "."))
	case errors.As(err, &broken):
		line, _ := broken.Position()
		return fmt.Errorf("%s:%d: %w", name, line, err)
	case err != nil:
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// add enters an entry under a name that no other has.
func (b *Base) add(id, cause string, s *Sample) (EntryID, error) {
	c, ok := CauseByID(cause)
	if !ok {
		return 0, fmt.Errorf("no cause %q; mailwhy causes lists them", cause)
	}
	if _, dup := b.byID[id]; dup || id == "" {
		return 0, fmt.Errorf("entry name %q is empty or used twice; give it a name of its own", id)
	}
	n, kept := b.kept[id]
	if !kept {
		n = EntryID(len(b.Entries))
		b.Entries = append(b.Entries, Entry{})
	}
	b.Entries[n] = Entry{ID: id, Cause: c, Sample: s}
	b.byID[id] = n
	return n, nil
}

func loadCauses(b *Base) error {
	var in map[string]struct {
		Severity, Inbound, Permanence, Actor string
		InboundActor                         string `toml:"inbound_actor"`
	}
	if err := decode("causes.toml", &in); err != nil {
		return err
	}
	for c := Unknown; c < numCauses; c++ {
		f := in[c.ID()]
		var ok [5]bool
		facts := &b.causes[c]
		facts.severity, ok[0] = byName[Severity](severityIDs[:], f.Severity)
		facts.inbound, ok[1] = byName[Severity](severityIDs[:], f.Inbound)
		facts.permanence, ok[2] = byName[Permanence](permanenceIDs[:], f.Permanence)
		facts.actor, ok[3] = byName[Actor](actorIDs[:], f.Actor)
		facts.inboundActor, ok[4] = byName[Actor](actorIDs[:], cmp.Or(f.InboundActor, f.Actor))
		if ok != [5]bool{true, true, true, true, true} {
			return fmt.Errorf("causes.toml: %s lacks a field or has one of unknown value", c.ID())
		}
	}
	if len(in) != NumCauses {
		return fmt.Errorf("causes.toml: %d causes where the code knows %d", len(in), NumCauses)
	}
	return nil
}

// The shapes of codes.toml.
type (
	codesFile struct {
		Code      []codeRow
		Happening []happeningRow
	}
	codeRow struct {
		Code       int
		RFC, Cause string
		At         []string
		Firm       bool
		Context    []contextRow
	}
	contextRow struct {
		ID, By, Cause, Sample string
		At, Enhanced          []string
		Unasked               bool
	}
	happeningRow struct {
		ID, Cause, Sample string
		Kind, Outcome, At []string
		Code              []int
	}
)

func loadCodes(b *Base) error {
	var in codesFile
	if err := decode("codes.toml", &in); err != nil {
		return err
	}
	for i := range in.Code {
		if err := b.addCode(&in.Code[i]); err != nil {
			return fmt.Errorf("codes.toml: %d: %w", in.Code[i].Code, err)
		}
	}
	for i := range in.Happening {
		if err := b.addHappening(&in.Happening[i]); err != nil {
			return fmt.Errorf("codes.toml: %s: %w", in.Happening[i].ID, err)
		}
	}
	return nil
}

func (b *Base) addCode(in *codeRow) error {
	code := Code{Code: smtp.Code(in.Code), RFC: in.RFC, Firm: in.Firm}
	if b.Code(code.Code) != nil || in.Code < 200 || in.Code > 599 {
		return fmt.Errorf("out of range, or there twice")
	}
	var err error
	if code.At, _, err = stages(in.At); err != nil {
		return err
	}
	if code.Entry, err = b.add(strconv.Itoa(in.Code), in.Cause, nil); err != nil {
		return err
	}
	for i := range in.Context {
		c, err := b.addContext(&in.Context[i])
		if err != nil {
			return fmt.Errorf("%s: %w", in.Context[i].ID, err)
		}
		code.Contexts = append(code.Contexts, c)
	}
	b.Codes = append(b.Codes, code)
	b.byCode[in.Code] = uint8(len(b.Codes))
	return nil
}

func (b *Base) addContext(in *contextRow) (c Context, err error) {
	c.unasked = in.Unasked
	s := Sample{Text: in.Sample, Unasked: in.Unasked, By: Remote}
	if s.Stage, c.stages, err = sampleStage(in.At); err != nil {
		return c, err
	}
	if c.by, err = parseBy(in.By); err != nil {
		return c, err
	}
	if c.by != AnyBody {
		s.By = c.by
	}
	for _, e := range in.Enhanced {
		v, err := parseStatus(e)
		if err != nil {
			return c, err
		}
		c.enhanced = append(c.enhanced, v)
	}
	c.Entry, err = b.add(in.ID, in.Cause, &s)
	return c, err
}

func (b *Base) addHappening(in *happeningRow) (err error) {
	var h Happening
	s := Sample{Text: in.Sample, Own: len(in.Code) == 0, By: Local}
	if s.Stage, h.stages, err = sampleStage(in.At); err != nil {
		return err
	}
	if s.Kind, h.kinds, err = sampleOf[smtp.Kind](smtp.NumKinds, in.Kind); err != nil {
		return err
	}
	if s.Outcome, h.outcomes, err = sampleOf[smtp.Outcome](smtp.NumOutcomes, in.Outcome); err != nil {
		return err
	}
	for _, digit := range in.Code {
		h.codes |= 1 << digit
	}
	if h.Entry, err = b.add(in.ID, in.Cause, &s); err != nil {
		return err
	}
	b.Happenings = append(b.Happenings, h)
	return nil
}

type enhancedRow struct {
	Code, RFC, Cause, Trust string
	With                    []int
}

func loadEnhanced(b *Base) error {
	var in struct{ Enhanced []enhancedRow }
	if err := decode("enhanced.toml", &in); err != nil {
		return err
	}
	for i := range in.Enhanced {
		if err := b.addEnhanced(&in.Enhanced[i]); err != nil {
			return fmt.Errorf("enhanced.toml: %s: %w", in.Enhanced[i].Code, err)
		}
	}
	return nil
}

func (b *Base) addEnhanced(in *enhancedRow) (err error) {
	e := EnhancedCode{RFC: in.RFC}
	if e.Code, err = parseStatus(in.Code); err != nil {
		return err
	}
	for _, c := range in.With {
		e.With = append(e.With, smtp.Code(c))
	}
	switch in.Trust {
	case "":
	case "vague":
		e.Trust = Vague
	case "safe":
		e.Trust = Safe
	default:
		return fmt.Errorf("trust %q is neither safe nor vague", in.Trust)
	}
	if (e.Trust == NoTrust) != (in.Cause == Unknown.ID()) {
		return fmt.Errorf("a cause needs a trust and a trust a cause")
	}
	class := max(int(e.Code[0])-3, 0) // 0 for all classes
	slot := &b.byStatus[class][e.Code[1]][e.Code[2]]
	if *slot != 0 {
		return fmt.Errorf("it is there twice")
	}
	if e.Entry, err = b.add(in.Code, in.Cause, nil); err != nil {
		return err
	}
	b.Enhanced = append(b.Enhanced, e)
	*slot = uint8(len(b.Enhanced))
	return nil
}

// stages reads names of stages, as a list and as bits.
func stages(names []string) ([]smtp.Stage, uint32, error) {
	return list[smtp.Stage](smtp.NumStages, names)
}

// sampleStage reads names of stages as bits; a sample is tried at the first.
func sampleStage(names []string) (smtp.Stage, uint32, error) {
	return sampleOf[smtp.Stage](smtp.NumStages, names)
}

// sampleOf reads names as bits; a sample is tried with the first.
func sampleOf[T named](n int, names []string) (first T, bits uint32, err error) {
	all, bits, err := list[T](n, names)
	if len(all) > 0 {
		first = all[0]
	}
	return first, bits, err
}

// list reads names as a list and as bits.
func list[T named](n int, names []string) (all []T, bits uint32, err error) {
	for _, name := range names {
		v, err := find[T](n, name)
		if err != nil {
			return nil, 0, err
		}
		all, bits = append(all, v), bits|1<<v
	}
	return all, bits, nil
}

// named is an enumerated type of package smtp; each has fewer values than bits has bits.
type named interface {
	~uint8
	String() string
}

// find is the way back from the name of an enumerated value of package smtp.
func find[T named](n int, name string) (T, error) {
	for i := range n {
		if v := T(i); v.String() == name && name != "" {
			return v, nil
		}
	}
	var names []string
	for v := 1; v < n; v++ {
		names = append(names, T(v).String())
	}
	return 0, fmt.Errorf("%q is none of %s", name, strings.Join(names, ", "))
}

func parseBy(s string) (By, error) {
	switch s {
	case "":
		return AnyBody, nil
	case "local":
		return Local, nil
	case "remote":
		return Remote, nil
	}
	return 0, fmt.Errorf("by %q is neither local nor remote", s)
}

// anyDetail stands for any detail in what parsePattern reads.
const anyDetail = 65535

// parsePattern reads what parseStatus reads, providers' own details too, and "x.7.*" for
// any detail.
func parsePattern(s string) (smtp.EnhancedCode, error) {
	wild := strings.HasPrefix(s, "x.")
	rest, any := strings.CutSuffix(s, "*")
	if any {
		rest += "0"
	}
	if wild {
		rest = "5" + rest[1:]
	}
	e, n := smtp.ParseEnhanced([]byte(rest))
	if n != len(rest) || n == 0 {
		return e, fmt.Errorf("%q is no enhanced code like 5.7.1, x.7.1 or x.7.*", s)
	}
	if wild {
		e[0] = 0
	}
	if any {
		e[2] = anyDetail
	}
	return e, nil
}

// parseStatus reads "5.1.1" or "x.1.1", where x is any class and becomes 0.
func parseStatus(s string) (smtp.EnhancedCode, error) {
	wild := strings.HasPrefix(s, "x.")
	if wild {
		s = "5" + s[1:]
	}
	e, n := smtp.ParseEnhanced([]byte(s))
	if n != len(s) || n == 0 || e[1] >= numSubjects || e[2] >= numDetails {
		return e, fmt.Errorf("%q is no enhanced code of the registry", s)
	}
	if wild {
		e[0] = 0
	}
	return e, nil
}
