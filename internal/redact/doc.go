// Package redact puts pseudonyms in the place of what tells who somebody is: addresses,
// host and login names, IPs, subjects, Message-IDs and the names of files. A pseudonym is
// made of the original and a key by HMAC-SHA-256, so the same name has the same pseudonym
// everywhere and in each run with that key, and without the key nobody can tell, or
// try out, whose it is.
//
//	alice@mail.example.com   user-k3f9x2a@h-p2m7q4z.dom-7acq1zw.example
//	example.com              dom-7acq1zw.example, which its hosts have too
//	laptop                   host-t5w8nhe
//	192.0.2.7                247.18.3.200, of 240.0.0.0/4, which nobody has (RFC 1112, 4);
//	                         127.… other than 127.0.0.1 stays there, in 127.240.0.0/12
//	2001:db8::7              3fff:…, of 3fff::/20, which is for documentation (RFC 9637)
//	/var/log/mail.log        file-q9d3k5m
//
// Codes, times and counts stay, and what is public: the names of the great providers and of
// blocklists (internal/knowledge/public.toml and its neighbours), the loopback address, queue
// IDs. A queue ID names a line of a log and nothing outside of it, and whoever owns the log
// finds the line by it.
//
// A text is taken apart into words, and each is looked at as it stands and decoded:
// percent and xtext encoding, entities, escapes, base64 and hexadecimal. What an event's own
// fields name is looked for in its texts besides, so that "alice is over quota" hides her too.
package redact
