# SPDX-License-Identifier: GPL-2.0-only
# timeout: 200
# kernels: all
# C code in scripts, inside the kernel: the same script and expectations as in the process home.
script=tests/script/run-ok/embedded-c.stp
sed -n 's/^# out: //p' $script >/tmp/want
spile -g $script >/tmp/out
diff /tmp/want /tmp/out
# The tapset is found, and what it needs of the core is there.
spile -e 'probe begin { println(strpos("abc", "c"), " ", HZ() >= 100, local_clock_s() >= 0, " ", ctime(0)) exit() }' >/tmp/out
[ "$(cat /tmp/out)" = "2 11 Thu Jan  1 00:00:00 1970" ]
spile -e 'probe kernel.function("vfs_read") { println(registers_valid(), u_register("rdi") == pointer_arg(1), addr() != 0,
	user_mode()) exit() }' -c 'cat /proc/version' >/tmp/out
grep -qx 1110 /tmp/out || { cat /tmp/out; exit 1; }
# -t: as many hits as the probe counted itself.
spile -t -e 'global n probe kernel.function("ksys_write") { if (execname() == "od") n++; else next }
probe end { println("counted ", n) }' -c 'od -N 64 /proc/version' >/tmp/out
grep -q '^kernel.function("ksys_write").*, hits: [1-9][0-9]*, cycles: [1-9].*min/' /tmp/out || { cat /tmp/out; exit 1; }
# Symbols: a probe's own function, by kallsyms' address.
address=0x$(awk '$3 == "ksys_write" { print $1 }' /proc/kallsyms)
spile -e "probe begin { println(symdata($address), \" \", symname($address), \" \", modname($address)) print_syms(\"$address\") exit() }" >/tmp/out
printf 'ksys_write+0x0 ksys_write kernel\n %s : ksys_write+0x0\n' "$address" | diff - /tmp/out
