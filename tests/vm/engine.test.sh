# SPDX-License-Identifier: GPL-2.0-only
# timeout: 200
# kernels: all
# The engine from inside the kernel (engine.kernel.c).
. tests/vm/module.sh
run() {
    module_test engine
}
text_kept run
