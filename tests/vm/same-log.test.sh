# SPDX-License-Identifier: GPL-2.0-only
# timeout: 300
# The same source on the kernel's own kprobes and on Spile's engine, one after the other in this boot:
# its handlers see the same, and the API says the same (kbuild/probe_log.c).
modules=build/kbuild/$(uname -r)
if [ ! -e "$modules/spile/probe_log.ko" ]; then
    echo "no modules for $(uname -r): its headers were not installed when they were built"
    exit 77
fi

log_of() { # FOLDER: loads the module of that folder and prints its log without times
    dmesg -c >/dev/null
    busybox insmod "$modules/$1/probe_log.ko"
    busybox rmmod probe_log
    dmesg | sed -n 's/^\[[^]]*\] same-log: //p'
}

log_of kernel >/tmp/log.kernel
spile-run --load
log_of spile >/tmp/log.spile
spile-run --unload

for log in /tmp/log.kernel /tmp/log.spile; do
    [ "$(tail -n 1 $log)" = end ] && [ "$(wc -l <$log)" -gt 300 ] || {
        echo "$log is not whole:"
        tail -n 5 $log
        exit 1
    }
done
diff /tmp/log.kernel /tmp/log.spile
