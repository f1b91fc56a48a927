# SPDX-License-Identifier: GPL-2.0-only
# timeout: 200
# kernels: all
# tapset/task.stp: what the task functions say of a program agrees with the context functions, with its
# arguments and with ps(1)'s sources in /proc.
cat >/tmp/task.stp <<'END'
probe kernel.function("vfs_read") {
	if (execname() != "od") next
	t = task_current()
	println(task_pid(t) == pid(), task_tid(t) == tid(), task_execname(t) == execname(), task_uid(t) == uid(),
		task_euid(t) == euid(), task_gid(t) == gid(), task_egid(t) == egid(), task_pid(task_parent(t)) == ppid(),
		task_cpu(t) == cpu(), task_state(t), " ", task_nice(t), " ", task_prio(t), " ", current_exe_file() != 0,
		is_myproc(), task_utime() >= 0, task_stime() > 0)
	println(cmdline_str(), "|", cmdline_arg(1), "|", cmdline_args(1, 2, "+"), "|", cmdline_arg(9), "|", env_var("MARK"), "|",
		env_var("NONE"), "|", pexecname())
	exit()
}
END
cat >/tmp/target.sh <<'END'
#!/bin/sh
nice -n 5 od -N 2 /proc/version
exit 0
END
chmod +x /tmp/target.sh
MARK=here spile /tmp/task.stp -c /tmp/target.sh >/tmp/out
grep -qx '1111111110 5 25 1011' /tmp/out || { cat /tmp/out; exit 1; }
grep -qx 'od -N 2 /proc/version|-N|-N+2||here||target.sh' /tmp/out || { cat /tmp/out; exit 1; }
