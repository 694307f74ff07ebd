// Package source is where bytes come from: files, directories, rotated sets, compressed
// files, stdin, a journal export. It knows nothing of mail; it hands on lines.
//
//	Find    arguments in, inputs out, each file once
//	Order   rotated sets in the order of their times
//	Input   Head to look at one, Open to read it, decompressed
//	Follow  a log that is still being written, through its rotations
//	Blocks  whole lines, cut into pieces that many cores can share
//
// What a file is, its first bytes tell and never its name: a mail.log.2.gz that someone
// unpacked in place is read as the text it is.
//
// Whatever is wrong with one input is an *Error that names it and says what to do, and
// leaves the others alone. What could be read before the error has been delivered.
package source
