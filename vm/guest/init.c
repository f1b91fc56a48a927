// SPDX-License-Identifier: GPL-2.0-only
/**
 * vm/guest/init.c - process 1 of the guest: makes the host's root its own and runs one command.
 *
 * Static, and the only program in the initramfs. What it does, in order:
 *   1. load the modules of /modules/order, so that the port and 9p exist
 *   2. open the port, say READY, read the JOB (guest/proto.h)
 *   3. mount the host's root read-only, the guest's own /proc /sys /dev /tmp /run on it, the
 *      shares read-write, the guest kernel's modules as /lib/modules/RELEASE, and move there
 *   4. start the command with pipes and pump until it has ended; say EXIT
 *
 * Afterwards it sleeps; the host ends the machine. A failure before the command runs is a FAIL
 * frame, or, before there is a port, a line in the kernel log that starts with "spile-init:".
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "vm/guest/proto.h"

#define NEWROOT "/newroot"

static int port = -1;

/* --- frames ------------------------------------------------------------------------------------ */

/* The port is non-blocking: a blocking write would spin in the driver, interrupts off, until the
 * host has read, and the kernel under test would rightly complain of a lockup. */
static void port_write(const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(port, p, len);

		if (n > 0) {
			p += n;
			len -= n;
			continue;
		}
		poll(&(struct pollfd){ .fd = port, .events = POLLOUT }, 1, 1000);
	}
}

static void port_read(void *data, size_t len)
{
	char *p = data;

	while (len) {
		ssize_t n = read(port, p, len);

		if (n > 0) {
			p += n;
			len -= n;
			continue;
		}
		/* No host yet reads as end of file and polls as hung up: wait a moment. */
		if (n == 0)
			usleep(2000);
		else
			poll(&(struct pollfd){ .fd = port, .events = POLLIN }, 1, 1000);
	}
}

static void frame_send(enum vm_frame_type type, const void *data, size_t len)
{
	char buf[sizeof(struct vm_frame) + VM_FRAME_MAX];
	struct vm_frame head = { .type = type, .len = len };

	memcpy(buf, &head, sizeof(head));
	memcpy(buf + sizeof(head), data, len);
	port_write(buf, sizeof(head) + len);
}

static void sleep_forever(void)
{
	for (;;)
		pause();
}

__attribute__((format(printf, 1, 2), noreturn)) static void fail(const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n >= (int)sizeof(text))
		n = sizeof(text) - 1;
	if (port >= 0) {
		frame_send(VM_FRAME_FAIL, text, n);
		sleep_forever();
	}
	/* No way to tell the host but the log; process 1 ending is a panic, which ends the guest. */
	dprintf(2, "spile-init: %s\n", text);
	exit(1);
}

/* --- before the port --------------------------------------------------------------------------- */

static void mount_own(const char *type, const char *path)
{
	mkdir(path, 0755);
	if (mount(type, path, type, 0, NULL) < 0 && errno != EBUSY)
		fail("cannot mount %s at %s: %s", type, path, strerror(errno));
}

static void load_modules(void)
{
	FILE *order = fopen("/modules/order", "re");
	char name[128], path[160];

	if (!order)
		fail("no /modules/order in the initramfs");
	while (fscanf(order, "%127s", name) == 1) {
		int fd;

		snprintf(path, sizeof(path), "/modules/%s", name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST))
			fail("cannot load module %s: %s", name, strerror(errno));
		close(fd);
	}
	fclose(order);
}

/* Looks once through the ports that have shown up; their names tell which is ours. */
static int port_find(void)
{
	DIR *dir = opendir("/sys/class/virtio-ports");
	struct dirent *d;
	int fd = -1;

	while (dir && fd < 0 && (d = readdir(dir))) {
		char path[320], name[64] = "";
		FILE *f;

		snprintf(path, sizeof(path), "/sys/class/virtio-ports/%s/name", d->d_name);
		f = fopen(path, "re");
		if (!f)
			continue;
		if (fscanf(f, "%63s", name) == 1 && !strcmp(name, VM_PORT_NAME)) {
			snprintf(path, sizeof(path), "/dev/%s", d->d_name);
			fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
		}
		fclose(f);
	}
	if (dir)
		closedir(dir);
	return fd;
}

/* The driver announces ports from a work item, some milliseconds after it was loaded. */
static int port_open(void)
{
	for (int i = 0; i < 5000; i++) {
		int fd = port_find();

		if (fd >= 0)
			return fd;
		usleep(2000);
	}
	fail("the port %s did not appear", VM_PORT_NAME);
}

/* --- the job ----------------------------------------------------------------------------------- */

struct job {
	char *at, *end; /* cursor over the strings */
	const char *cwd, *modules, *release;
	char **argv, **envp;
};

static char *job_string(struct job *job)
{
	char *s = job->at;

	if (s >= job->end)
		fail("the job is cut off");
	job->at += strlen(s) + 1;
	return s;
}

static char **job_strings(struct job *job)
{
	int n = atoi(job_string(job));
	char **list = calloc(n + 1, sizeof(*list));

	if (!list)
		fail("out of memory");
	for (int i = 0; i < n; i++)
		list[i] = job_string(job);
	return list;
}

/* A guest that goes on from a saved state (vm/warm.c) has the clock and the random numbers of the
 * one that was saved. */
static void refresh(const char *seconds, const char *random)
{
	struct timespec now = { .tv_sec = atoll(seconds) };
	int fd = open("/dev/urandom", O_WRONLY | O_CLOEXEC);

	clock_settime(CLOCK_REALTIME, &now);
	if (fd < 0)
		return;
	/* Also mixes at once what was written. */
	if (write(fd, random, strlen(random)) > 0)
		ioctl(fd, RNDRESEEDCRNG, 0);
	close(fd);
}

static void job_read(struct job *job)
{
	const char *seconds, *random;
	struct vm_frame head;

	port_read(&head, sizeof(head));
	if (head.type != VM_FRAME_JOB)
		fail("expected a job, got frame type %u", head.type);
	job->at = malloc(head.len + 1);
	if (!job->at)
		fail("out of memory");
	job->end = job->at + head.len;
	port_read(job->at, head.len);
	*job->end = '\0';
	seconds = job_string(job);
	random = job_string(job);
	refresh(seconds, random);
	job->cwd = job_string(job);
	job->modules = job_string(job);
	job->release = job_string(job);
}

/* --- the root ---------------------------------------------------------------------------------- */

static void make_dirs(const char *path)
{
	char copy[4096];

	snprintf(copy, sizeof(copy), "%s", path);
	for (char *p = copy + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		mkdir(copy, 0755);
		*p = '/';
	}
	mkdir(copy, 0755);
}

static void mount_9p(const char *tag, const char *path, unsigned long flags, const char *cache)
{
	char options[128];

	snprintf(options, sizeof(options), "trans=virtio,version=9p2000.L,msize=262144,cache=%s",
		 cache);
	if (mount(tag, path, "9p", flags, options) < 0)
		fail("cannot mount 9p %s at %s: %s", tag, path, strerror(errno));
}

static void mount_bind(const char *from, const char *to)
{
	if (mount(from, to, NULL, MS_BIND, NULL) < 0)
		fail("cannot bind %s to %s: %s", from, to, strerror(errno));
}

/* Puts one entry of a folder that is about to be hidden into its writable double. */
static void mirror_entry(const char *from, const char *to)
{
	struct stat st;

	if (lstat(from, &st) < 0)
		return;
	if (S_ISLNK(st.st_mode)) {
		char target[4096];
		ssize_t n = readlink(from, target, sizeof(target) - 1);

		if (n < 0)
			return;
		target[n] = '\0';
		symlink(target, to);
		return;
	}
	if (S_ISDIR(st.st_mode))
		mkdir(to, 0755);
	else
		close(open(to, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
	mount_bind(from, to);
}

/* Makes a folder of the read-only root take new entries: a tmpfs in its place, in which every old
 * entry is a bind mount of itself (so inode numbers and paths stay what they are on the host). */
static void make_extendable(const char *path)
{
	const char *aside = "/aside";
	char from[4096], to[4096];
	struct dirent *d;
	DIR *dir;

	mkdir(aside, 0755);
	mount_bind(path, aside);
	if (mount("tmpfs", path, "tmpfs", 0, "mode=755") < 0)
		fail("cannot mount a tmpfs at %s: %s", path, strerror(errno));
	dir = opendir(aside);
	while (dir && (d = readdir(dir))) {
		if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
			continue;
		snprintf(from, sizeof(from), "%s/%s", aside, d->d_name);
		snprintf(to, sizeof(to), "%s/%s", path, d->d_name);
		mirror_entry(from, to);
	}
	if (dir)
		closedir(dir);
	umount2(aside, MNT_DETACH);
}

/* The guest kernel's modules as /lib/modules/RELEASE. Many a container has no such folder at all,
 * hence make_extendable(). */
static void mount_modules(const struct job *job)
{
	const char *lib = access(NEWROOT "/usr/lib", F_OK) ? NEWROOT "/lib" : NEWROOT "/usr/lib";
	char from[4096], to[4096];

	snprintf(to, sizeof(to), "%s/modules", lib);
	if (access(to, F_OK) < 0) {
		make_extendable(lib);
		mkdir(to, 0755);
	} else if (mount("tmpfs", to, "tmpfs", 0, "mode=755") < 0) {
		fail("cannot mount a tmpfs at %s: %s", to, strerror(errno));
	}
	snprintf(to, sizeof(to), "%s/modules/%s", lib, job->release);
	mkdir(to, 0755);
	snprintf(from, sizeof(from), NEWROOT "%s", job->modules);
	mount_bind(from, to);
}

static void mount_tmpfs(const char *path, const char *mode)
{
	char options[32];

	snprintf(options, sizeof(options), "mode=%s", mode);
	if (access(path, F_OK) == 0 && mount("tmpfs", path, "tmpfs", 0, options) < 0)
		fail("cannot mount a tmpfs at %s: %s", path, strerror(errno));
}

static void mount_shares(struct job *job)
{
	int n = atoi(job_string(job));

	while (n-- > 0) {
		const char *tag = job_string(job);
		char path[4096];

		snprintf(path, sizeof(path), NEWROOT "%s", job_string(job));
		make_dirs(path); /* of use below /tmp, which is a new tmpfs */
		mount_9p(tag, path, 0, "mmap");
	}
}

static void mount_move(const char *from, const char *to)
{
	if (mount(from, to, NULL, MS_MOVE, NULL) < 0)
		fail("cannot move %s to %s: %s", from, to, strerror(errno));
}

static void fill_dev(void)
{
	mkdir("/dev/pts", 0755);
	mount("devpts", "/dev/pts", "devpts", 0, "mode=620,ptmxmode=666");
	mkdir("/dev/shm", 01777);
	mount("tmpfs", "/dev/shm", "tmpfs", 0, "mode=1777");
	symlink("/proc/self/fd", "/dev/fd");
	symlink("/proc/self/fd/0", "/dev/stdin");
	symlink("/proc/self/fd/1", "/dev/stdout");
	symlink("/proc/self/fd/2", "/dev/stderr");
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL);
}

static void enter_root(struct job *job)
{
	mkdir(NEWROOT, 0755);
	/* The host's root does not change under us, or not in a way that matters within one
	 * command: cache it. Shares are two-way and are not cached. */
	mount_9p(VM_ROOT_TAG, NEWROOT, MS_RDONLY, "loose");
	mount_modules(job);
	mount_tmpfs(NEWROOT "/tmp", "1777");
	mount_tmpfs(NEWROOT "/var/tmp", "1777");
	mount_tmpfs(NEWROOT "/run", "755");
	mount_shares(job);
	fill_dev();
	mount_move("/proc", NEWROOT "/proc");
	mount_move("/sys", NEWROOT "/sys");
	mount_move("/dev", NEWROOT "/dev");
	if (chdir(NEWROOT) < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 ||
	    chdir("/") < 0)
		fail("cannot make the host's root the guest's: %s", strerror(errno));
}

static void loopback_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	if (ioctl(fd, SIOCGIFFLAGS, &ifr) == 0) {
		ifr.ifr_flags |= IFF_UP;
		ioctl(fd, SIOCSIFFLAGS, &ifr);
	}
	close(fd);
}

/* --- the command ------------------------------------------------------------------------------- */

struct pump {
	pid_t child;
	int in;      /* write end of the command's stdin, non-blocking; -1 when closed */
	int out[2];  /* read ends of its stdout and stderr, -1 at end of file */
	int signals; /* signalfd: SIGCHLD */
	int status;  /* -1 while it runs */
	char pending[VM_FRAME_MAX]; /* a stdin frame on its way into `in` */
	size_t pending_at, pending_len;
};

/* The command runs as root, perhaps from a user's shell that has no folders of system commands. */
static void add_sbin(const char *dir)
{
	const char *path = getenv("PATH");
	size_t len = strlen(dir);
	char *longer;

	if (!path || !*path)
		path = "/usr/local/bin:/usr/bin:/bin";
	for (const char *p = path; (p = strstr(p, dir)); p += len) {
		if ((p == path || p[-1] == ':') && (p[len] == ':' || !p[len]))
			return;
	}
	if (asprintf(&longer, "%s:%s", path, dir) >= 0)
		setenv("PATH", longer, 1);
}

/* Runs in the child. 127 and 126 are what a shell would say. */
__attribute__((noreturn)) static void exec_command(const struct job *job)
{
	sigset_t none;
	int err;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	if (chdir(job->cwd) < 0) {
		dprintf(2, "spile-vm: cannot enter %s in the guest: %s (--share it?)\n", job->cwd,
			strerror(errno));
		_exit(126);
	}
	environ = job->envp;
	add_sbin("/usr/sbin");
	add_sbin("/sbin");
	execvp(job->argv[0], job->argv);
	err = errno;
	dprintf(2, "spile-vm: cannot run %s in the guest: %s\n", job->argv[0], strerror(err));
	_exit(err == ENOENT ? 127 : 126);
}

static void pump_start(struct pump *pump, const struct job *job)
{
	int in[2], out[2], err[2];
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	pump->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (pump->signals < 0 || pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) ||
	    pipe2(err, O_CLOEXEC))
		fail("cannot make pipes: %s", strerror(errno));
	pump->child = fork();
	if (pump->child < 0)
		fail("cannot fork: %s", strerror(errno));
	if (pump->child == 0) {
		signal(SIGPIPE, SIG_DFL);
		dup2(in[0], 0);
		dup2(out[1], 1);
		dup2(err[1], 2);
		exec_command(job);
	}
	close(in[0]);
	close(out[1]);
	close(err[1]);
	fcntl(in[1], F_SETFL, O_NONBLOCK);
	pump->in = in[1];
	pump->out[0] = out[0];
	pump->out[1] = err[0];
	pump->status = -1;
	pump->pending_len = 0;
}

/* Takes what one output pipe holds, one frame's worth. False at its end or when it is empty. */
static bool pump_output(struct pump *pump, int which)
{
	char buf[VM_FRAME_MAX];
	ssize_t n = read(pump->out[which], buf, sizeof(buf));

	if (n > 0) {
		frame_send(which ? VM_FRAME_ERR : VM_FRAME_OUT, buf, n);
		return true;
	}
	if (n == 0) {
		close(pump->out[which]);
		pump->out[which] = -1;
	}
	return false;
}

/* Gives the command as much of the current stdin frame as its pipe takes now; once the frame is
 * gone, asks for the next. */
static void pump_stdin(struct pump *pump)
{
	ssize_t n = write(pump->in, pump->pending + pump->pending_at,
			  pump->pending_len - pump->pending_at);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		close(pump->in);
		pump->in = -1;
		return;
	}
	pump->pending_at += n;
	if (pump->pending_at < pump->pending_len)
		return;
	pump->pending_len = 0;
	frame_send(VM_FRAME_STDIN_MORE, "", 0);
}

static void pump_stdin_frame(struct pump *pump, size_t len)
{
	if (len > sizeof(pump->pending))
		fail("stdin frame of %zu bytes", len);
	port_read(pump->pending, len);
	pump->pending_at = 0;
	pump->pending_len = len;
	if (len || pump->in < 0)
		return;
	close(pump->in);
	pump->in = -1;
}

static void pump_frame(struct pump *pump)
{
	struct vm_frame head;
	uint32_t sig;

	port_read(&head, sizeof(head));
	if (head.type == VM_FRAME_STDIN) {
		pump_stdin_frame(pump, head.len);
	} else if (head.type == VM_FRAME_SIGNAL && head.len == sizeof(sig)) {
		port_read(&sig, sizeof(sig));
		kill(-pump->child, sig);
	} else {
		fail("frame of type %u with %u bytes", head.type, head.len);
	}
}

/* Process 1 inherits orphans; only the command's own end counts. */
static void pump_reap(struct pump *pump)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	while (read(pump->signals, &info, sizeof(info)) > 0)
		;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != pump->child)
			continue;
		pump->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	}
}

/* What the pipes hold when the command has ended; not to their end, which a daemon may keep away. */
static void pump_drain(struct pump *pump)
{
	for (int i = 0; i < 2; i++) {
		if (pump->out[i] < 0)
			continue;
		fcntl(pump->out[i], F_SETFL, O_NONBLOCK);
		while (pump_output(pump, i))
			;
	}
}

static void pump_run(struct pump *pump)
{
	frame_send(VM_FRAME_STDIN_MORE, "", 0);
	while (pump->status < 0) {
		struct pollfd fds[] = {
			{ .fd = pump->signals, .events = POLLIN },
			{ .fd = port, .events = POLLIN },
			{ .fd = pump->out[0], .events = POLLIN },
			{ .fd = pump->out[1], .events = POLLIN },
			{ .fd = pump->pending_len ? pump->in : -1, .events = POLLOUT },
		};

		if (poll(fds, 5, -1) < 0)
			continue;
		for (int i = 0; i < 2; i++) {
			if (fds[2 + i].revents)
				pump_output(pump, i);
		}
		if (fds[4].revents)
			pump_stdin(pump);
		if (fds[1].revents & POLLIN)
			pump_frame(pump);
		if (fds[0].revents)
			pump_reap(pump);
	}
	pump_drain(pump);
}

int main(void)
{
	static struct pump pump;
	struct job job;
	uint32_t status;

	mount_own("devtmpfs", "/dev");
	mount_own("proc", "/proc");
	mount_own("sysfs", "/sys");
	load_modules();
	port = port_open();
	klogctl(8, NULL, 7); /* console level: from here on the log gets everything but debug */
	frame_send(VM_FRAME_READY, "", 0);
	job_read(&job);
	enter_root(&job);
	loopback_up();
	sethostname("spile-vm", 8);
	job.argv = job_strings(&job);
	job.envp = job_strings(&job);
	pump_start(&pump, &job);
	pump_run(&pump);
	sync();
	status = pump.status;
	frame_send(VM_FRAME_EXIT, &status, sizeof(status));
	sleep_forever();
}
