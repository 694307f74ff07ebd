// Gen writes a mail log of any size to standard output:
//
//	go run ./internal/testlog/gen -format postfix -size 1G -seed 1 > build/postfix.log
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/mailwhy/mailwhy/internal/testlog"
)

func main() {
	format := flag.String("format", "postfix", "postfix or exim")
	size := flag.String("size", "1M", "bytes to write, with K, M or G for powers of 1024")
	seed := flag.Uint64("seed", 1, "another seed gives another log")
	rfc3339 := flag.Bool("rfc3339", false, "Postfix: RFC 3339 stamps instead of the traditional ones")
	flag.Parse()

	n, err := testlog.ParseSize(*size)
	if err == nil {
		err = testlog.Write(os.Stdout, testlog.Options{Format: *format, Size: n, Seed: *seed, RFC3339: *rfc3339})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(2)
	}
}
