package exim

import "testing"

func TestArrivals(t *testing.T) {
	check(t, []row{
		{withID + `<= alice@example.com U=alice P=local S=312`,
			`received internal   flag=<= from="alice@example.com" proto="local" user="alice" size=312`},
		{withID + `<= <> R=10HmbC-000000005vi-0000 U=exim P=local S=3958`,
			`received internal   flag=<= from="" proto="local" user="exim" related="10HmbC-000000005vi-0000" size=3958`},
		{withID + `<= a@example.net H=client.example.com (laptop) [192.0.2.10]:59324 I=[198.51.100.25]:587 Ci=7326 P=esmtpsa X=TLS1.3:TLS_AES_256_GCM_SHA384:256 CV=no A=dovecot_login:alice:sender S=23324 id=m1@example.com T="Sale => 50% R=now \" T=x H=[192.0.2.99]" from <a@b> for bob@example.net`,
			`received inbound   flag=<= from="a@example.net" to="bob@example.net" peer=client.example.com[192.0.2.10]:59324 helo="laptop" proto="esmtpsa" auth="dovecot_login" user="alice" tls="TLS1.3" cipher="TLS_AES_256_GCM_SHA384" id="m1@example.com" session="7326" size=23324 nrcpt=1`},
		{withID + `<= a@example.net H=([]) [192.0.2.10]:1337 P=esmtp L.- X=TLS-1.0:RSA_AES_256_CBC_SHA1:32* S=1 for b@example.com "c d"@example.com`,
			`received inbound   flag=<= from="a@example.net" peer=[192.0.2.10]:1337 helo="[]" proto="esmtp" tls="TLS-1.0" cipher="RSA_AES_256_CBC_SHA1" size=1 nrcpt=2`},
		{withID + `<= "a\"b H=[192.0.2.99]"@example.net U=a"b P=local S=1`,
			`received internal   flag=<= from="\"a\\\"b H=[192.0.2.99]\"@example.net" proto="local" user="a\"b" size=1`},
		{withID + `<= a@example.net H=([IPv6:2001:db8::9]) [2001:db8::6] P=utf8esmtp S=2`,
			`received inbound   flag=<= from="a@example.net" peer=[2001:db8::6]:0 helo="[IPv6:2001:db8::9]" proto="utf8esmtp" size=2`},
		{withID + `<= a@example.net H=(x) [192.0.2.99] (y) [192.0.2.10] P=smtp S=3`,
			`received inbound   flag=<= from="a@example.net" peer=[192.0.2.10]:0 helo="x) [192.0.2.99] (y" proto="smtp" size=3`},
		{withID + `<= a@example.net H=(x) [192.0.2.99]) [192.0.2.10] P=smtp S=3`,
			`received inbound   flag=<= from="a@example.net" peer=[192.0.2.10]:0 helo="x) [192.0.2.99]" proto="smtp" size=3`},
		{withID + `<= a@example.net H=(x) [192.0.2.99] y) [192.0.2.10] P=smtp S=3`,
			`received inbound   flag=<= from="a@example.net" peer=[192.0.2.10]:0 helo="x) [192.0.2.99] y" proto="smtp" size=3`},
		{withID + `(= a@example.net H=(x) [192.0.2.10] P=esmtp S=766 for b@example.com`,
			`received inbound   flag=(= from="a@example.net" to="b@example.com" peer=[192.0.2.10]:0 helo="x" proto="esmtp" size=766 nrcpt=1`},
	})
}

func TestDeliveries(t *testing.T) {
	check(t, []row{
		{withID + `=> bob <bob@mail.example.com> R=localuser T=local_delivery`,
			`delivery internal  sent flag==> to="bob" orig="bob@mail.example.com" router="localuser" transport="local_delivery"`},
		{withID + `=> bob@example.net F=<a@example.net> P=<srs0=x@example.com> R=dnslookup T=remote_smtp S=9 H=mx.example.net DS [203.0.113.5]:25* I=[198.51.100.25]:4 X=TLS1.2:ECDHE-RSA-AES256-GCM-SHA384:256 CV=yes DN="C=US,CN=\"x\"" L* K C="250 2.0.0 Ok: queued as 5E5A4621BA2" QT=1m2.5s DT=1s`,
			`delivery outbound DOT sent flag==> from="a@example.net" to="bob@example.net" peer=mx.example.net[203.0.113.5]:25 router="dnslookup" transport="remote_smtp" reply=250/2.0.0 tls="TLS1.2" cipher="ECDHE-RSA-AES256-GCM-SHA384" queued="5E5A4621BA2" size=9 use=2 delay=1m2.5s`},
		{withID + `-> c@example.net <l@example.com> R=all T=smtp H=127.0.0.1 [127.0.0.1] C="250- 312 byte chunk, total 345\\n250 OK id=10HmbF-000000005vi-0000"`,
			`delivery outbound DOT sent flag=-> to="c@example.net" orig="l@example.com" peer=127.0.0.1[127.0.0.1]:0 router="all" transport="smtp" reply=250/ queued="10HmbF-000000005vi-0000"`},
		{withID + `>> c@example.net (p1@example.com, p2@example.com) <l@example.com> P=<a@b> R=all T=smtp H=mx.example.net [2001:db8::5] C="250 OK"`,
			`delivery outbound DOT sent flag=>> to="c@example.net" orig="l@example.com" peer=mx.example.net[2001:db8::5]:0 router="all" transport="smtp" reply=250/`},
		{withID + `*> c@example.net R=all T=smtp H=mx.example.net [203.0.113.5] C="delivery bypassed by -N option"`,
			`delivery outbound   flag=*> to="c@example.net" peer=mx.example.net[203.0.113.5]:0 router="all" transport="smtp" probe text="delivery bypassed by -N option"`},
		{withID + `=> frank <frank@mail.example.com> R=smart T=lmtp ST=local_delivery (mailbox /p/ not a regular file C="x") C="250 OK"`,
			`delivery outbound DOT sent flag==> to="frank" orig="frank@mail.example.com" router="smart" transport="lmtp" reply=250/`},
		{withID + `=> |/bin/sh -c "cat >f R=x" <pipe@example.com> R=alias T=pipe`,
			`delivery internal  sent flag==> to="|/bin/sh -c \"cat >f R=x\"" orig="pipe@example.com" router="alias" transport="pipe"`},
		{withID + `=> x+y |/usr/bin/ar sales@example.com /home/.ar (sales@example.com) <sales@example.com> R=v T=vp`,
			`delivery internal  sent flag==> to="x+y |/usr/bin/ar sales@example.com /home/.ar" orig="sales@example.com" router="v" transport="vp"`},
		{withID + `=> :blackhole: <hole@example.com> R=system_aliases`,
			`delivery internal  discarded flag==> to=":blackhole:" orig="hole@example.com" router="system_aliases"`},
		{withID + `=> blackhole (RCPT ACL discarded recipients): a virus`,
			`delivery internal  discarded flag==> to="blackhole" text="a virus"`},
		{withID + `=> discarded (system filter)`,
			`delivery internal  discarded flag==> to="discarded"`},
		{withID + `=> x@example.com R=r T=dev_null H=ten-1.example.com`,
			`delivery outbound  sent flag==> to="x@example.com" peer=ten-1.example.com[]:0 router="r" transport="dev_null"`},
		{withID + `=> b@example.net R=r T=remote_smtp H=mx.example.net [203.0.113.5] C="250 Message accepted \"x\" [InternalId=41399189774878, Hostname=HE"`,
			`delivery outbound DOT sent flag==> to="b@example.net" peer=mx.example.net[203.0.113.5]:0 router="r" transport="remote_smtp" reply=250/`},
	})
}

func TestFailures(t *testing.T) {
	check(t, []row{
		{withID + `** a@example.net: retry timeout exceeded`,
			`delivery internal  expired flag=** to="a@example.net" text="retry timeout exceeded"`},
		{withID + `** a@example.net <b@example.com>: Unrouteable address`,
			`delivery internal  bounced flag=** to="a@example.net" orig="b@example.com" text="Unrouteable address"`},
		{withID + `** a@example.net F=<b@example.com>: Unrouteable address`,
			`delivery internal  bounced flag=** from="b@example.com" to="a@example.net" text="Unrouteable address"`},
		{withID + `** "x: y"@example.net : Unrouteable address`,
			`delivery internal  bounced flag=** to="\"x: y\"@example.net" text="Unrouteable address"`},
		{withID + `** FAIL (FAIL)@example.net <"FAIL (FAIL)"@example.net> R=q: no route`,
			`delivery internal  bounced flag=** to="FAIL (FAIL)@example.net" orig="\"FAIL (FAIL)\"@example.net" router="q" text="no route"`},
		{withID + `** a@example.net R=r T=smtp H=mx.example.net [203.0.113.5] X=TLS1.3:AES:256 CV=yes DN="CN=a: b": SMTP error from remote mail server after RCPT TO:<"a: 250 x"@example.net>: 550 5.1.1 No DT=1.5s`,
			`delivery outbound RCPT bounced flag=** to="a@example.net" peer=mx.example.net[203.0.113.5]:0 router="r" transport="smtp" reply=550/5.1.1 tls="TLS1.3" cipher="AES" text="SMTP error from remote mail server after RCPT TO:<\"a: 250 x\"@example.net>: 550 5.1.1 No"`},
		{withID + `** a@example.net R=r T=smtp H=mx.example.net [203.0.113.5] : SMTP error from remote mail server after end of data: 550-5.7.1 one\n550 5.7.1 two`,
			`delivery outbound DOT bounced flag=** to="a@example.net" peer=mx.example.net[203.0.113.5]:0 router="r" transport="smtp" reply=550/5.7.1 text="SMTP error from remote mail server after end of data: 550-5.7.1 one\\n550 5.7.1 two"`},
		{withID + `** a@example.net R=r T=smtp: SMTP error from remote mailer after pipelined RCPT TO:<a@example.net>: host mx.example.net [203.0.113.5]: 553 5.3.0 unknown`,
			`delivery outbound RCPT bounced flag=** to="a@example.net" peer=mx.example.net[203.0.113.5]:0 router="r" transport="smtp" reply=553/5.3.0 text="SMTP error from remote mailer after pipelined RCPT TO:<a@example.net>: host mx.example.net [203.0.113.5]: 553 5.3.0 unknown"`},
		{withID + `** a@example.net R=r T=smtp: SMTP error from remote mail server after HELO x: host 192.0.2.1 [192.0.2.1]: 550 No`,
			`delivery outbound EHLO bounced flag=** to="a@example.net" peer=192.0.2.1[192.0.2.1]:0 router="r" transport="smtp" reply=550/ text="SMTP error from remote mail server after HELO x: host 192.0.2.1 [192.0.2.1]: 550 No"`},
		{withID + `** a@example.net R=r : 590 5.4.3 Gone`,
			`delivery internal  bounced flag=** to="a@example.net" router="r" reply=590/5.4.3 text="590 5.4.3 Gone"`},
		{withID + `** a@example.net R=r T=smtp: retry time not reached for any host after a long failure period`,
			`delivery internal  expired flag=** to="a@example.net" router="r" transport="smtp" text="retry time not reached for any host after a long failure period"`},
		{withID + `** file@example.com routing yielded a local delivery`,
			`delivery internal  bounced flag=** to="file@example.com" text="routing yielded a local delivery"`},
		{withID + `** a@example.net R=r T=smtp H=mx.example.net [203.0.113.5]: SMTP error from remote mail server after RCPT TO:<a@example.net>: 450 4.2.0 later: retry timeout exceeded`,
			`delivery outbound RCPT expired flag=** to="a@example.net" peer=mx.example.net[203.0.113.5]:0 router="r" transport="smtp" reply=450/4.2.0 text="SMTP error from remote mail server after RCPT TO:<a@example.net>: 450 4.2.0 later: retry timeout exceeded"`},
	})
}

func TestDeferrals(t *testing.T) {
	check(t, []row{
		{withID + `== a@example.net R=r T=smtp defer (-44) H=mx.example.net [203.0.113.5] DT=0s: SMTP error from remote mail server after RCPT TO:<a@example.net>: 452 4.5.3 Try again`,
			`delivery outbound RCPT deferred flag=== to="a@example.net" peer=mx.example.net[203.0.113.5]:0 router="r" transport="smtp" reply=452/4.5.3 errno=-44 text="SMTP error from remote mail server after RCPT TO:<a@example.net>: 452 4.5.3 Try again"`},
		{withID + `== a@example.net R=r T=smtp defer (110): Connection timed out H=mx.example.net [203.0.113.5]: SMTP timeout after pipelined MAIL FROM:<a@b> SIZE=1325`,
			`delivery outbound MAIL deferred flag=== to="a@example.net" peer=mx.example.net[203.0.113.5]:0 router="r" transport="smtp" errno=110 text="SMTP timeout after pipelined MAIL FROM:<a@b> SIZE=1325"`},
		{withID + `== a@example.net R=r T=smtp defer (110): Connection timed out: SMTP timeout while connected to mx.example.net [203.0.113.5] after RCPT TO:<a@example.net>`,
			`delivery outbound RCPT deferred flag=== to="a@example.net" peer=mx.example.net[203.0.113.5]:0 router="r" transport="smtp" errno=110 text="Connection timed out: SMTP timeout while connected to mx.example.net [203.0.113.5] after RCPT TO:<a@example.net>"`},
		{withID + `== a@example.net R=r T=smtp defer (146): Connection refused`,
			`delivery outbound CONNECT deferred flag=== to="a@example.net" router="r" transport="smtp" errno=146 text="Connection refused"`},
		{withID + `== a@example.net routing defer (-52): retry time not reached`,
			`delivery internal  deferred flag=== to="a@example.net" errno=-52 text="retry time not reached"`},
		{withID + `== a@example.net defer (-23): domain is held`,
			`delivery internal  deferred flag=== to="a@example.net" errno=-23 text="domain is held"`},
		{withID + `== a@example.net R=r T=smtp defer (-58)`,
			`delivery internal  deferred flag=== to="a@example.net" router="r" transport="smtp" errno=-58`},
		{withID + `== a@example.net R=r T=smtp defer (-19) H=mx.example.net [203.0.113.5]: Malformed SMTP reply (an empty line) in response to pipelined DATA`,
			`delivery outbound DATA deferred flag=== to="a@example.net" peer=mx.example.net[203.0.113.5]:0 router="r" transport="smtp" errno=-19 text="Malformed SMTP reply (an empty line) in response to pipelined DATA"`},
		{withID + `== a@example.net R=r T=smtp defer (-19): Malformed SMTP reply from mx.example.net [203.0.113.5] in response to DATA: 550 x`,
			`delivery outbound DATA deferred flag=== to="a@example.net" peer=mx.example.net[203.0.113.5]:0 router="r" transport="smtp" reply=550/ errno=-19 text="Malformed SMTP reply from mx.example.net [203.0.113.5] in response to DATA: 550 x"`},
		{withID + `== a@example.net R=r T=smtp defer (-18) H=mx.example.net [203.0.113.5]: Remote host closed connection in response to HELO x (EHLO response was: 550 5.7.1 You are banned)`,
			`delivery outbound EHLO deferred flag=== to="a@example.net" peer=mx.example.net[203.0.113.5]:0 router="r" transport="smtp" reply=550/5.7.1 errno=-18 text="Remote host closed connection in response to HELO x (EHLO response was: 550 5.7.1 You are banned)"`},
		{withID + `== a@example.net R=r T=smtp defer (-38): a TLS session is required for mx.example.net [203.0.113.5], but the server did not offer TLS support`,
			`delivery outbound STARTTLS deferred flag=== to="a@example.net" peer=mx.example.net[203.0.113.5]:0 router="r" transport="smtp" errno=-38 text="a TLS session is required for mx.example.net [203.0.113.5], but the server did not offer TLS support"`},
		{withID + `== a@example.net R=r T=smtp defer (0) H=mx.example.net [203.0.113.5]: SMTP error from remote mail server after end of data: 850 NONSENSE`,
			`delivery outbound DOT deferred flag=== to="a@example.net" peer=mx.example.net[203.0.113.5]:0 router="r" transport="smtp" reply=850/ text="SMTP error from remote mail server after end of data: 850 NONSENSE"`},
		{withID + `== a@example.com R=lmtp T=lmtp defer (-46): LMTP error after BDAT 310 LAST: 450 busy`,
			`delivery outbound DOT deferred flag=== to="a@example.com" router="lmtp" transport="lmtp" reply=450/ errno=-46 text="LMTP error after BDAT 310 LAST: 450 busy"`},
		{withID + `== /no/such <file@example.com> R=alias T=file defer (13): Permission denied: failed to create directories`,
			`delivery internal  deferred flag=== to="/no/such" orig="file@example.com" router="alias" transport="file" errno=13 text="Permission denied: failed to create directories"`},
	})
}

func TestOneHost(t *testing.T) {
	check(t, []row{
		{withID + `H=mx.example.net [203.0.113.5]:25 I=[198.51.100.25]: SMTP error from remote mail server after initial connection: 554 no`,
			`attempt outbound CONNECT  peer=mx.example.net[203.0.113.5]:25 reply=554/ text="SMTP error from remote mail server after initial connection: 554 no"`},
		{withID + `H=mx.example.net [203.0.113.5] Connection refused`,
			`attempt outbound CONNECT  peer=mx.example.net[203.0.113.5]:0 text="Connection refused"`},
		{withID + `H=mx.example.net [203.0.113.5]: SMTP error from remote mail server after pipelined sending data block: 400 oops`,
			`attempt outbound BDAT  peer=mx.example.net[203.0.113.5]:0 reply=400/ text="SMTP error from remote mail server after pipelined sending data block: 400 oops"`},
		{withID + `H=mx.example.net [203.0.113.5]: utf8 support required but not offered for forwarding`,
			`attempt outbound   peer=mx.example.net[203.0.113.5]:0 text="utf8 support required but not offered for forwarding"`},
		{withID + `mx.example.net [203.0.113.5] Operation timed out`,
			`attempt outbound CONNECT  peer=mx.example.net[203.0.113.5]:0 text="Operation timed out"`},
		{withID + `SMTP error from remote mail server after STARTTLS: host mx.example.net [203.0.113.5]: 450 later`,
			`attempt outbound STARTTLS  peer=mx.example.net[203.0.113.5]:0 reply=450/ text="SMTP error from remote mail server after STARTTLS: host mx.example.net [203.0.113.5]: 450 later"`},
		{withID + `Completed QT=1h3m`,
			`removed internal   flag=Completed delay=1h3m0s`},
	})
}
