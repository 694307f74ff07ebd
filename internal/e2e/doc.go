// Package e2e holds mailwhy against the truth: its tests start a real Postfix and a real Exim, talk SMTP to them, note what
// was said and how each session ended, and then ask mailwhy what the servers' logs tell. Nothing in the logs is ours, so this
// is the test that finds a misreading that parser and sample share.
//
// The tests need root and Debian's packages, so they are built only with the tag e2e; run.sh installs what is missing and
// runs them.
package e2e
