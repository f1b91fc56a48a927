# SPDX-License-Identifier: GPL-2.0-only
# timeout: 240
# kernels: all
# The one core object fits this kernel, loads and unloads; and what keeps a core out is said plainly.

# says TEXT COMMAND...: the command fails with exit status 1 and says TEXT.
says() {
    text=$1
    shift
    status=0
    "$@" >/tmp/said 2>&1 || status=$?
    if [ "$status" != 1 ] || ! grep -q "$text" /tmp/said; then
        echo "status $status, expected 1 and '$text':"
        cat /tmp/said
        exit 1
    fi
}

spile-run --check >/tmp/check
tail -1 /tmp/check | grep -q "^kernel $SPILE_VM: fits: "
grep -q '^ok .* koff_task_struct_pid = ' /tmp/check
spile-run --check --json | grep -q '"fits": true'

spile-run --load
grep -q '^spile ' /proc/modules
[ "$(stat -c '%F %a %u' /dev/spile)" = "character special file 600 0" ]
spile-run --load 2>&1 | grep -q 'loaded already'

# An open session holds the core.
exec 9<>/dev/spile
says 'in use' spile-run --unload
exec 9<&-
spile-run --unload
[ ! -e /dev/spile ]
says 'not loaded' spile-run --unload

# hide PATH, hidden PATH...: an empty file or folder in its place; unhide
mkdir /tmp/empty
: >/tmp/nothing
hide() {
    if [ -d "$1" ]; then mount --bind /tmp/empty "$1"; else mount --bind /tmp/nothing "$1"; fi
}

# What the first load of this boot found out is kept: no other one reads it again. The description
# that spile-vm has of this kernel is not looked at.
described=$SPILE_KERNEL_DIR
SPILE_KERNEL_DIR=/none SPILE_CACHE=/none
export SPILE_KERNEL_DIR SPILE_CACHE
[ "$(stat -c '%a %u' /run/spile)" = '700 0' ]
for f in /proc/kallsyms /sys/kernel/btf/vmlinux "/lib/modules/$SPILE_VM"; do hide "$f"; done
spile-run --load
spile-run --unload
chmod 755 /run/spile # which others may have changed then
says . spile-run --load
chmod 700 /run/spile

# A description that has the fitted core: the first load of a boot reads as little.
mkdir /tmp/description
ln -s "$described"/* /tmp/description
umount /proc/kallsyms
umount /sys/kernel/btf/vmlinux
rm -f /tmp/description/core.ko
spile-run --fit build/kmod/spile.o spile /tmp/description/core.ko "$described"
hide /sys/kernel/btf/vmlinux
rm -r /run/spile
says . spile-run --load
SPILE_KERNEL_DIR=/tmp/description
spile-run --load
spile-run --unload
sed -i 's/srcversion=./srcversion=x/' /tmp/description/core.ko # as if of another object
rm -r /run/spile
says . spile-run --load
umount /sys/kernel/btf/vmlinux
umount "/lib/modules/$SPILE_VM"
SPILE_KERNEL_DIR=/none

# A core of another build is not taken for the one at hand.
spile-run --load
cp build/kmod/spile.o /tmp/other.o
echo >>/tmp/other.o
says 'another build of the core is loaded' spile-run --load /tmp/other.o
spile-run --unload

# Each obstacle, made by hiding what it stands for.
rm -r /run/spile
mount --bind /tmp/empty /sys/kernel/btf
says 'no BTF' spile-run --load
says 'no BTF' spile-run --check
umount /sys/kernel/btf
echo 1 >/tmp/one
mount --bind /tmp/one /proc/sys/kernel/modules_disabled
says 'modules_disabled' spile-run --load
umount /proc/sys/kernel/modules_disabled
mount --bind /tmp/empty "/lib/modules/$SPILE_VM"
says 'version' spile-run --load
umount "/lib/modules/$SPILE_VM"
before=$(cat /proc/sys/kernel/kptr_restrict)
echo 2 >/proc/sys/kernel/kptr_restrict
says 'kptr_restrict' spile-run --load
echo "$before" >/proc/sys/kernel/kptr_restrict
SPILE_CORE=/tmp/one says 'no ELF' spile-run --load
SPILE_CORE=/tmp/none says '/tmp/none' spile-run --load

# And again, since nothing of that may have left a trace.
spile-run --load
spile-run --unload
