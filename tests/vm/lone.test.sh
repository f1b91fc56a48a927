# SPDX-License-Identifier: GPL-2.0-only
# timeout: 200
# kernels: all
# Probes alone at their function (lone.kernel.c).
. tests/vm/module.sh
run() {
    module_test lone
}
text_kept run
