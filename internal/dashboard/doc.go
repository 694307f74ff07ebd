// Package dashboard shows what is going on in a followed log on a whole terminal: rates,
// causes, sessions, peers, and what to do about the cause that is chosen. It is the only
// place that knows Bubble Tea.
//
// What is shown is a pure function of a Picture and of what the user has chosen: Model
// holds both, and frame draws them. Nothing is drawn while neither changes.
//
// # Cells
//
// Whether columns line up is decided by the terminal, which counts cells its own way.
// xterm, VTE, tmux and the consoles count code point by code point (wcwidth), so that
// Hindi's vowel signs have a cell each; Bubble Tea's renderer counts clusters of them.
// Everything here counts code points, and hands the renderer its text with a seam before
// each of them, at which it begins a new cell; so both agree with those terminals. Mode
// 2027, by which a terminal would change to clusters, is left alone. kitty always counts
// clusters: there, Hindi columns stand a little to the left.
package dashboard
