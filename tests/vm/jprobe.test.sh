# SPDX-License-Identifier: GPL-2.0-only
# timeout: 200
# kernels: all
# jprobes and the core's exports (jprobe.kernel.c).
. tests/vm/module.sh
spile-run --load
module_test jprobe
spile-run --unload
