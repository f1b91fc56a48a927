# SPDX-License-Identifier: GPL-2.0-only
# timeout: 900
# kernels: all
# A probed module can be removed, and its probes become GONE (gone.kernel.c, victim.kernel.c); then it
# is loaded and removed, over and over, while two threads hit it and one registers and unregisters.
# SPILE_STRESS_SECONDS says for how long (default 5).
seconds=${SPILE_STRESS_SECONDS:-5}

fit() { # OBJECT NAME
    spile-run --fit "build/tests/vm/$1.o" "$2" "/tmp/$2.ko"
}

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

run() { # VICTIM SECONDS
    dmesg -c >/dev/null
    fit "$1" victim
    busybox insmod /tmp/victim.ko
    fit gone gone # now, since it is bound to addresses of this boot only
    busybox insmod /tmp/gone.ko
    sleep 1
    remove # which the probes do not prevent
    ! grep -q '^victim ' /proc/modules
    busybox insmod /tmp/victim.ko
    churn "$2"
    busybox rmmod gone
    remove
    dmesg | grep 'gone-test:' || echo "no verdict"
    dmesg | grep -q 'have gone with the text of module victim'
    dmesg | grep -q 'gone-test: done, 0 failures'
}

for round in 1 2; do
    before=$(text-sum --save /tmp/text)
    spile-run --load
    run victim 1
    run victim-sites "$([ $round = 2 ] && echo "$seconds" || echo 1)"
    spile-run --unload
    after=$(text-sum)
done
if [ "$before" != "$after" ]; then
    echo "text differs:"
    text-sum --diff /tmp/text
    exit 1
fi
