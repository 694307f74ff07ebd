// Bench compares mailwhy's report with the log summarisers that the MTAs' users know, with grep and with wc, on the same logs
// in one run, and prints a Markdown table. It runs in the project's folder on a Debian machine:
//
//	go run ./internal/testlog/bench              # or: make bench
//	BENCH_SIZE=100M go run ./internal/testlog/bench
//
// Logs, the binary and the unpacked packages are kept in build/; delete build/bench-*.log after a change of the generator. The figures tell of one machine and judge nothing: the exit
// status is 0 unless a program could not be run.
package main

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

const build = "build"

// smallSize is the other size at which our memory is measured, to show that it does not grow with the log.
const smallSize = "100M"

func main() {
	size := flag.String("size", cmp.Or(os.Getenv("BENCH_SIZE"), "1G"), "bytes of each log; BENCH_SIZE sets it too")
	runs := flag.Int("n", 3, "runs of mailwhy, grep and wc, of which the median counts")
	slow := flag.Int("slow", 1, "runs of the slow ones")
	flag.Parse()
	if err := bench(*size, max(*runs, 1), max(*slow, 1)); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
}

// rival is a command line, to which the log's path is added.
type rival struct {
	name string
	argv []string
	slow bool
}

// codes counts the lines that have a reply code and an enhanced status code: what people do with grep when they want to know.
const codes = `(^|[^0-9.])[245][0-9][0-9][ -][245]\.[0-9]+\.[0-9]+`

func bench(size string, runs, slow int) error {
	if err := os.MkdirAll(build, 0o755); err != nil {
		return err
	}
	mailwhy := filepath.Join(build, "mailwhy")
	if err := quietly("go", "build", "-o", build+"/", "./cmd/mailwhy", "./internal/testlog/gen"); err != nil {
		return err
	}
	eximstats := filepath.Join(build, "exim4-base", "usr", "sbin", "eximstats")
	if err := install(eximstats); err != nil {
		return err
	}
	fmt.Printf("%s, %d cores, logs of %s, files in the page cache, median of %d runs (slow peers: %d)\n", processor(), runtime.NumCPU(), size, runs, slow)
	for _, format := range []string{"postfix", "exim"} {
		peer := rival{"pflogsumm", []string{"pflogsumm"}, true}
		if format == "exim" {
			peer = rival{"eximstats", []string{"perl", eximstats}, true}
		}
		ours := rival{"mailwhy report", []string{mailwhy, "report"}, false}
		log, err := makeLog(format, size)
		if err != nil {
			return err
		}
		err = compare(format, log, runs, slow, []rival{ours, peer, {"grep -cE (codes only)", []string{"grep", "-cE", codes}, false}, {"wc -l", []string{"wc", "-l"}, false}})
		if err != nil {
			return err
		}
		id, err := idIn(log)
		if err != nil {
			return err
		}
		fmt.Printf("\nOne message of it, %s\n", id)
		one := []rival{{"mailwhy trace", []string{mailwhy, "trace", id}, false}, {"grep -c", []string{"grep", "-c", id}, false}, {"mailwhy events --queue-id", []string{mailwhy, "events", "--queue-id", id}, false}}
		if err := compare(format, log, runs, slow, one); err != nil {
			return err
		}
		if log, err = makeLog(format, smallSize); err != nil {
			return err
		}
		small, err := run(ours, log)
		if err != nil {
			return err
		}
		fmt.Printf("\nmailwhy's peak memory on %s of the same kind: %s MB\n", smallSize, small.memory())
	}
	return nil
}

// compare runs everyone on the log and prints the table. The first of them is what the others are measured against.
func compare(format, log string, runs, slow int, rivals []rival) error {
	info, err := os.Stat(log)
	if err != nil {
		return err
	}
	lines, err := countLines(log) // this also brings the file into the page cache
	if err != nil {
		return err
	}
	fmt.Printf("\n%s, %d lines, %.0f MB\n\n", format, lines, float64(info.Size())/1e6)
	fmt.Println("| program | seconds | MB/s | lines/s | time against mailwhy | peak memory, MB |")
	fmt.Println("|---|--:|--:|--:|--:|--:|")
	// In turns, because the machine is faster at some times than at others.
	all := make([][]measured, len(rivals))
	for round := range max(runs, slow) {
		for i, r := range rivals {
			if r.slow && round >= slow || !r.slow && round >= runs {
				continue
			}
			m, err := run(r, log)
			if err != nil {
				return err
			}
			all[i] = append(all[i], m)
		}
	}
	first := median(all[0]).wall.Seconds()
	for i, r := range rivals {
		m := median(all[i])
		s := m.wall.Seconds()
		fmt.Printf("| %s | %.2f | %.0f | %.0f | %.2f× | %s |\n", r.name, s, float64(info.Size())/1e6/s, float64(lines)/s, s/first, m.memory())
	}
	return nil
}

// idIn returns the queue ID of a message that left the queue in the middle of a log.
func idIn(log string) (string, error) {
	f, err := os.Open(log)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	part := make([]byte, min(info.Size()/2, 1<<20))
	if _, err := f.ReadAt(part, info.Size()/2); err != nil && err != io.EOF {
		return "", err
	}
	m := removed.FindSubmatch(part)
	if m == nil {
		return "", fmt.Errorf("%s: no message left the queue in the middle of it", log)
	}
	return string(m[1]), nil
}

// removed is how a line ends that says so, of Postfix and of Exim.
var removed = regexp.MustCompile(`([0-9A-Za-z-]+)(?:: removed| Completed)\n`)

// measured is one run of a program.
type measured struct {
	wall time.Duration
	peak int64 // resident, in kB
}

// memory says the peak in MB. The kernel carries the parent's peak over to a child, so that ours is the least that can be seen.
func (m measured) memory() string {
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err == nil && m.peak <= own.Maxrss {
		return fmt.Sprintf("< %d", own.Maxrss/1000+1)
	}
	return fmt.Sprintf("%.0f", float64(m.peak)/1000)
}

// median gives the run of median time, with the highest memory of all runs.
func median(all []measured) measured {
	slices.SortFunc(all, func(a, b measured) int { return cmp.Compare(a.wall, b.wall) })
	m := all[len(all)/2]
	for _, other := range all {
		m.peak = max(m.peak, other.peak)
	}
	return m
}

func run(r rival, log string) (measured, error) {
	var stderr bytes.Buffer
	cmd := exec.Command(r.argv[0], append(r.argv[1:], log)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.Stdout = io.Discard // through a pipe: grep stops at the first match when it writes to /dev/null
	cmd.Stderr = &stderr
	start := time.Now()
	err := cmd.Run()
	wall := time.Since(start)
	if err != nil {
		return measured{}, fmt.Errorf("%s: %w\n%s", r.name, err, stderr.Bytes()[:min(stderr.Len(), 2000)])
	}
	return measured{wall, cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss}, nil
}

// makeLog writes the log unless an earlier run has; half a file never gets the name. Another process writes it, because our own
// peak is the least memory that can be seen of the programs that we start.
func makeLog(format, size string) (string, error) {
	path := filepath.Join(build, "bench-"+format+"-"+size+".log")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	f, err := os.Create(path + ".part")
	if err != nil {
		return "", err
	}
	defer f.Close()
	cmd := exec.Command(filepath.Join(build, "gen"), "-format", format, "-size", size)
	cmd.Stdout, cmd.Stderr = f, os.Stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("writing %s.part: %w", path, err)
	}
	return path, os.Rename(path+".part", path)
}

// install brings the peers: pflogsumm as a package, eximstats unpacked beside our build, for its package wants a mail server.
func install(eximstats string) error {
	const hint = "%w\nthe peers come from Debian's packages pflogsumm and exim4-base: run this as root on Debian, or install them yourself (eximstats at %s)"
	updated := false
	apt := func(dir string, argv ...string) error {
		if !updated {
			updated = true
			if err := quietly("apt-get", "update"); err != nil {
				return fmt.Errorf(hint, err, eximstats)
			}
		}
		cmd := exec.Command("apt-get", argv...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf(hint, fmt.Errorf("apt-get %s: %w\n%s", strings.Join(argv, " "), err, out), eximstats)
		}
		return nil
	}
	if _, err := exec.LookPath("pflogsumm"); err != nil {
		if err := apt("", "install", "-y", "--no-install-recommends", "pflogsumm"); err != nil {
			return err
		}
	}
	if _, err := os.Stat(eximstats); err == nil {
		return nil
	}
	if err := apt(build, "download", "exim4-base"); err != nil {
		return err
	}
	packages, err := filepath.Glob(filepath.Join(build, "exim4-base_*.deb"))
	if err != nil || len(packages) == 0 {
		return fmt.Errorf("apt-get download left no exim4-base_*.deb in %s", build)
	}
	return quietly("dpkg", "-x", packages[0], filepath.Join(build, "exim4-base"))
}

// quietly runs a command and shows what it said only when it fails.
func quietly(name string, argv ...string) error {
	out, err := exec.Command(name, argv...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(argv, " "), err, out)
	}
	return nil
}

// processor is the model of the machine, as far as Linux tells.
func processor() string {
	info, _ := os.ReadFile("/proc/cpuinfo") // no such file elsewhere: then the model is left out
	for line := range strings.Lines(string(info)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func countLines(path string) (n int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	buf := make([]byte, 256<<10)
	for {
		m, err := f.Read(buf)
		n += bytes.Count(buf[:m], []byte("\n"))
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}
