# SPDX-License-Identifier: GPL-2.0-only
# timeout: 200
# kernels: all
# Aliases of processes, signals, files and page faults, and the target set, against what the commands
# that run are known to do.
cat >/tmp/s.stp <<'END'
global started, execs, children, words, created, exited, released, signals, bytes, reads, set, unset, faults, odd, from, devices
probe kprocess.create { if (target_set_pid(pid()) && new_pid == new_tid) created++ }
probe kprocess.exec { if (filename == "\"/tmp/child\"" && args == filename && name == "execve") children++
	if (args == "\"od\" \"-N\" \"2\" \"/proc/version\"" && isinstr(argstr, "od\" \"-N\" \"2\"")) words++ }
probe kprocess.exec_complete { if (success && target_set_pid(pid())) execs++ }
probe kprocess.start { if (target_set_pid(pid()) && pid() != target()) started[pid()] = 1 }
probe kprocess.exit { if (target_set_pid(pid())) { exited++ if (code == 3 << 8) from++ } }
probe kprocess.release { if (task_execname(task) == "child" && released_pid == released_tid && pid == released_pid) released++ }
probe signal.send { if (target_set_pid(pid()) && sig_name == "SIGUSR1")
	signals[sig, sig_pid == pid(), pid_name, shared]++ }
probe vfs.write.return { if (target_set_pid(pid()) && bytes_written == 100) { bytes[ino, MAJOR(dev) * 256 + MINOR(dev)] += bytes_written devices[devname] = 1 } }
probe vfs.read { if (execname() == "od" && bytes_to_read && argstr == sprintf("%d, %p, %p", bytes_to_read, pos, buf)) {
	reads[pgrp(), sid()] = 1 println(task_ancestry(task_current(), 0)) } }
probe vm.pagefault { if (target_set_pid(pid())) faults[write_access]++ }
probe vm.pagefault.return { odd += fault_type < 0 || fault_type > 3 }
probe timer.ms(20) { if (target_set_pid(1)) unset++ if (target_set_pid(target())) set++ }
probe end {
	printf("created %d exited %d status3 %d released %d\n", created, exited, from, released)
	foreach (p in started) starts++
	printf("execs %d children %d words %d starts %d\n", execs, children, words > 0, starts)
	foreach ([a, b, who, d] in signals) printf("signal %d %d %s %d: %d\n", a, b, who, d, signals[a, b, who, d])
	foreach ([a, b] in bytes) printf("bytes %d %d: %d\n", a, b, bytes[a, b])
	foreach ([a, b] in reads) printf("group %d %d\n", a, b)
	foreach (n in devices) printf("device %s\n", n)
	printf("faults %d %d odd %d set %d %d\n", faults[0] > 0, faults[1] > 0, odd, set > 0, unset)
}
END
cat >/tmp/child <<'END'
#!/bin/sh
trap 'got=1' USR1
kill -USR1 $$
exit 3
END
cat >/tmp/cmd.sh <<'END'
#!/bin/sh
/tmp/child
/tmp/child
dd if=/dev/zero of=/tmp/written bs=100 count=7 2>/dev/null
od -N 2 /proc/version >/dev/null
sleep 0.2
read -r stat </proc/self/stat
set -- ${stat##*) }
echo "want $3 $4"
exit 0
END
chmod +x /tmp/child /tmp/cmd.sh
spile -D MAXACTION=100000 /tmp/s.stp -c /tmp/cmd.sh >/tmp/out 2>/tmp/err || { cat /tmp/err /tmp/out; exit 1; }
cat /tmp/out
set -- $(stat -c '%i %d' /tmp/written)
want=$(sed -n 's/^want //p' /tmp/out)
# two children, dd, od, sleep; and the command itself ends
grep -qx 'created 5 exited 6 status3 2 released 2' /tmp/out
grep -qx 'execs 6 children 2 words 1 starts 5' /tmp/out
grep -qx 'signal 10 1 child 1: 2' /tmp/out
grep -qx "bytes $1 $2: 700" /tmp/out
grep -qx "group $want" /tmp/out
grep -qx 'device N/A' /tmp/out
grep -q '=>cmd.sh=>od$' /tmp/out
grep -qx 'faults 1 1 odd 0 set 1 0' /tmp/out
