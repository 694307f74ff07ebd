#!/bin/bash
# Runs mailwhy against real servers: installs Postfix, unpacks Exim, and starts the tests of this folder (about a minute).
# For Debian machines, as root: a mail server's master process gives each of its parts another user.
# Nothing is started as a service, no port below 1024 is used, and all queues and logs lie in temporary folders.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD

fail() { echo "e2e: $*" >&2; exit 2; }
[ "$(id -u)" = 0 ] || fail "this needs root, to install and to start mail servers"
command -v apt-get >/dev/null || fail "this needs Debian's apt-get; install Postfix and Exim by hand and run: EXIM=/path/to/exim4 go test -tags e2e ./internal/e2e"

export DEBIAN_FRONTEND=noninteractive
updated=
apt() {
	[ -n "$updated" ] || { apt-get -qq update || fail "apt-get update failed: is the package mirror reachable?"; updated=1; }
	apt-get -qq "$@" >>"$root"/build/e2e-apt.log 2>&1 || { tail -20 "$root"/build/e2e-apt.log >&2; fail "apt-get $* failed"; }
}
mkdir -p build
: >build/e2e-apt.log

# policy-rc.d keeps packages from starting anything; ours is removed again.
nothing_starts() {
	policy=/usr/sbin/policy-rc.d
	if [ ! -e "$policy" ]; then
		trap 'rm -f "$policy"' EXIT
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod +x "$policy"
	fi
}

# Postfix and its SASL mechanisms.
if ! command -v postfix >/dev/null || ! ls /usr/lib/*/sasl2/libplain.so >/dev/null 2>&1; then
	nothing_starts
	echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections
	apt install -y --no-install-recommends postfix libsasl2-modules
fi

# Exim may not be installed beside Postfix, so it is unpacked and only the libraries it names are installed.
export EXIM=$PWD/build/exim/usr/sbin/exim4
if [ ! -x "$EXIM" ]; then
	rm -f build/exim4-daemon-light_*.deb
	(cd build && apt download exim4-daemon-light)
	dpkg -x build/exim4-daemon-light_*.deb build/exim
fi
getent passwd Debian-exim >/dev/null || useradd --system --no-create-home --shell /usr/sbin/nologin Debian-exim
if ldd "$EXIM" | grep -q 'not found'; then
	libraries=$(dpkg-deb -f build/exim4-daemon-light_*.deb Depends | tr ',' '\n' | sed -n 's/^ *\(lib[^ (|]*\).*/\1/p')
	apt install -y --no-install-recommends $libraries
fi

command -v tmux >/dev/null || apt install -y --no-install-recommends tmux # the dashboard's terminal

# What judges the alert rules, the dashboard and the unit that mailwhy prints; nothing of it is started.
if ! command -v promtool >/dev/null || ! command -v systemd-analyze >/dev/null; then
	nothing_starts
	apt install -y --no-install-recommends prometheus systemd
fi
go test -count=1 -run 'TestGrafana|TestPrometheusRules|TestSystemdUnit' ./cmd/mailwhy

go test -tags e2e -count=1 -timeout 4m "$@" ./internal/e2e
