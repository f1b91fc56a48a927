// SPDX-License-Identifier: GPL-2.0-only
/* spile-vm - run a command in a guest with a stock Debian kernel. The work is in vm/. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vm/vm.h"

#define SHARES_MAX 8

static const char usage[] =
	"usage: spile-vm [OPTION]... -- COMMAND [ARGUMENT]...\n"
	"Runs COMMAND under a stock Debian kernel in QEMU. The guest sees this machine's files\n"
	"read-only, the shared folders read-write, and a /tmp of its own.\n"
	"\n"
	"  -k, --kernel NAME    5.10, 6.1 (default), 6.12, newest, or a release fetched before\n"
	"  -m, --memory MB      of the guest (1024)\n"
	"      --smp N          processors of the guest (2)\n"
	"      --share DIR      read-write folder; may be given several times (current folder)\n"
	"      --timeout S      end a command that runs longer, and tell where the guest was\n"
	"      --log FILE       keep the kernel log\n"
	"      --append WORDS   more for the kernel's command line\n"
	"      --nokaslr        without address randomisation\n"
	"      --accel WHAT     kvm, tcg or auto (default: kvm if it works)\n"
	"      --fetch-only     fetch and describe the kernel, run nothing\n"
	"      --print-dir      print the folder of the kernel's description, run nothing\n"
	"  -v, --verbose        tell what is used\n"
	"  -h, --help           this text\n"
	"\n"
	"Exit status: the command's (128 + n after signal n); 123 the command was not started,\n"
	"124 time-out, 125 the guest's kernel panicked.\n";

struct cli {
	struct vm_options vm;
	const char *shares[SHARES_MAX + 1];
	int share_count;
	bool fetch_only, print_dir;
};

__attribute__((noreturn)) static void bad_usage(const char *what, const char *value)
{
	fprintf(stderr, "spile-vm: %s%s%s (spile-vm --help lists the options)\n", what,
		value ? ": " : "", value ? value : "");
	exit(VM_STATUS_NOT_STARTED);
}

static unsigned int parse_number(const char *option, const char *text, unsigned int min,
				 unsigned int max)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno || end == text || *end || n < min || n > max) {
		fprintf(stderr, "spile-vm: %s takes a number from %u to %u, not \"%s\"\n", option,
			min, max, text);
		exit(VM_STATUS_NOT_STARTED);
	}
	return n;
}

static enum vm_accel parse_accel(const char *text)
{
	if (!strcmp(text, "auto"))
		return VM_ACCEL_AUTO;
	if (!strcmp(text, "kvm"))
		return VM_ACCEL_KVM;
	if (!strcmp(text, "tcg"))
		return VM_ACCEL_TCG;
	bad_usage("--accel takes kvm, tcg or auto, not", text);
}

static void add_share(struct cli *cli, const char *path)
{
	if (cli->share_count == SHARES_MAX)
		bad_usage("too many shared folders, starting with", path);
	cli->shares[cli->share_count++] = path;
	cli->vm.shares = cli->shares;
}

enum { OPT_SMP = 256, OPT_SHARE, OPT_TIMEOUT, OPT_LOG, OPT_APPEND, OPT_NOKASLR, OPT_COLD, OPT_ACCEL,
       OPT_FETCH_ONLY, OPT_PRINT_DIR };

static const struct option long_options[] = {
	{ "kernel", required_argument, NULL, 'k' },
	{ "memory", required_argument, NULL, 'm' },
	{ "smp", required_argument, NULL, OPT_SMP },
	{ "share", required_argument, NULL, OPT_SHARE },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "log", required_argument, NULL, OPT_LOG },
	{ "append", required_argument, NULL, OPT_APPEND },
	{ "nokaslr", no_argument, NULL, OPT_NOKASLR },
	{ "cold", no_argument, NULL, OPT_COLD },
	{ "accel", required_argument, NULL, OPT_ACCEL },
	{ "fetch-only", no_argument, NULL, OPT_FETCH_ONLY },
	{ "print-dir", no_argument, NULL, OPT_PRINT_DIR },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static void take_option(struct cli *cli, int option)
{
	switch (option) {
	case 'k': cli->vm.kernel = optarg; break;
	case 'm': cli->vm.memory_mb = parse_number("-m", optarg, 128, 1 << 20); break;
	case OPT_SMP: cli->vm.cpus = parse_number("--smp", optarg, 1, 64); break;
	case OPT_SHARE: add_share(cli, optarg); break;
	case OPT_TIMEOUT: cli->vm.timeout_s = parse_number("--timeout", optarg, 1, 1000000); break;
	case OPT_LOG: cli->vm.log_path = optarg; break;
	case OPT_APPEND: cli->vm.append = optarg; break;
	case OPT_NOKASLR: cli->vm.nokaslr = true; break;
	case OPT_COLD: cli->vm.cold = true; break;
	case OPT_ACCEL: cli->vm.accel = parse_accel(optarg); break;
	case OPT_FETCH_ONLY: cli->fetch_only = true; break;
	case OPT_PRINT_DIR: cli->print_dir = true; break;
	case 'v': cli->vm.verbose = true; break;
	case 'h': fputs(usage, stdout); exit(0);
	default: bad_usage("bad option", NULL);
	}
}

/* Prints an error; its status for main(). */
static int tell(struct error *error)
{
	fprintf(stderr, "spile-vm: %s\n", error->message);
	error_destroy(error);
	return VM_STATUS_NOT_STARTED;
}

static int prepare(const struct cli *cli)
{
	char *dir;
	struct error *error = vm_kernel_prepare(cli->vm.kernel, &dir);

	if (error)
		return tell(error);
	if (cli->print_dir)
		puts(dir);
	free(dir);
	return 0;
}

static int run(const struct cli *cli)
{
	struct vm_result result;
	struct error *error = vm_run(&cli->vm, &result);
	int status;

	if (error)
		return tell(error);
	if (result.story)
		fprintf(stderr, "spile-vm: %s", result.story);
	status = result.status;
	vm_result_deinit(&result);
	return status;
}

int main(int argc, char **argv)
{
	struct cli cli = { .vm = { .in = 0, .out = 1, .err = 2 } };
	int option;

	while ((option = getopt_long(argc, argv, "+k:m:vh", long_options, NULL)) != -1)
		take_option(&cli, option);
	if (cli.fetch_only || cli.print_dir)
		return prepare(&cli);
	if (optind == argc)
		bad_usage("no command given", NULL);
	cli.vm.argv = argv + optind;
	return run(&cli);
}
