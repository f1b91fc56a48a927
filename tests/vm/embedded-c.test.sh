# SPDX-License-Identifier: GPL-2.0-only
# timeout: 90
# kernels: all
# C code in scripts, inside the kernel: the same script and expectations as in the process home.
SPILE_CACHE=/tmp/cache
export SPILE_CACHE
script=tests/script/run-ok/embedded-c.stp
sed -n 's/^# out: //p' $script >/tmp/want
spile -g $script >/tmp/out
diff /tmp/want /tmp/out
