# SPDX-License-Identifier: GPL-2.0-only
# timeout: 200
# kernels: all
# What depends on the probe that calls: functions with target variables, values that keep their C type,
# registers by number, arguments that a function writes. Oracle: the same by other ways in the probe
# itself, stat(1), and what a program gets to see of its system calls.
cp "$(command -v dd)" /tmp/probed
printf 'a line of a file' >/tmp/file
cat >/tmp/places.stp <<'END'
function wanted() { return execname() == "probed" && $count == 100 }
function size() { return $count }
function inode() { return $file->f_inode }
function deeper(n) { return n ? deeper(n - 1) : size() }
function kind() { return @defined($offset) ? "pread" : @defined($file) ? "read" : "other" }
function name() { return kernel_string(&@cast(task_current(), "task_struct")->comm) }
probe kernel.function("ksys_read") { if (wanted()) set_uint_arg(3, 7) }
probe kernel.function("vfs_read") {
	if (execname() != "probed" || $count != 7) next
	task = task_current()
	path = &$file->f_path
	printf("inode %d\n", inode()->i_ino)
	println(inode() == $file->f_inode, path->dentry->d_inode->i_ino == inode()->i_ino, deeper(3), kind(),
	        task->tgid == pid(), task_parent(task)->tgid == ppid(), task_parent(task_current())->pid == ppid())
	println(@kregister(5) == pointer_arg(1), @kregister(4) == ulong_arg(2), @kregister(1) == size(),
	        @kregister(16) == addr(), @kregister(7) == u_register("rsp"), name())
}
probe kernel.function("vfs_read").return { if (execname() == "probed" && $return == 7) println("read ", size(), " ", kind()) }
probe kernel.function("vfs_write") { if (execname() == "probed" && size() == 7) println("write ", deeper(1), " ", kind()) }
END
spile -g /tmp/places.stp -c '/tmp/probed if=/tmp/file bs=100 count=1 of=/tmp/copy status=none' >/tmp/out 2>/tmp/err || true
cat /tmp/out /tmp/err
[ "$(cat /tmp/copy)" = 'a line ' ]
grep -qx "inode $(stat -c %i /tmp/file)" /tmp/out
grep -qx '117read111' /tmp/out
grep -qx '11111probed' /tmp/out
grep -qx 'read 7 read' /tmp/out
grep -qx 'write 7 read' /tmp/out
[ ! -s /tmp/err ]
