# SPDX-License-Identifier: GPL-2.0-only
# timeout: 900
# kernels: all
# A probed module can be removed, and its probes become GONE (gone.kernel.c, victim.kernel.c); then it
# is loaded and removed, over and over, while two threads hit it and one registers and unregisters.
# With what the kernel has for its probes, with ftrace sites, and with our own jumps and breakpoints.
# SPILE_STRESS_SECONDS says for how long (default 2); the first round is as short as can be.
seconds=${SPILE_STRESS_SECONDS:-2}
. tests/vm/module.sh

# A registration that is under way holds the module for that long.
remove() {
    for i in $(seq 50); do
        busybox rmmod victim 2>/dev/null && return
    done
    echo "the victim cannot be removed: $(grep '^victim ' /proc/modules)"
    exit 1
}

churn() { # SECONDS: for so long, and at least three times
    end=$(($(cut -d. -f1 /proc/uptime) + $1))
    times=0
    while [ "$(cut -d. -f1 /proc/uptime)" -lt "$end" ] || [ $times -lt 3 ]; do
        remove
        busybox insmod /tmp/victim.ko
        times=$((times + 1))
    done
    echo "removed and loaded $times times"
}

life() { # VICTIM SECONDS
    module_load "$1" victim
    module_load gone gone # now, since it is bound to addresses of this boot only
    sleep 1
    remove # which the probes do not prevent
    [ -z "$(grep '^victim ' /proc/modules)" ]
    busybox insmod /tmp/victim.ko
    churn "$2"
    busybox rmmod gone
    remove
    module_verdict gone
    dmesg | grep -q 'have gone with the text of module victim'
}

run() { # ROUND
    long=$([ "$1" = 2 ] && echo "$seconds" || echo 0)
    life victim 0
    life victim-sites "$long"
    ! text_from_now || life victim "$long"
}
text_kept run
