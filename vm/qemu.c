// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine is as small as one that runs Debian's kernel unchanged can be: PVH, so that no boot
 * loader or decompressor runs; no disk, network card or display; a serial port for the kernel log,
 * one virtio-serial port for guest/proto.h, and 9p for files. vm/README.md has the measurements behind the choices here.
 */
#include "vm/qemu.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/strbuf.h"
#include "vm/guest/proto.h"

#define PROGRAM "qemu-system-x86_64"

/* Kernel parameters, and what each is for. */
static const char kernel_parameters[] =
	"console=ttyS0 loglevel=5 "
	/* a panic, an oops too, ends QEMU at once; so does an NMI, by which a hang is examined */
	"panic=-1 oops=panic unknown_nmi_panic reboot=t "
	/* a guest that the host doesn't schedule for seconds is not locked up */
	"nowatchdog rcupdate.rcu_cpu_stall_suppress=1 "
	/* time: nothing to calibrate or to doubt */
	"tsc=reliable no_timer_check "
	"random.trust_cpu=on cryptomgr.notests";

/* Without "erms" the kernel clears and copies by words, not by bytes, and each takes its time here. */
const char qemu_cpu[] = "max,la57=off,-erms";

const char *qemu_kernel_parameters(void)
{
	return kernel_parameters;
}

/* --- arguments --------------------------------------------------------------------------------- */

struct args {
	char *v[128];
	int n;
};

__attribute__((format(printf, 2, 3))) static void arg(struct args *args, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (args->n >= 127 || vasprintf(&args->v[args->n++], fmt, ap) < 0)
		abort();
	va_end(ap);
	args->v[args->n] = NULL;
}

static void args_deinit(struct args *args)
{
	while (args->n)
		free(args->v[--args->n]);
}

/* In QEMU's option lists a comma in a value is written twice. The caller frees. */
static char *doubled_commas(const char *s)
{
	struct strbuf out;

	strbuf_init(&out);
	for (; *s; s++) {
		strbuf_addc(&out, *s);
		if (*s == ',')
			strbuf_addc(&out, ',');
	}
	return strbuf_steal(&out);
}

static void arg_folder(struct args *args, const char *id, const char *tag, const char *path,
		       bool readonly)
{
	_cleanup_free_ char *quoted = doubled_commas(path);

	arg(args, "-fsdev");
	arg(args, "local,id=%s,path=%s,security_model=none,multidevs=remap%s", id, quoted,
	    readonly ? ",readonly=on" : "");
	arg(args, "-device");
	arg(args, "virtio-9p-pci,fsdev=%s,mount_tag=%s", id, tag);
}

static void args_machine(struct args *args, const struct qemu_config *config)
{
	const char *thread = getenv("SPILE_TCG_THREAD");

	arg(args, "-machine");
	arg(args, "q35,usb=off,vmport=off,hpet=off");
	if (config->kvm) {
		arg(args, "-accel");
		arg(args, "kvm");
	}
	/*
	 * With both given, QEMU takes TCG by itself where KVM does not start. With a thread for each
	 * CPU, QEMU before 8.1 may translate code that another CPU is just changing, and keep the stale
	 * translation; tests that change text all the time want one thread for all CPUs.
	 */
	arg(args, "-accel");
	arg(args, "tcg,thread=%s", thread && *thread ? thread : "multi");
	arg(args, "-cpu");
	arg(args, "%s", qemu_cpu);
	arg(args, "-m");
	arg(args, "%u", config->memory_mb);
	arg(args, "-smp");
	arg(args, "%u", config->cpus);
	arg(args, "-nodefaults");
	arg(args, "-no-user-config");
	arg(args, "-display");
	arg(args, "none");
	arg(args, "-no-reboot");
}

static void args_kernel(struct args *args, const struct qemu_config *config)
{
	arg(args, "-kernel");
	arg(args, "%s", config->vmlinux);
	arg(args, "-initrd");
	arg(args, "%s", config->initrd);
	arg(args, "-append");
	arg(args, "%s%s%s%s", kernel_parameters, config->nokaslr ? " nokaslr" : "",
	    config->append ? " " : "", config->append ? config->append : "");
}

static void args_channels(struct args *args, const struct qemu_config *config, int port, int monitor)
{
	_cleanup_free_ char *log = doubled_commas(config->log_path);

	arg(args, "-chardev");
	arg(args, "file,id=log,path=%s", log);
	arg(args, "-serial");
	arg(args, "chardev:log");
	arg(args, "-chardev");
	arg(args, "socket,id=port,fd=%d", port);
	arg(args, "-device");
	arg(args, "virtio-serial-pci,max_ports=2");
	arg(args, "-device");
	arg(args, "virtserialport,chardev=port,name=%s", VM_PORT_NAME);
	arg(args, "-chardev");
	arg(args, "socket,id=monitor,fd=%d", monitor);
	arg(args, "-mon");
	arg(args, "chardev=monitor,mode=control");
}

/* What qemu_start() opened for QEMU to inherit. */
struct ends {
	int port, monitor, errors;
	int state; /* -1: none */
};

static void args_build(struct args *args, const struct qemu_config *config,
		       const struct ends *ends)
{
	char tag[32];

	arg(args, PROGRAM);
	arg(args, "-name");
	arg(args, "spile-vm");
	args_machine(args, config);
	args_kernel(args, config);
	args_channels(args, config, ends->port, ends->monitor);
	if (ends->state >= 0) {
		arg(args, "-incoming");
		arg(args, "fd:%d", ends->state);
	}
	arg_folder(args, "root", VM_ROOT_TAG, "/", true);
	for (int i = 0; config->shares[i]; i++) {
		snprintf(tag, sizeof(tag), "share%d", i);
		arg_folder(args, tag, tag, config->shares[i], false);
	}
}

/* --- the process ------------------------------------------------------------------------------- */

bool qemu_kvm_works(const char **why)
{
	_cleanup_free_ char *cpuinfo = NULL;
	struct error *error;
	size_t len;

	if (access("/dev/kvm", R_OK | W_OK) < 0) {
		*why = errno == ENOENT ? "there is no /dev/kvm" : "/dev/kvm is not accessible";
		return false;
	}
	error = file_read("/proc/cpuinfo", &cpuinfo, &len);
	error_destroy(error);
	/* Some virtual machines offer a /dev/kvm under which no guest ever gets anywhere. */
	if (!cpuinfo || (!strstr(cpuinfo, " vmx") && !strstr(cpuinfo, " svm"))) {
		*why = "/proc/cpuinfo has neither vmx nor svm";
		return false;
	}
	return true;
}

static void inherit(int fd)
{
	if (fd >= 0)
		fcntl(fd, F_SETFD, 0);
}

__attribute__((noreturn)) static void qemu_exec(struct args *args, const struct ends *ends)
{
	int null = open("/dev/null", O_RDWR);
	sigset_t none;

	/* Not the terminal's: Ctrl-C goes to the command in the guest. Not longer than we live. */
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	dup2(null, 0);
	dup2(null, 1);
	dup2(ends->errors, 2);
	inherit(ends->port);
	inherit(ends->monitor);
	inherit(ends->state);
	execvp(args->v[0], args->v);
	dprintf(2, "%s: %s (Debian package qemu-system-x86)", args->v[0], strerror(errno));
	_exit(127);
}

static void close_all(const int *fds, int n)
{
	for (int i = 0; i < n; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
}

/* Opens both sides of every channel, all or none. */
static struct error *open_channels(struct qemu *ours, struct ends *theirs)
{
	int fds[6] = { -1, -1, -1, -1, -1, -1 };
	int err;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds + 2) < 0 ||
	    pipe2(fds + 4, O_CLOEXEC) < 0) {
		err = errno;
		close_all(fds, 6);
		return error_create(err, "cannot make the channels to QEMU: %s", strerror(err));
	}
	ours->port = fds[0];
	theirs->port = fds[1];
	ours->monitor = fds[2];
	theirs->monitor = fds[3];
	ours->errors = fds[4];
	theirs->errors = fds[5];
	return NULL;
}

struct error *qemu_start(const struct qemu_config *config, struct qemu *ret)
{
	struct args args = { .n = 0 };
	struct ends ends = { -1, -1, -1, -1 };
	struct error *error = open_channels(ret, &ends);

	if (error)
		return error;
	ends.state = config->state ? open(config->state, O_RDONLY | O_CLOEXEC) : -1;
	args_build(&args, config, &ends);
	ret->pid = fork();
	if (ret->pid == 0)
		qemu_exec(&args, &ends);
	args_deinit(&args);
	close_all((int[]){ ends.port, ends.monitor, ends.errors, ends.state }, 4);
	if (ret->pid < 0) {
		qemu_stop(ret);
		return error_create(EAGAIN, "cannot fork for " PROGRAM);
	}
	return NULL;
}

void qemu_stop(struct qemu *qemu)
{
	if (qemu->pid > 0) {
		kill(qemu->pid, SIGKILL);
		while (waitpid(qemu->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	qemu->pid = 0;
	close(qemu->port);
	close(qemu->monitor);
	close(qemu->errors);
}

/* --- the monitor ------------------------------------------------------------------------------- */

/* Reads lines until one is an answer ("return" or "error"); greetings and events are skipped. */
static char *monitor_answer(int fd, int ms)
{
	struct strbuf line;
	char c;

	strbuf_init(&line);
	while (poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, ms) > 0) {
		if (read(fd, &c, 1) != 1)
			break;
		if (c != '\n') {
			strbuf_addc(&line, c);
			continue;
		}
		if (line.data && (!strncmp(line.data, "{\"return\"", 9) ||
				  !strncmp(line.data, "{\"error\"", 8)))
			return strbuf_steal(&line);
		strbuf_deinit(&line);
		strbuf_init(&line);
	}
	strbuf_deinit(&line);
	return NULL;
}

static char *monitor_send(int fd, const char *command, int ms)
{
	if (send(fd, command, strlen(command), MSG_NOSIGNAL) < 0 ||
	    send(fd, "\n", 1, MSG_NOSIGNAL) < 0)
		return NULL;
	return monitor_answer(fd, ms);
}

char *qemu_monitor(struct qemu *qemu, const char *command, int ms)
{
	/* Needed once; harmless (an error answer) afterwards. */
	_cleanup_free_ char *hello =
		monitor_send(qemu->monitor, "{\"execute\":\"qmp_capabilities\"}", ms);

	return hello ? monitor_send(qemu->monitor, command, ms) : NULL;
}
