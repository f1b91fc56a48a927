// SPDX-License-Identifier: GPL-2.0-only
/*
 * One guest from start to end. A single loop polls everything: the port, QEMU's stderr, signals,
 * the command's stdin, and the output that is waiting to be written. While output waits, the port
 * is not read; so a slow reader slows the command in the guest down, and nothing piles up here.
 *
 *	BOOTING --READY--> RUNNING --EXIT--> done
 *	   |  ^               | ^ '---- QEMU ends ----> panic, if the log says so
 *	   |  |               | '--first frame-- WARMING
 *	   |  '---------------|-- QEMU ends, 20 s ---'
 *	   |                  '---- time is over --> ask where it is, NMI, done
 *	   '---- FAIL, QEMU ends, 120 s -----------> error: could not start
 *
 * WARMING is a guest that goes on from a saved state (vm/warm.h): it is sent its job at once.
 */
#include "vm/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/strbuf.h"
#include "vm/guest/proto.h"
#include "vm/initrd.h"
#include "vm/kernel.h"
#include "vm/qemu.h"
#include "vm/story.h"
#include "vm/warm.h"

#define BOOT_LIMIT_S 120 /* a busy machine without KVM takes long; a boot that hangs takes forever */
#define WARM_LIMIT_S 20
#define GRACE_MS 3000    /* for the command after a signal, for the kernel after the NMI */
#define SHARES_MAX 8

extern char **environ;

enum run_state { RUN_WARMING, RUN_BOOTING, RUN_RUNNING, RUN_DONE };

struct run {
	const struct vm_options *options;
	struct vm_result *result;
	struct qemu_config config;
	struct qemu qemu;
	enum run_state state;
	const char *dir;       /* of the kernel */
	char *release, *log_path;
	char *vmlinux, *initrd;
	char *warm;            /* path of the saved state, whether there or not; NULL: keep none */
	const char *shares[SHARES_MAX + 1];
	char *share_paths[SHARES_MAX]; /* the same, owned */
	int64_t started_ms, deadline_ms; /* INT64_MAX: none */
	int signals;           /* signalfd */
	int ending_signal;     /* first signal that asked us to end; 0: none */
	bool stdin_wanted;     /* the guest waits for a STDIN frame */
	char in[2 * (sizeof(struct vm_frame) + VM_FRAME_MAX)]; /* from the port */
	size_t in_len;
	char waiting[VM_FRAME_MAX]; /* output on its way out */
	size_t waiting_at, waiting_len;
	int waiting_fd;
	struct strbuf qemu_said;
	struct error *error;   /* why the command never started */
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ll + ts.tv_nsec / 1000000;
}

static void run_fail(struct run *run, struct error *error)
{
	if (run->error)
		error_destroy(error);
	else
		run->error = error;
	run->state = RUN_DONE;
}

static void run_exited(struct run *run, int status)
{
	run->result->outcome = VM_EXITED;
	run->result->status = status;
	run->state = RUN_DONE;
}

/* --- to the guest ------------------------------------------------------------------------------ */

static void port_send(struct run *run, enum vm_frame_type type, const void *data, size_t len)
{
	struct vm_frame head = { .type = type, .len = len };
	struct strbuf out;
	size_t at = 0;

	strbuf_init(&out);
	strbuf_add(&out, &head, sizeof(head));
	strbuf_add(&out, data, len);
	while (at < out.len) {
		ssize_t n = send(run->qemu.port, out.data + at, out.len - at, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break; /* QEMU is gone; its end is noticed where the port is read */
		at += n;
	}
	strbuf_deinit(&out);
}

static void add_string(struct strbuf *out, const char *s)
{
	strbuf_add(out, s, strlen(s) + 1);
}

static void add_number(struct strbuf *out, int64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, n);
	add_string(out, text);
}

static void add_random(struct strbuf *out)
{
	uint64_t bytes[4] = { 0 };

	if (getrandom(bytes, sizeof(bytes), 0) < 0)
		bytes[0] = now_ms();
	strbuf_addf(out, "%016" PRIx64 "%016" PRIx64 "%016" PRIx64 "%016" PRIx64, bytes[0],
		    bytes[1], bytes[2], bytes[3]);
	strbuf_addc(out, '\0');
}

static void add_strings(struct strbuf *out, char *const *list)
{
	int n = 0;

	while (list[n])
		n++;
	add_number(out, n);
	for (int i = 0; i < n; i++)
		add_string(out, list[i]);
}

/* This process's environment, but for what says which kernel it is: RELEASE, and where its
 * description lies, which the guest sees at the same place. */
static void add_environment(struct strbuf *out, const struct run *run)
{
	static const char vm[] = "SPILE_VM=", dir[] = "SPILE_KERNEL_DIR=";
	struct strbuf list;
	int n = 2;

	strbuf_init(&list);
	for (char **e = environ; *e; e++) {
		if (!strncmp(*e, vm, strlen(vm)) || !strncmp(*e, dir, strlen(dir)))
			continue;
		add_string(&list, *e);
		n++;
	}
	add_number(out, n);
	strbuf_addf(out, "%s%s%c%s%s%c", vm, run->release, 0, dir, run->dir, 0);
	if (list.len)
		strbuf_add(out, list.data, list.len);
	strbuf_deinit(&list);
}

static void send_job(struct run *run)
{
	_cleanup_free_ char *modules = NULL, *here = NULL;
	const char *cwd = run->options->cwd;
	struct strbuf job;
	int n = 0;

	if (!cwd)
		cwd = here = getcwd(NULL, 0);
	if (asprintf(&modules, "%s/modules", run->dir) < 0)
		abort();
	strbuf_init(&job);
	add_number(&job, time(NULL));
	add_random(&job);
	add_string(&job, cwd ? cwd : "/");
	add_string(&job, modules);
	add_string(&job, run->release);
	while (run->shares[n])
		n++;
	add_number(&job, n);
	for (int i = 0; i < n; i++) {
		char tag[32];

		snprintf(tag, sizeof(tag), "share%d", i);
		add_string(&job, tag);
		add_string(&job, run->shares[i]);
	}
	add_strings(&job, run->options->argv);
	add_environment(&job, run);
	port_send(run, VM_FRAME_JOB, job.data, job.len);
	strbuf_deinit(&job);
}

static void send_signal(struct run *run, uint32_t sig)
{
	if (run->state == RUN_RUNNING)
		port_send(run, VM_FRAME_SIGNAL, &sig, sizeof(sig));
}

/* --- from the guest ---------------------------------------------------------------------------- */

/* From here on the time limit is the command's. */
static void command_runs(struct run *run, const char *how, const char *from)
{
	int64_t now = now_ms();

	if (run->options->verbose)
		kernel_progress("%s %s after %.1f s%s%s", run->release, how,
				(now - run->started_ms) / 1000.0, from ? ", from " : "",
				from ? from : "");
	run->state = RUN_RUNNING;
	run->deadline_ms = run->options->timeout_s ? now + run->options->timeout_s * 1000ll
						   : INT64_MAX;
}

static void guest_ready(struct run *run)
{
	if (run->warm)
		warm_save(&run->qemu, run->warm);
	command_runs(run, "is up", NULL);
	send_job(run);
}

static void take_frame(struct run *run, const struct vm_frame *head, const char *data)
{
	uint32_t status;

	if (run->state == RUN_WARMING)
		command_runs(run, "goes on", run->warm);
	switch (head->type) {
	case VM_FRAME_READY:
		guest_ready(run);
		break;
	case VM_FRAME_STDIN_MORE:
		run->stdin_wanted = true;
		break;
	case VM_FRAME_OUT:
	case VM_FRAME_ERR:
		memcpy(run->waiting, data, head->len);
		run->waiting_at = 0;
		run->waiting_len = head->len;
		run->waiting_fd = head->type == VM_FRAME_OUT ? run->options->out : run->options->err;
		break;
	case VM_FRAME_EXIT:
		memcpy(&status, data, sizeof(status));
		run_exited(run, status);
		break;
	case VM_FRAME_FAIL:
		run_fail(run, error_create(EIO, "guest: %.*s", (int)head->len, data));
		break;
	default:
		run_fail(run, error_create(EPROTO, "the guest sent a frame of type %u", head->type));
	}
}

/* Takes whole frames off the input, up to one with output, which has to be written first. */
static void take_frames(struct run *run)
{
	size_t at = 0;

	while (!run->waiting_len && run->state != RUN_DONE) {
		struct vm_frame head;

		if (run->in_len - at < sizeof(head))
			break;
		memcpy(&head, run->in + at, sizeof(head));
		if (head.len > VM_FRAME_MAX) {
			run_fail(run, error_create(EPROTO, "the guest sent a frame of %u bytes",
						   head.len));
			return;
		}
		if (run->in_len - at < sizeof(head) + head.len)
			break;
		take_frame(run, &head, run->in + at + sizeof(head));
		at += sizeof(head) + head.len;
	}
	memmove(run->in, run->in + at, run->in_len - at);
	run->in_len -= at;
}

/* Writes in pieces that a pipe which polls writable takes without blocking. */
static void write_waiting(struct run *run)
{
	size_t len = run->waiting_len - run->waiting_at;
	ssize_t n = write(run->waiting_fd, run->waiting + run->waiting_at, len < 4096 ? len : 4096);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n < 0) {
		/* Nobody reads any more: what the command would feel if it wrote there itself. */
		if (errno == EPIPE)
			send_signal(run, SIGPIPE);
		run->waiting_len = 0;
		return;
	}
	run->waiting_at += n;
	if (run->waiting_at == run->waiting_len)
		run->waiting_len = 0;
}

static void read_stdin(struct run *run)
{
	char buf[VM_FRAME_MAX];
	ssize_t n = read(run->options->in, buf, sizeof(buf));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	run->stdin_wanted = false;
	port_send(run, VM_FRAME_STDIN, buf, n > 0 ? n : 0);
}

/* --- ends -------------------------------------------------------------------------------------- */

static char *read_log(struct run *run)
{
	char *log = NULL;
	size_t len;
	struct error *error = file_read(run->log_path, &log, &len);

	error_destroy(error);
	if (!log)
		return strdup("");
	for (size_t i = 0; i < len; i++) {
		if (!log[i])
			log[i] = '?';
	}
	return log;
}

/* The saved state was of no use: as if there had been none. */
static void boot_instead(struct run *run)
{
	unlink(run->warm);
	qemu_stop(&run->qemu);
	strbuf_deinit(&run->qemu_said);
	run->in_len = 0;
	run->config.state = NULL;
	run->state = RUN_BOOTING;
	run->deadline_ms = now_ms() + BOOT_LIMIT_S * 1000;
	run->error = qemu_start(&run->config, &run->qemu);
	if (run->error)
		run->state = RUN_DONE;
}

static void qemu_ended(struct run *run)
{
	_cleanup_free_ char *log = read_log(run);
	struct strbuf story;

	if (run->state == RUN_WARMING && !story_has_panic(log)) {
		boot_instead(run);
		return;
	}
	strbuf_init(&story);
	if (run->state == RUN_RUNNING || story_has_panic(log)) {
		run->result->outcome = VM_PANICKED;
		run->result->status = VM_STATUS_PANICKED;
		if (story_has_panic(log)) {
			story_add_panic(&story, log);
		} else {
			strbuf_adds(&story, "guest ended without a panic message (QEMU said: ");
			strbuf_adds(&story, run->qemu_said.len ? run->qemu_said.data : "nothing");
			strbuf_adds(&story, ")\nlast lines of the kernel log:\n");
			story_add_tail(&story, log, 10);
		}
		run->result->story = strbuf_steal(&story);
		run->state = RUN_DONE;
		return;
	}
	story_add_tail(&story, log, 10);
	run_fail(run, error_create(EIO, "the guest did not start: QEMU said: %s\n%s",
				   run->qemu_said.len ? run->qemu_said.data : "nothing",
				   story.data ? story.data : ""));
	strbuf_deinit(&story);
}

static char *read_kallsyms(struct run *run)
{
	_cleanup_free_ char *path = NULL;
	char *text = NULL;
	size_t len;

	if (asprintf(&path, "%s/kallsyms", run->dir) < 0)
		abort();
	error_destroy(file_read(path, &text, &len));
	return text;
}

/* The monitor quotes its answer as JSON: line ends come as \r\n, written out. */
static void unquote_lines(char *s)
{
	for (; (s = strchr(s, '\\')); s++) {
		if (s[1] == 'n' || s[1] == 'r') {
			s[0] = ' ';
			s[1] = '\n';
		}
	}
}

/* Where every processor is; and, by an NMI which the kernel answers with a panic, how it got there
 * and how far the kernel was moved at boot. */
static void examine_hang(struct run *run, struct strbuf *story)
{
	_cleanup_free_ char *registers = NULL, *answer = NULL, *log = NULL, *kallsyms = NULL;
	int64_t end = now_ms() + GRACE_MS;

	registers = qemu_monitor(&run->qemu, "{\"execute\":\"human-monitor-command\",\"arguments\":"
				 "{\"command-line\":\"info registers -a\"}}", GRACE_MS);
	answer = qemu_monitor(&run->qemu, "{\"execute\":\"inject-nmi\"}", GRACE_MS);
	/* The panic ends QEMU, which closes its stderr. */
	while (answer && now_ms() < end) {
		char c;

		if (poll(&(struct pollfd){ .fd = run->qemu.errors, .events = POLLIN }, 1, 100) > 0 &&
		    read(run->qemu.errors, &c, 1) == 0)
			break;
	}
	log = read_log(run);
	kallsyms = read_kallsyms(run);
	if (registers) {
		unquote_lines(registers);
		strbuf_adds(story, "it was at:\n");
		story_add_places(story, registers, log, kallsyms);
	}
	strbuf_adds(story, "kernel log, with what an NMI found on one of the processors:\n");
	story_add_trouble(story, log);
}

static void time_over(struct run *run)
{
	struct strbuf story;

	strbuf_init(&story);
	if (run->state == RUN_BOOTING) {
		examine_hang(run, &story);
		run_fail(run, error_create(ETIMEDOUT, "the guest did not start within %d s; %s",
					   BOOT_LIMIT_S, story.data));
		strbuf_deinit(&story);
		return;
	}
	strbuf_addf(&story, "time-out: the command did not end within %u s; ",
		    run->options->timeout_s);
	examine_hang(run, &story);
	run->result->outcome = VM_TIMED_OUT;
	run->result->status = VM_STATUS_TIMED_OUT;
	run->result->story = strbuf_steal(&story);
	run->state = RUN_DONE;
}

/* When the grace after a signal is over, or the deadline. */
static void deadline_reached(struct run *run)
{
	if (run->ending_signal)
		run_exited(run, 128 + run->ending_signal);
	else if (run->state == RUN_WARMING)
		boot_instead(run);
	else
		time_over(run);
}

static void take_signal(struct run *run)
{
	struct signalfd_siginfo info;

	if (read(run->signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (run->ending_signal || run->state != RUN_RUNNING) {
		run_exited(run, 128 + info.ssi_signo);
		return;
	}
	run->ending_signal = info.ssi_signo;
	run->deadline_ms = now_ms() + GRACE_MS;
	send_signal(run, info.ssi_signo);
}

/* --- the loop ---------------------------------------------------------------------------------- */

static void read_port(struct run *run)
{
	ssize_t n = read(run->qemu.port, run->in + run->in_len, sizeof(run->in) - run->in_len);

	if (n < 0 && errno == EINTR)
		return;
	if (n <= 0) {
		qemu_ended(run);
		return;
	}
	run->in_len += n;
}

static void read_qemu_errors(struct run *run)
{
	char buf[1024];
	ssize_t n = read(run->qemu.errors, buf, sizeof(buf));

	if (n > 0)
		strbuf_add(&run->qemu_said, buf, n);
}

static int poll_timeout(const struct run *run)
{
	int64_t left = run->deadline_ms - now_ms();

	if (run->deadline_ms == INT64_MAX)
		return -1;
	if (left > 60000)
		return 60000;
	return left > 0 ? (int)left : 0;
}

static void run_step(struct run *run)
{
	bool writing = run->waiting_len > 0;
	struct pollfd fds[] = {
		{ .fd = run->signals, .events = POLLIN },
		{ .fd = run->qemu.errors, .events = POLLIN },
		{ .fd = writing ? -1 : run->qemu.port, .events = POLLIN },
		{ .fd = writing ? run->waiting_fd : -1, .events = POLLOUT },
		{ .fd = run->stdin_wanted ? run->options->in : -1, .events = POLLIN },
	};

	if (poll(fds, 5, poll_timeout(run)) < 0)
		return;
	if (fds[0].revents)
		take_signal(run);
	if (fds[1].revents & POLLIN)
		read_qemu_errors(run);
	if (fds[3].revents)
		write_waiting(run);
	if (fds[4].revents)
		read_stdin(run);
	if (fds[2].revents && run->state != RUN_DONE)
		read_port(run);
	if (run->state != RUN_DONE)
		take_frames(run);
	if (run->state != RUN_DONE && now_ms() >= run->deadline_ms)
		deadline_reached(run);
}

static void run_loop(struct run *run)
{
	sigset_t set, before;
	struct sigaction ignore = { .sa_handler = SIG_IGN }, pipe_before;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, &before);
	sigaction(SIGPIPE, &ignore, &pipe_before);
	run->signals = signalfd(-1, &set, SFD_CLOEXEC);
	while (run->state != RUN_DONE)
		run_step(run);
	close(run->signals);
	sigaction(SIGPIPE, &pipe_before, NULL);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

/* --- preparation ------------------------------------------------------------------------------- */

static struct error *run_add_share(struct run *run, const char *path)
{
	char *full = realpath(path, NULL);
	int n = 0;

	if (!full)
		return error_create(errno, "cannot share %s: %s", path, strerror(errno));
	while (run->shares[n])
		n++;
	if (n == SHARES_MAX) {
		free(full);
		return error_create(E2BIG, "more than %d shared folders", SHARES_MAX);
	}
	run->shares[n] = run->share_paths[n] = full;
	if (!strcmp(full, "/"))
		return error_create(EINVAL, "sharing / would let the guest write everywhere; name "
					    "the folder that the command needs");
	return NULL;
}

static struct error *run_add_shares(struct run *run)
{
	const char *const *shares = run->options->shares;
	_cleanup_free_ char *here = NULL;
	struct error *error = NULL;

	if (!shares) {
		here = getcwd(NULL, 0);
		return here && strcmp(here, "/") ? run_add_share(run, here) : NULL;
	}
	for (; *shares && !error; shares++)
		error = run_add_share(run, *shares);
	return error;
}

static struct error *run_open_log(struct run *run)
{
	const char *tmp = getenv("TMPDIR");
	int fd;

	if (run->options->log_path) {
		run->log_path = strdup(run->options->log_path);
		fd = open(run->log_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	} else {
		if (asprintf(&run->log_path, "%s/spile-vm-XXXXXX.log", tmp && *tmp ? tmp : "/tmp") < 0)
			abort();
		fd = mkostemps(run->log_path, 4, O_CLOEXEC);
	}
	if (fd < 0)
		return error_create(errno, "cannot write %s: %s", run->log_path, strerror(errno));
	close(fd);
	return NULL;
}

static struct error *read_release(const char *dir, char **ret)
{
	_cleanup_free_ char *path = NULL;
	struct error *error;
	size_t len;

	if (asprintf(&path, "%s/release", dir) < 0)
		abort();
	error = file_read(path, ret, &len);
	if (!error)
		(*ret)[strcspn(*ret, "\n")] = '\0';
	return error;
}

static bool decide_kvm(const struct vm_options *options)
{
	const char *why = "asked for";
	bool kvm = options->accel == VM_ACCEL_KVM;

	if (options->accel == VM_ACCEL_AUTO) {
		why = "it works here";
		kvm = qemu_kvm_works(&why);
	}
	if (options->verbose)
		kernel_progress("acceleration: %s (%s)", kvm ? "KVM" : "TCG", why);
	return kvm;
}

static void run_configure(struct run *run)
{
	const struct vm_options *options = run->options;

	run->config = (struct qemu_config){
		.vmlinux = run->vmlinux,
		.initrd = run->initrd,
		.log_path = run->log_path,
		.append = options->append,
		.memory_mb = options->memory_mb ? options->memory_mb : 1024,
		.cpus = options->cpus ? options->cpus : 2,
		.kvm = decide_kvm(options),
		.nokaslr = options->nokaslr,
		.shares = run->shares,
	};
	if (!options->cold)
		run->warm = warm_path(run->dir, &run->config);
	if (run->warm && access(run->warm, R_OK) == 0)
		run->config.state = run->warm;
}

static struct error *run_start(struct run *run)
{
	struct error *error;

	if (asprintf(&run->vmlinux, "%s/vmlinux", run->dir) < 0)
		abort();
	error = read_release(run->dir, &run->release);
	if (!error)
		error = initrd_prepare(run->dir, &run->initrd);
	if (!error)
		error = run_add_shares(run);
	if (!error)
		error = run_open_log(run);
	if (error)
		return error;
	run_configure(run);
	run->started_ms = now_ms();
	error = qemu_start(&run->config, &run->qemu);
	if (error)
		return error;
	run->state = run->config.state ? RUN_WARMING : RUN_BOOTING;
	run->deadline_ms = run->started_ms +
			   (run->config.state ? WARM_LIMIT_S : BOOT_LIMIT_S) * 1000;
	if (run->state == RUN_WARMING)
		send_job(run);
	return NULL;
}

static void run_deinit(struct run *run)
{
	if (run->log_path && !run->options->log_path)
		unlink(run->log_path);
	for (int i = 0; i < SHARES_MAX; i++)
		free(run->share_paths[i]);
	strbuf_deinit(&run->qemu_said);
	free(run->log_path);
	free(run->release);
	free(run->vmlinux);
	free(run->initrd);
	free(run->warm);
}

/* Runs with the kernel in `dir`. */
static struct error *run_in(const char *dir, const struct vm_options *options,
			    struct vm_result *ret)
{
	struct run *run = calloc(1, sizeof(*run));
	struct error *error;

	if (!run)
		abort();
	run->options = options;
	run->result = ret;
	run->dir = dir;
	strbuf_init(&run->qemu_said);
	error = run_start(run);
	if (!error) {
		run_loop(run);
		qemu_stop(&run->qemu);
		error = run->error;
	}
	run_deinit(run);
	free(run);
	return error;
}

struct error *vm_run(const struct vm_options *options, struct vm_result *ret)
{
	_cleanup_free_ char *dir = NULL;
	struct error *error;

	*ret = (struct vm_result){ 0 };
	error = kernel_fetch(options->kernel, &dir);
	return error ? error : run_in(dir, options, ret);
}

void vm_result_deinit(struct vm_result *result)
{
	free(result->story);
	result->story = NULL;
}
