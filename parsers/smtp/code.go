package smtp

import "strconv"

// Code is a reply code (RFC 5321, 4.2): three digits of which the first tells the
// class. Servers must not go beyond 200 to 599 (4.2.1), yet some do, and a log that
// says 699 is kept as it is. Zero means that no code was seen.
type Code uint16

// Class returns the first digit, 2 to 5 for a code of the standard, 0 for none.
func (c Code) Class() int { return int(c / 100) }

// Positive reports a 2yz or 3yz code.
func (c Code) Positive() bool { return c >= 200 && c < 400 }

// Transient reports a 4yz code: the same command may succeed later.
func (c Code) Transient() bool { return c >= 400 && c < 500 }

// Permanent reports a 5yz code: the command should not be tried again as it was.
func (c Code) Permanent() bool { return c >= 500 && c < 600 }

// String returns the three digits, or "" for none.
func (c Code) String() string {
	if c == 0 {
		return ""
	}
	return strconv.Itoa(int(c))
}

// ParseCode reads the three digits at the start of b. Anything may follow them but a
// fourth digit. It returns 0 when there is no code or one below 200.
func ParseCode(b []byte) Code {
	if len(b) < 3 || !isDigit(b[0]) || !isDigit(b[1]) || !isDigit(b[2]) || b[0] < '2' {
		return 0
	}
	if len(b) > 3 && isDigit(b[3]) {
		return 0
	}
	return Code(b[0]-'0')*100 + Code(b[1]-'0')*10 + Code(b[2]-'0')
}

// EnhancedCode is an enhanced status code: class, subject and detail (RFC 3463). The
// zero value means that none was carried.
type EnhancedCode [3]uint16

// IsZero reports that no enhanced code was carried.
func (e EnhancedCode) IsZero() bool { return e[0] == 0 }

// String returns "5.1.1", or "" for none.
func (e EnhancedCode) String() string {
	if e.IsZero() {
		return ""
	}
	return string(e.Append(nil))
}

// Append appends "5.1.1" to b, nothing for none.
func (e EnhancedCode) Append(b []byte) []byte {
	if e.IsZero() {
		return b
	}
	b = strconv.AppendUint(b, uint64(e[0]), 10)
	b = append(b, '.')
	b = strconv.AppendUint(b, uint64(e[1]), 10)
	b = append(b, '.')
	return strconv.AppendUint(b, uint64(e[2]), 10)
}

// ParseEnhanced reads an enhanced code at the start of b and returns it with its
// length in bytes. The class is 2, 4 or 5; subject and detail have one to three
// digits without a leading zero (RFC 3463, 2); what follows must not be a digit, a
// letter or a dot and a digit, so that neither an IP address nor a version is taken for
// one. Length 0 means that there is none.
func ParseEnhanced(b []byte) (e EnhancedCode, n int) {
	if len(b) < 5 || b[1] != '.' || (b[0] != '2' && b[0] != '4' && b[0] != '5') {
		return EnhancedCode{}, 0
	}
	subject, i := number(b, 2)
	if i == 2 || i >= len(b) || b[i] != '.' {
		return EnhancedCode{}, 0
	}
	detail, j := number(b, i+1)
	if j == i+1 {
		return EnhancedCode{}, 0
	}
	if j < len(b) && (isDigit(b[j]) || isLetter(b[j]) || (b[j] == '.' && j+1 < len(b) && isDigit(b[j+1]))) {
		return EnhancedCode{}, 0
	}
	return EnhancedCode{uint16(b[0] - '0'), subject, detail}, j
}

// number reads one to three digits of b from i on and returns where they end; i itself
// when there are none or they begin with a zero that is not alone.
func number(b []byte, i int) (uint16, int) {
	var v uint16
	j := i
	for j < len(b) && j < i+3 && isDigit(b[j]) {
		v = v*10 + uint16(b[j]-'0')
		j++
	}
	if j > i+1 && b[i] == '0' {
		return 0, i
	}
	return v, j
}

func isDigit(c byte) bool  { return c-'0' < 10 }
func isLetter(c byte) bool { return (c|0x20)-'a' < 26 }
