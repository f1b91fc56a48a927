# SPDX-License-Identifier: GPL-2.0-only
# timeout: 200
# kernels: all
# What a script writes to arguments and results of the kernel's own functions, by BTF alone. Oracle: what a
# program then gets to see of its system calls, by strace and by its output. And a per-CPU variable: where
# this CPU's copy is, less how far that is from the symbol, is the symbol's own value in kallsyms.
cp "$(command -v dd)" /tmp/probed
printf 'a line of a file' >/tmp/file
cat >/tmp/inject.stp <<'END'
probe kernel.function("ksys_read") { if (execname() == "probed" && $count == 100) $count = 6 }
probe kernel.function("ksys_write").return, kernel.function("ksys_lseek").return.maxactive(4) {
	if (execname() == "probed" && $fd == 2) $return = -28
}
probe begin { printf("%x\n", &@var("this_cpu_off") - @cast(&@var("this_cpu_off"), "long")[0]) }
probe kernel.function("vfs_read") {
	if (execname() != "probed" || $count != 6) next
	printf("%d %d %s\n", $file->f_inode->i_ino == $file->f_path->dentry->d_inode->i_ino,
	       @cast($file, "file")->f_inode == $file->f_inode, kernel_string($file->f_path->dentry->d_name->name))
	try { println(@cast($pos, "file", "kernel<linux/fs.h>")->f_inode->i_sb->s_type) } catch { println("bad") }
	printf("%s\n", substr($file->f_path->dentry->d_name$$, 0, 2))
}
END
spile -g /tmp/inject.stp -c 'sh -c "strace -e trace=write -o /tmp/strace /tmp/probed if=/tmp/file bs=100 count=1 of=/tmp/copy 2>/dev/null; true"' \
    >/tmp/out 2>/tmp/err || true
cat /tmp/out /tmp/err /tmp/strace
[ "$(cat /tmp/copy)" = 'a line' ]
grep -q '^1 1 file$' /tmp/out
grep -q '^{' /tmp/out
grep -q 'write(2, .* = -1 ENOSPC' /tmp/strace
symbol=$(awk '$3 == "this_cpu_off" && !$4 { print $1 }' /proc/kallsyms)
grep -qx "$(printf %x "0x$symbol")" /tmp/out
