// SPDX-License-Identifier: GPL-2.0-only
/*
 * The run loop.
 *
 * Two threads. The main thread reads the rings and prints, from before START until after STOP. START
 * and STOP run begin and end probes, which print too, perhaps more than a ring holds, so they are
 * called from a helper thread (a *phase*) while the main thread goes on reading. Signals come to the main
 * thread only.
 *
 * A run ends in order when the script calls exit(), the -c command ends, a signal asks for it, the
 * -T time is over, or the output cannot be written any more. A second signal ends it at once:
 * no end probes; closing the session disarms everything.
 */
#include "reader/run.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/strbuf.h"
#include "reader/background.h"
#include "reader/child.h"
#include "reader/clock.h"
#include "reader/command.h"
#include "reader/files.h"
#include "reader/merge.h"
#include "reader/meta.h"
#include "reader/output.h"
#include "reader/print.h"
#include "reader/report.h"
#include "reader/room.h"
#include "reader/shell.h"
#include "reader/signals.h"

enum {
	IDLE_MS = 100, /* a signal that comes just before a wait is noticed after this time */
	PHASE_POLL_NS = 1000000,
};

struct run {
	const struct run_options *options;
	struct home *home;
	struct merge merge;
	struct output out;
	struct output err;
	struct output_files files;
	struct background background;
	struct printer printer;
	struct child child;
	uint64_t deadline; /* clock_ns() of the end by -T; 0 none */
};

static void run_flush(struct run *run)
{
	output_flush(&run->out);
	output_flush(&run->err);
}

/* output.wrote */
static void run_wrote(void *arg)
{
	room_sign(arg);
}

/* Prints what is there; true while records are held back. */
static bool run_poll(struct run *run)
{
	bool holding;

	merge_collect(&run->merge);
	if (run->home->room)
		room_moved(run->home->room);
	holding = merge_emit(&run->merge, clock_ns(), printer_record, &run->printer);
	if (signals_take_switch())
		output_files_switch(&run->files, &run->out);
	run_flush(run);
	return holding;
}

/* Sleeps, but not while a handler waits for room. True: `done_fd` (-1: none) is readable. */
static bool run_nap(struct run *run, int done_fd, long ns)
{
	struct room *room = run->home->room;
	struct pollfd fds[] = { { .fd = done_fd, .events = POLLIN },
				{ .fd = room ? room->bell_fd : -1, .events = POLLIN } };

	if (ppoll(fds, 2, &(struct timespec){ .tv_nsec = ns }, NULL) <= 0)
		return false;
	if (fds[1].revents)
		room_answer(room);
	return fds[0].revents != 0;
}

/* --- phases -------------------------------------------------------------------------------------- */

struct phase {
	struct error *(*function)(struct run *run);
	struct run *run;
	struct error *error;
	int done_fd;
};

static void *phase_thread(void *arg)
{
	struct phase *phase = arg;

	signals_block_in_thread();
	phase->error = phase->function(phase->run);
	eventfd_write(phase->done_fd, 1);
	return NULL;
}

/* Runs a function in a thread of its own and keeps printing until it has returned. */
static struct error *run_phase(struct run *run, struct error *(*function)(struct run *run))
{
	struct phase phase = { .function = function, .run = run, .done_fd = eventfd(0, EFD_CLOEXEC) };
	pthread_t thread;
	int err;

	if (phase.done_fd < 0)
		return error_create(errno, "cannot make an eventfd: %s", strerror(errno));
	err = pthread_create(&thread, NULL, phase_thread, &phase);
	if (err) {
		close(phase.done_fd);
		return error_create(err, "cannot make a thread: %s", strerror(err));
	}
	/* While the rings fill faster than a poll takes there is no time to lose. */
	while (!run_nap(run, phase.done_fd, run->merge.hurry ? 0 : PHASE_POLL_NS)) {
		run_poll(run);
		/* The phase may hang in a probe: only the end of the process gets out of it. */
		if (signals_quit())
			_exit(RUN_EXIT_FAILED);
	}
	pthread_join(thread, NULL);
	close(phase.done_fd);
	return phase.error;
}

static uint64_t run_target(const struct run *run)
{
	return (uint64_t)(run->child.pid ? run->child.pid : run->options->target);
}

static struct error *phase_start(struct run *run)
{
	return run->home->ops->start(run->home, run_target(run));
}

static struct error *phase_stop(struct run *run)
{
	return run->home->ops->stop(run->home);
}

/* --- the loop ------------------------------------------------------------------------------------ */

static bool run_over(struct run *run, uint32_t state)
{
	return state >= SPILE_STATE_EXITING || signals_stop() || child_ended(&run->child) ||
	       (run->deadline && clock_ns() >= run->deadline) || run->out.err;
}

static unsigned run_timeout_ms(const struct run *run)
{
	uint64_t now = clock_ns(), left;

	if (!run->deadline)
		return IDLE_MS;
	left = run->deadline > now ? (run->deadline - now) / 1000000 + 1 : 0;
	return left < IDLE_MS ? (unsigned)left : IDLE_MS;
}

/*
 * While records are held back, sleep a moment instead of waiting for news: a script that prints
 * all the time is read in batches this way, one write() for each.
 */
static struct error *run_loop(struct run *run)
{
	bool holding = true;
	uint32_t state;

	do {
		unsigned timeout_ms = 0;
		struct error *error;

		if (holding && !run->merge.hurry)
			run_nap(run, -1, MERGE_GRACE_NS);
		else if (!holding && !merge_wake_request(&run->merge))
			timeout_ms = run_timeout_ms(run);
		error = run->home->ops->wait(run->home, timeout_ms, &state);
		if (error)
			return error;
		holding = run_poll(run);
	} while (!run_over(run, state));
	return NULL;
}

static struct error *run_session(struct run *run)
{
	struct error *error, *stop_error = NULL;
	uint32_t state;

	error = run_phase(run, phase_start);
	if (!error)
		error = run->home->ops->wait(run->home, 0, &state);
	if (error)
		return error;
	background_ready(&run->background, &run->out, &run->err);
	if (state < SPILE_STATE_EXITING) /* else exit() was called in begin: CMD is not run */
		child_release(&run->child);
	if (run->options->seconds > 0)
		run->deadline = clock_ns() + (uint64_t)(run->options->seconds * 1e9);
	error = run_loop(run);
	if (!signals_quit())
		stop_error = run_phase(run, phase_stop);
	if (error)
		error_destroy(stop_error);
	return error ? error : stop_error;
}

/* --- the end --------------------------------------------------------------------------------------- */

/* The command's failure as a warning; true if it failed. Ctrl-C ends it along with us: no failure. */
static bool warn_child(struct run *run)
{
	int status = run->child.status;
	_cleanup_free_ char *text = NULL;
	struct strbuf sb;

	if (!run->child.ended || status == 0 || signals_stop())
		return false;
	strbuf_init(&sb);
	if (WIFSIGNALED(status))
		strbuf_addf(&sb, "WARNING: Child process exited with signal %d (%s)\n",
			    WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		strbuf_addf(&sb, "WARNING: Child process exited with status %d\n",
			    WEXITSTATUS(status));
	text = strbuf_steal(&sb);
	output_adds(&run->err, text);
	return true;
}

static struct error *write_report(struct run *run, struct strbuf *text)
{
	if (!text->len)
		return NULL;
	if (run->options->report_file)
		return file_write_atomic(run->options->report_file, text->data, text->len);
	output_add(&run->err, text->data, text->len);
	return NULL;
}

static void add_verbose(struct run *run, struct strbuf *text)
{
	const struct home_times *t = &run->home->times;
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	strbuf_addf(text,
		    "spile-run: core %.1f ms, load %.1f ms, attach %.1f ms, start %.1f ms"
		    " (arming %.1f ms), stop %.1f ms\n",
		    (double)t->core / 1e6, (double)t->load / 1e6,
		    (double)t->attach / 1e6, (double)t->start / 1e6, (double)t->arm / 1e6,
		    (double)t->stop / 1e6);
	strbuf_addf(text, "spile-run: %u rings of %zu KB, %ld KB resident, %ld ms user, %ld ms system\n",
		    run->home->nrings, run->home->ring_stride / 1024, usage.ru_maxrss,
		    usage.ru_utime.tv_sec * 1000 + usage.ru_utime.tv_usec / 1000,
		    usage.ru_stime.tv_sec * 1000 + usage.ru_stime.tv_usec / 1000);
}

static struct error *run_report(struct run *run, int *status)
{
	const struct script_meta *meta = run->home->meta;
	struct strbuf warnings, text;
	struct report report;
	struct error *error = report_init(&report, run->home);

	strbuf_init(&warnings);
	strbuf_init(&text);
	if (!error) {
		report_warnings(&report, meta, &warnings);
		if (run->printer.damaged)
			strbuf_addf(&warnings, "WARNING: %" PRIu64 " records were damaged\n",
				    run->printer.damaged);
		if ((report.totals.errors && !run->options->bears_errors) || warn_child(run) || run->out.err)
			*status = RUN_EXIT_FAILED;
		else if (report_lost(&report) || report_skipped(&report, meta) ||
			 run->printer.damaged)
			*status = RUN_EXIT_LOSSY;
		if (run->options->verbose)
			add_verbose(run, &warnings);
		if (warnings.len)
			output_add(&run->err, warnings.data, warnings.len);
		if (run->options->report == REPORT_TEXT)
			report_text(&report, meta, &text);
		else if (run->options->report == REPORT_JSON)
			report_json(&report, run->home, *status, &text);
		error = write_report(run, &text);
	}
	strbuf_deinit(&warnings);
	strbuf_deinit(&text);
	report_deinit(&report);
	return error;
}

/* --- opening --------------------------------------------------------------------------------------- */

/* A relocatable object becomes a kernel module, a shared object runs in this process. */
static struct error *open_home(const struct home_options *options, struct home **ret)
{
	_cleanup_close_ int fd = open(options->object, O_RDONLY | O_CLOEXEC);
	Elf64_Ehdr head = { 0 };

	if (fd < 0)
		return error_create(errno, "%s: %s", options->object, strerror(errno));
	if (read(fd, &head, sizeof(head)) != sizeof(head) ||
	    memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_ident[EI_CLASS] != ELFCLASS64 ||
	    head.e_machine != EM_X86_64)
		return error_create(ENOEXEC,
				    "%s: not an x86-64 ELF object; give the object that spile -p4 made",
				    options->object);
	if (head.e_type == ET_REL)
		return kernel_session_open(options, ret);
	if (head.e_type == ET_DYN)
		return process_open(options, ret);
	return error_create(ENOEXEC, "%s: neither a relocatable nor a shared object",
			    options->object);
}

static struct error *check_target(pid_t target)
{
	if (target && kill(target, 0) < 0 && errno == ESRCH)
		return error_create(ESRCH, "there is no process %d (-x)", (int)target);
	return NULL;
}

/* The parts that need an open home: rings, printing, the session, the report. */
static struct error *run_home(struct run *run, int *status)
{
	struct error *error;

	merge_init(&run->merge, run->home->rings, run->home->ring_stride, run->home->nrings);
	if (run->home->room) {
		run->out.wrote = run_wrote;
		run->out.arg = run->home->room;
	}
	printer_init(&run->printer, run->home->meta, &run->out, &run->err);
	run->printer.files = &run->files;
	error = run_session(run);
	if (run->home->room)
		room_close(run->home->room);
	merge_flush(&run->merge, printer_record, &run->printer);
	child_stop(&run->child);
	shell_wait();
	run_flush(run); /* what cannot be written belongs to the report */
	if (!error)
		error = run_report(run, status);
	if (!error && run->out.err)
		error = error_create(run->out.err, "cannot write the output: %s",
				     strerror(run->out.err));
	run_flush(run);
	printer_deinit(&run->printer);
	merge_deinit(&run->merge);
	return error;
}

struct error *run_script(const struct run_options *options, int *status)
{
	struct run run = { .options = options,
			   .child = { .go_fd = -1 },
			   .background = { .ready_fd = -1 },
			   .files = { .path = options->output,
				      .limit = options->file_bytes,
				      .keep = options->files_kept } };
	struct error *error, *close_error;
	int fd = -1;

	*status = RUN_EXIT_OK;
	signals_init();
	error = check_target(options->target);
	if (!error && options->background)
		error = background_enter(&run.background);
	if (!error)
		error = output_files_open(&run.files, &fd);
	if (!error)
		error = open_home(&options->home, &run.home);
	if (!error && options->command)
		error = child_spawn(options->command, &run.child);
	if (run.home) {
		output_init(&run.out, fd);
		output_init(&run.err, STDERR_FILENO);
		if (!error)
			error = run_home(&run, status);
		output_deinit(&run.out);
		output_deinit(&run.err);
		close_error = run.home->ops->close(run.home);
		if (error)
			error_destroy(close_error);
		else
			error = close_error;
	}
	if (options->output && fd >= 0 && close(fd) < 0 && !error)
		error = error_create(errno, "%s: %s", options->output, strerror(errno));
	return error;
}
