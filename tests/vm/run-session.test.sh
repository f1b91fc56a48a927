# SPDX-License-Identifier: GPL-2.0-only
# timeout: 240
# kernels: all
# spile-run against the core: the ends of a session, what it leaves behind, several at a time, and
# what it says of losses. The guest's own harness checks that no module stays at the end.

object() { # NAME SCRIPT
    spile -p4 -D MAXACTION=100000 -e "$2" >/tmp/path
    cp "$(tail -1 /tmp/path)" "/tmp/$1.o"
}
loaded() { grep -c "^$1" /proc/modules || true; }
fail() {
    echo "FAIL: $1"
    tail -n 5 /tmp/out
    tail -n 5 /tmp/err
    grep '^spile' /proc/modules
    exit 1
}
# run STATUS ARGS...: output in /tmp/out and /tmp/err
run() {
    want=$1
    shift
    got=0
    spile-run "$@" >/tmp/out 2>/tmp/err </dev/null || got=$?
    [ "$got" = "$want" ] || fail "status $got, not $want, of $*"
}
background() { # ARGS...: $pid; returns when it printed "ready"
    : >/tmp/bg
    env --default-signal=INT spile-run "$@" >/tmp/bg 2>/tmp/bg.err </dev/null &
    pid=$!
    tries=0
    until grep -q ready /tmp/bg; do
        sleep 0.1
        tries=$((tries + 1))
        [ $tries -lt 300 ] || fail "no output in the background: $(cat /tmp/bg.err)"
    done
}

object tick 'probe begin { println("ready") } probe timer.ms(5) { println("tick") }
             probe end { println("end") }'
object target 'global n probe kernel.function("ksys_write") { if (pid() == target()) n++ }
               probe end { printf("%d %d\n", target(), n) }'
object burst 'probe timer.ms(1) { for (i = 0; i < 20000; i++) printf("%d\n", i) exit() }'
object error 'probe begin { println(1 / (target() - target())) } probe error { println("error") }
              probe end { println("end") }'

echo '-T; nothing is left behind'
run 0 -T 0.3 /tmp/tick.o
[ "$(head -1 /tmp/out)" = ready ] && [ "$(tail -1 /tmp/out)" = end ] && grep -q tick /tmp/out ||
    fail 'the output of -T'
[ "$(loaded spile)" = 0 ] || fail 'something is left behind'

echo '-v and --keep-core'
run 0 -v --keep-core -T 0.1 /tmp/tick.o
cat /tmp/err
[ "$(loaded spile)" = 1 ] || fail 'the core is not kept, or more than it'
run 0 -v -T 0.1 /tmp/tick.o
cat /tmp/err

echo 'a script that needs no address of the kernel, and a kept core: neither kallsyms nor BTF is read'
: >/tmp/nothing
mount --bind /tmp/nothing /proc/kallsyms
mount --bind /tmp/nothing /sys/kernel/btf/vmlinux
run 0 -T 0.1 /tmp/tick.o
mv /run/spile /run/aside
run 1 -T 0.1 /tmp/tick.o # so it was the kept image that told
mv /run/aside /run/spile
umount /sys/kernel/btf/vmlinux

echo 'the first start of a boot keeps the symbols; one that others may have changed is not used'
export SPILE_KERNEL_DIR=/none
rm /run/spile/*-kallsyms # the translation of target.o kept them
run 1 -c true /tmp/target.o
grep -q kallsyms /tmp/err || fail 'the message'
umount /proc/kallsyms
run 0 -c true /tmp/target.o
mount --bind /tmp/nothing /proc/kallsyms
run 0 -o /tmp/file -c 'echo x' /tmp/target.o
chmod 777 /run/spile
run 1 -c true /tmp/target.o
chmod 700 /run/spile
umount /proc/kallsyms
unset SPILE_KERNEL_DIR

echo 'a core of another build'
cp build/kmod/spile.o /tmp/other.o
echo >>/tmp/other.o
run 1 --core /tmp/other.o /tmp/tick.o
grep -q 'another build of the core is loaded .* spile-run --unload' /tmp/err || fail 'the message'

echo 'an orderly end by a signal'
background /tmp/tick.o
kill -INT $pid
wait $pid || fail "status $? after SIGINT"
[ "$(tail -1 /tmp/bg)" = end ] || fail 'no end probe after SIGINT'

echo '-c: the status, the pid, and all of the command is seen'
run 1 -c 'sh -c "exit 3"' /tmp/tick.o
grep -qx 'WARNING: Child process exited with status 3' /tmp/err || fail 'no warning'
run 0 -o /tmp/file -c '/bin/echo x' /tmp/target.o
grep -qx '[0-9]* 1' /tmp/file || fail "one write, but: $(cat /tmp/file)"
run 0 -o /tmp/file -c 'echo $$' /tmp/target.o
[ "$(cut -d' ' -f1 /tmp/file)" = "$(cat /tmp/out)" ] || fail "target(): $(cat /tmp/file)"

echo 'an error'
run 1 /tmp/error.o
grep -qx error /tmp/out && ! grep -qx end /tmp/out || fail 'the error probe'
grep -q '^ERROR: division by 0' /tmp/err || fail 'the message'
grep -q '^WARNING: Number of errors: 1, skipped probes: 0' /tmp/err || fail 'the count'

echo 'losses'
run 3 -s 0.0625 --report json --report-file /tmp/report /tmp/burst.o
lost=$(sed -n 's/^WARNING: \([0-9]*\) records lost.*/\1/p' /tmp/err)
[ $((lost + $(wc -l </tmp/out))) = 20000 ] || fail "lost $lost"
grep -q "\"lost\": $lost," /tmp/report || fail 'the report'
run 0 -s 4 /tmp/burst.o
[ "$(wc -l </tmp/out)" = 20000 ] || fail 'something lost'
sort -n -c /tmp/out || fail 'order'

echo 'two at a time; one that runs is not swept, and not run twice'
background /tmp/tick.o
run 0 -c true /tmp/target.o
run 1 /tmp/tick.o
grep -q 'runs already' /tmp/err || fail 'the same script twice'
[ "$(loaded spile)" = 2 ] || fail 'core and script of the first run'

echo 'kill -9: the next run removes what was left'
kill -KILL $pid
wait $pid || true
[ "$(loaded spile_)" = 1 ] || fail 'nothing is left to remove'
run 0 -c true /tmp/target.o
[ "$(loaded spile_)" = 0 ] || fail 'not removed'
[ "$(loaded spile)" = 1 ] || fail 'the core of the killed run'
spile-run --unload

echo 'refusals'
echo nonsense >/tmp/nonsense.o
run 1 /tmp/nonsense.o
head -c 3000 /tmp/tick.o >/tmp/cut.o
run 1 /tmp/cut.o
run 1 /bin/true
[ "$(loaded spile)" = 0 ] || fail 'a refused object left something'
