// Package laws holds the rules of the house as tests: who may import whom, that each
// package says what it is for, that no format and no kind of event is without a sample.
// It has nothing to run.
package laws
