package redact

import "strings"

// isLabelled reports whether s is one of our tokens with one of these labels.
func isLabelled(s string, labels ...string) bool {
	for _, label := range labels {
		if token, ok := strings.CutPrefix(s, label); ok && len(token) == tokenLength && strings.Trim(token, alphabet) == "" {
			return true
		}
	}
	return false
}

// isPseudonym reports whether a name without an @ is a pseudonym already. Whoever writes one
// into a log by hand hides nobody by that.
func isPseudonym(name string) bool {
	switch labels := strings.Split(name, "."); len(labels) {
	case 1:
		return isLabelled(name, "user-", "id-", "host-", "dom-", "h-", "text-", "enc-", "path-", "file-", "x-")
	case 2:
		return labels[1] == "example" && isLabelled(labels[0], "dom-")
	case 3:
		return labels[2] == "example" && isLabelled(labels[1], "dom-") && isLabelled(labels[0], "h-")
	}
	return false
}
