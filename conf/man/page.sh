#!/bin/sh
# Makes a manual page of its source: scdoc, then what `mandoc -T lint` wants to be otherwise.
#
#   sh conf/man/page.sh sfmtls.1.scd >sfmtls.1
set -eu
# A page's date is that of its source, so that two builds make the same bytes.
: "${SOURCE_DATE_EPOCH:=$(stat -c %Y "$1")}"
export SOURCE_DATE_EPOCH
text=$(scdoc <"$1")
printf '%s\n' "$text" | awk '
# .P before .RE goes after it; .P that separates nothing is left out; lines of text end before column 80.
function wrapped(line,    at) {
    while (length(line) > 80) {
        for (at = 80; at > 1; at--)
            if (substr(line, at, 1) == " " && substr(line, at - 1, 1) != "\\" && substr(line, at + 1, 1) !~ /[.\047]/)
                break
        if (at <= 1)
            break
        print substr(line, 1, at - 1)
        line = substr(line, at + 1)
    }
    print line
}
{ line[NR] = $0 == ".PP" ? ".P" : $0 } # scdoc 1.11 writes the one, 1.10 the other
END {
    for (i = 1; i < NR; i++)
        if (line[i] == ".P" && line[i + 1] == ".RE") { line[i] = ".RE"; line[i + 1] = ".P" }
    for (i = 1; i <= NR; i++) {
        if (line[i] == ".P" && (last ~ /^\.(SH|SS|TH|P)/ || i == NR || line[i + 1] ~ /^\.(SH|SS|P|RE)/))
            continue
        last = line[i]
        if (last ~ /^\.nf/) verbatim = 1
        if (last ~ /^\.fi/) verbatim = 0
        if (verbatim || last ~ /^[.\\]/ && last !~ /^\\f/) print last
        else wrapped(last)
    }
}'
