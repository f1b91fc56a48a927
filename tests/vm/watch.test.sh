# SPDX-License-Identifier: GPL-2.0-only
# timeout: 200
# kernels: all
# Watchpoints (watch.kernel.c): what the module does itself, then three writes by others to a variable
# of the kernel's.
. tests/vm/module.sh
spile-run --load
before=$(cat /proc/sys/kernel/panic)
module_load watch watch_test
module_verdict watch
for value in 11 22 "$before"; do
	echo "$value" >/proc/sys/kernel/panic
done
busybox rmmod watch_test
dmesg | grep 'watch-test: .* writes'
dmesg | grep -q 'watch-test: 3 writes'
spile-run --unload
