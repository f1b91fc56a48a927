# The compiler flags of the core and of every script module (kernel home).
CORE_CFLAGS := -nostdinc -isystem $(shell $(CC) -print-file-name=include) -std=gnu11 -O2 \
  -fno-strict-aliasing -fno-common -fshort-wchar -fno-PIE \
  -mno-sse -mno-mmx -mno-sse2 -mno-3dnow -mno-avx -m64 -mno-80387 -mno-fp-ret-in-387 \
  -mpreferred-stack-boundary=3 -mskip-rax-setup -mtune=generic -mno-red-zone -mcmodel=kernel \
  -fno-asynchronous-unwind-tables -fno-jump-tables -fno-delete-null-pointer-checks \
  -fno-stack-protector -fno-strict-overflow -fcf-protection=branch \
  -mindirect-branch=thunk-extern -mindirect-branch-register -mindirect-branch-cs-prefix \
  -mfunction-return=thunk-extern -mharden-sls=all -fconserve-stack \
  -fno-omit-frame-pointer -fno-optimize-sibling-calls -ffreestanding -g0
