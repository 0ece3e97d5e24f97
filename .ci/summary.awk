# Reads `go test -v` and then a line "status N". Prints one line for each
# package, everything of a package that failed, what was skipped and why, and
# a line with the sums. Ends with status N.

/^status [0-9]+$/ { status = $2; next }

# A build that fails is reported before the package it belongs to.
/^# / { building = 1 }
/^(===|---|ok|FAIL|PASS|\?|-test)/ { building = 0 }
building { print; next }

/^=== (RUN|PAUSE|CONT|NAME) / { test = $3; next }
/^ *--- PASS: / { passed++; next }
/^ *--- FAIL: / { failed++; failures = failures " " $3 }
/^ *--- SKIP: / { skipped++; skips = skips "\n  " $3 (said[$3] == "" ? "" : ": " said[$3]) }
/^ +[^ ]+\.go:[0-9]+: / { # what a test says last is why it was skipped
	reason = $0
	sub(/^ +[^ ]+\.go:[0-9]+: /, "", reason)
	said[test] = reason
}

/^\?   \t|\[no test files\]$/ { block = ""; next }
/^(ok  |FAIL)\t/ {
	packages++
	if ($1 == "FAIL") {
		printf "%s", block
		broken = broken "\n  " $2 (failures == "" ? "" : ":" failures)
	}
	print
	block = failures = ""
	delete said
	next
}
{ block = block $0 "\n" }

END {
	if (status != 0) printf "%s", block
	if (skipped) print "skipped:" skips
	if (broken != "") print "failed:" broken
	printf "%s: %d tests passed, %d failed, %d skipped in %d packages\n", status == 0 ? "PASS" : "FAIL", passed, failed, skipped, packages
	exit status
}
