#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What the operations of scripts cost in the process home.
#
# Method. Each row is a script whose timer probe does the operation 1000 times in a loop; bench/language.c
# hits that probe HITS times from 1 and from 2 threads. What counts is the processor time of the threads
# for one operation, loop and action budget included (the first row is the empty loop): on a machine
# that is shared, the time of day says less. RUNS runs in turn, medians, least-most in brackets. Peer:
# bpftrace's BEGIN doing the same 1000 times, where it can, its own clock, the second round.
#   count-*      a[k]++ with a number, a string, both as key          sort-10000  one foreach (k in a+)
#   statistic    s <<< v; -hist: with @hist_log kept; -array: a[k] <<< v
#   concat       one . of two short strings
#   print        a printf of a number and a string, to a file, by spile-run, from its start to its end: processor
#                time of all threads together for a record; millions of records in a second by the clock, and
#                the most records that a run lost. With the rings of a process as they are, and of 512 MB
#   passes       processor time of passes 1 to 3 of those example scripts of systemtap-doc and samples that translate
set -eu
cd "$(dirname "$0")/.."
out=${1:-build/bench/language.json}
RUNS=${RUNS:-7}
HITS=${HITS:-5000} # times 1000: 5 million operations
PRINTS=${PRINTS:-3000000}
spile=build/bin/spile
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
kernel=$(build/bin/spile-vm --print-dir)
ln -s "$(dirname "$kernel")" "$tmp/kernels"
export SPILE_CACHE=$tmp
cases=

# operation NAME HITS PER_HIT SCRIPT: an object to measure
operation() {
    cases="$cases $1"
    echo "$2 $3" >"$tmp/$1.count"
    echo "$4" >"$tmp/$1.stp"
    $spile -p4 -w --runtime=process -D MAXACTION=1000000000 "$tmp/$1.stp" >"$tmp/$1.object"
}
loop() { # NAME GLOBALS OPERATION END
    operation "$1" "$HITS" 1000 "$2
probe timer.s(1000) { for (i = 0; i < 1000; i++) { $3 } }
probe end { $4 }"
}
loop loop '' '' ''
loop count 'global n' 'n++' 'println(n)'
loop count-number 'global a' 'a[i & 1023]++' 'foreach (k in a) n += a[k]; println(n)'
loop count-string 'global a' 'a["some string"]++' 'foreach (k in a) n += a[k]; println(n)'
loop count-both 'global a' 'a["some string", i & 63]++' 'foreach ([k, j] in a) n += a[k, j]; println(n)'
loop statistic 'global s' 's <<< i' 'println(@avg(s))'
loop statistic-hist 'global s' 's <<< i' 'print(@hist_log(s))'
loop statistic-array 'global a' 'a[i & 63] <<< i' 'foreach (k in a) n += @sum(a[k]); println(n)'
loop concat 'global s' 's = "hello " . "world"' 'println(s)'
operation sort-10000 100 1 'global a[10000], n
probe begin { for (i = 0; i < 10000; i++) a[i * 7919 % 10007] = i * 104729 % 10007 }
probe timer.s(1000) { foreach (k in a+) n += k }
probe end { println(n) }'

bt() { # NAME STATEMENT: the same in bpftrace, if it runs here
    echo "BEGIN { \$j = 0; while (\$j < 2) { \$t = nsecs; \$i = 0; while (\$i < 1000) { $2; \$i++ }
        printf(\"%d\\n\", nsecs - \$t); \$j++ } clear(@a); exit(); }" >"$tmp/$1.bt"
}
bt count-number '@a[$i & 1023] = count()'
bt count-string '@a["some string"] = count()'
bt count-both '@a["some string", $i & 63] = count()'
bt statistic '@a = stats($i)'
bt statistic-hist '@a = hist($i)'
bt statistic-array '@a[$i & 63] = stats($i)'

operation print 0 0 "probe begin { for (i = 0; i < $PRINTS; i++) printf(\"%d %s\\n\", i, \"some string\") exit() }"
cases=${cases% print} # not in one thread and in two

run_print() { # NAME OPTIONS...: a line each to NAME (ns), NAME-rate and NAME-lost
    local name=$1 began took
    shift
    began=${EPOCHREALTIME/./}
    build/bin/spile-run -v "$@" -o "$tmp/print.out" "$(cat "$tmp/print.object")" 2>"$tmp/print.err" || true
    took=$((${EPOCHREALTIME/./} - began))
    sed -n "s/.* \([0-9]*\) ms user, \([0-9]*\) ms system/\1 \2/p" "$tmp/print.err" |
        awk "{ printf \"%.1f\\n\", (\$1 + \$2) * 1e6 / $PRINTS }" >>"$tmp/$name"
    awk "BEGIN { printf \"%.2f\\n\", $PRINTS / $took }" >>"$tmp/$name-rate"
    echo $((PRINTS - $(wc -l <"$tmp/print.out"))) >>"$tmp/$name-lost"
    rm -f "$tmp/print.out"
}

for _ in $(seq "$RUNS"); do
    for name in $cases; do
        read -r hits per_hit <"$tmp/$name.count"
        for threads in 1 2; do
            build/bench/language "$(cat "$tmp/$name.object")" $threads "$hits" "$per_hit" |
                cut -d' ' -f1 >>"$tmp/$name-$threads"
        done
        [ -f "$tmp/$name.bt" ] || continue
        bpftrace "$tmp/$name.bt" 2>/dev/null | awk '/^[0-9]+$/ { ns = $1 } END { if (ns) print ns / 1000 }' \
            >>"$tmp/$name-peer" || true
    done
    run_print print
    run_print print-512 -s 512
done
for script in /usr/share/systemtap/examples/*/*.stp samples/*.stp; do
    $spile -g -v -w -p3 -r "$kernel" "$script" 2>"$tmp/err" >/dev/null || continue
    sed -n 's/^Pass [123]:.* in \([0-9]*\)usr\/\([0-9]*\)sys.*/\1 \2/p' "$tmp/err" |
        awk '{ n += $1 + $2 } END { print n }' >>"$tmp/passes"
done

median() { sort -n "$tmp/$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
spread() { sort -n "$tmp/$1" | awk '{ v[NR] = $1 } END { printf "[%g-%g]", v[1], v[NR] }'; }
echo "language: ns of processor time an operation, medians of $RUNS runs, least-most in brackets; $(nproc) CPUs"
printf '%-16s %10s %-16s %10s %-16s %10s %-14s\n' case 1-thread '' 2-threads '' bpftrace ''
sep='['
row() { # NAME PEERFILE
    local one two peer=null
    one=$(median "$1-1") two=$(median "$1-2")
    [ -s "$tmp/$1-peer" ] && peer=$(median "$1-peer")
    printf '%-16s %10.1f %-16s %10.1f %-16s %10s %-14s\n' "$1" "$one" "$(spread "$1-1")" "$two" \
        "$(spread "$1-2")" "${peer/null/-}" "$([ "$peer" = null ] || spread "$1-peer")"
    printf '%s{"case": "%s", "ours": %s, "ours_2_threads": %s, "peer": %s, "peer_name": "bpftrace", "ratio": %s, "unit": "ns"}' \
        "$sep" "$1" "$one" "$two" "$peer" \
        "$([ "$peer" = null ] && echo null || awk "BEGIN { printf \"%.4f\", $one / $peer }")" >>"$tmp/json"
    sep=$',\n '
}
for name in $cases; do row "$name"; done
for name in print print-512; do
    lost=$(sort -n "$tmp/$name-lost" | tail -1)
    printf '%-16s %10.1f %-16s all threads, %s records; %s million/s %s by the clock; lost: %s\n' $name "$(median $name)" \
        "$(spread $name)" "$PRINTS" "$(median $name-rate)" "$(spread $name-rate)" "$lost"
    printf ',\n {"case": "%s", "ours": %s, "peer": null, "unit": "ns", "million_per_second": %s, "lost": %s}' $name \
        "$(median $name)" "$(median $name-rate)" "$lost" >>"$tmp/json"
done
printf '%-16s %10s %-16s ms, %s scripts\n' passes "$(median passes)" "$(spread passes)" "$(wc -l <"$tmp/passes")"
echo ']' >>"$tmp/json"
mkdir -p "$(dirname "$out")"
cp "$tmp/json" "$out"
