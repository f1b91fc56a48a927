// SPDX-License-Identifier: GPL-2.0-only
/*
 * Damaged ELF files and DWARF: every question of places.h and variables.h to a damaged program. An
 * error is fine, so is a wrong answer; a crash or a sanitizer's finding is not, if it is in our code.
 *
 * Random bytes are no ELF file, so the input says how to damage one of the fixture's programs (run
 * from the root, after `make build/places/programs/list`): which one, where to cut it off, and then
 * for each 6 bytes of input which byte of which section to overwrite.
 *
 * libdw itself can crash on such files (it trusts much of what it reads), which is why spile-probe
 * reads in a child. Here, too: the child's end by a signal within libdw or libelf is counted, not a
 * failure; a finding of ours makes the child end with FINDING.
 */
#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <gelf.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/strbuf.h"
#include "symbols/variables.h"

#define FINDING 77 /* exit status of a sanitizer's report, or of a crash in our code */
#define PLACES 40

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "exitcode=77:handle_segv=0:handle_abort=0:handle_sigbus=0:handle_sigfpe=0:"
	       "detect_leaks=0:allocator_may_return_null=1:max_allocation_size_mb=1024";
}

/* --- the questions ------------------------------------------------------------------------------ */

static bool no_register(void *context, unsigned reg, uint64_t *ret)
{
	*ret = 0x1000 + reg;
	return true;
}

static bool no_memory(void *context, uint64_t address, void *dst, size_t size)
{
	memset(dst, 0x5a, size);
	return true;
}

struct asked {
	struct debuginfo *info;
	unsigned places;
	uint64_t address;
};

static int ask_member(const struct type_member *member, void *arg)
{
	free(dwarf_type_string(member->type));
	return 0;
}

static int ask_variable(const struct code_variable *v, void *arg)
{
	static const struct location_machine machine = {
	    .read_register = no_register,
	    .read_entry_register = no_register,
	    .read_memory = no_memory,
	};
	struct asked *a = arg;
	unsigned char bytes[256];
	struct location loc;
	struct strbuf sb;
	struct error *error = variable_location(a->info, v, a->address, &loc);

	strbuf_init(&sb);
	if (!error) {
		location_print(&loc, &sb);
		error = location_evaluate(&loc, &machine, bytes, sizeof(bytes));
	}
	free(dwarf_type_string(v->type));
	dwarf_type_size(v->type);
	dwarf_type_each_member(v->type, true, ask_member, a);
	strbuf_deinit(&sb);
	error_destroy(error);
	return 0;
}

static int ask_frame(const struct place *frame, void *arg)
{
	return 0;
}

static int ask_place(const struct place *place, void *arg)
{
	struct asked *a = arg;
	uint64_t before, after;

	a->address = place->address;
	error_destroy(place_frames(a->info, place->address, ask_frame, NULL));
	error_destroy(places_boundary(a->info, place->address, &before, &after));
	error_destroy(variables_at(a->info, place->address, NULL, ask_variable, a));
	return ++a->places == PLACES;
}

static int ask_call(const struct call_info *call, void *arg)
{
	return 0;
}

static int ask_label(const char *name, const struct place *place, void *arg)
{
	return 0;
}

static int ask_function(const struct code_function *fn, void *arg)
{
	struct asked *a = arg;
	struct dwarf_type type;
	struct location loc;

	function_after_prologue(a->info, fn);
	error_destroy(function_calls(a->info, fn, ask_call, NULL));
	error_destroy(function_labels(a->info, fn, ask_label, NULL));
	error_destroy(function_return(a->info, fn, &type, &loc));
	return ++a->places == PLACES;
}

static void ask(const char *path)
{
	struct place_query all = {.lines = PLACE_LINES_ALL}, any = {.function = NULL};
	struct asked a = {.places = 0};
	struct code_variable v;
	struct error *error = debuginfo_open(path, "", &a.info);

	if (error) {
		error_destroy(error);
		return;
	}
	error_destroy(functions_find(a.info, &any, FUNCTIONS_BODIES | FUNCTIONS_INLINES,
	                             ask_function, &a));
	a.places = 0;
	error_destroy(places_find(a.info, &all, ask_place, &a));
	error_destroy(variable_find_global(a.info, "global_mixed", NULL, &v));
	debuginfo_close(a.info);
}

/* --- the child ------------------------------------------------------------------------------------ */

/* Was it libdw that died? Its frames come before any of ours. */
static void died(int signal)
{
	void *frames[64];
	int n = backtrace(frames, 64);

	for (int i = 2; i < n; i++) {
		Dl_info where;

		if (!dladdr(frames[i], &where) || !where.dli_fname)
			continue;
		if (strstr(where.dli_fname, "libdw") || strstr(where.dli_fname, "libelf"))
			_exit(0);
		if (strstr(where.dli_fname, "fuzz_places")) {
			backtrace_symbols_fd(frames, n, 2);
			_exit(FINDING);
		}
	}
	_exit(0);
}

static void child(const char *path)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGABRT, SIGILL};
	static char stack[1 << 16];
	stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
	struct sigaction action = {.sa_handler = died, .sa_flags = SA_ONSTACK};

	sigaltstack(&alternate, NULL);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &action, NULL);
	alarm(20); /* libdw may loop; its end by SIGALRM is no finding */
	ask(path);
	_exit(0);
}

/* --- the damage ----------------------------------------------------------------------------------- */

static const char *const programs[] = {"gcc-O2-4", "gcc-O2-5", "gcc-lto-5", "gcc-dwz-5", "clang-O2-4",
                                       "clang-O2-5", "clang-split-5", "object.ko", "gcc-O0-5"};
#define PROGRAMS (sizeof(programs) / sizeof(programs[0]))

/* Where the program's debug sections are; damage elsewhere is rarer, in the file's head. */
struct target {
	size_t start, size;
};

static size_t debug_sections(const char *file, size_t size, struct target *ret, size_t max)
{
	Elf *elf = elf_memory((char *)file, size);
	Elf_Scn *scn = NULL;
	size_t names, n = 0;

	ret[n++] = (struct target){0, 64};
	if (!elf || elf_getshdrstrndx(elf, &names))
		abort();
	while ((scn = elf_nextscn(elf, scn)) && n < max) {
		GElf_Shdr shdr;
		const char *name;

		if (!gelf_getshdr(scn, &shdr))
			continue;
		name = elf_strptr(elf, names, shdr.sh_name);
		if (name && (!strncmp(name, ".debug", 6) || !strcmp(name, ".eh_frame") ||
		             !strcmp(name, ".symtab")) && shdr.sh_size)
			ret[n++] = (struct target){shdr.sh_offset, shdr.sh_size};
	}
	elf_end(elf);
	return n;
}

static void damage(char *file, size_t *size, const uint8_t *data, size_t len)
{
	struct target targets[32];
	size_t n = debug_sections(file, *size, targets, 32);

	for (size_t at = 4; at + 6 <= len && at < 4 + 6 * 40; at += 6) {
		const struct target *t = &targets[data[at] % n];
		uint32_t offset;

		memcpy(&offset, data + at + 1, 4);
		file[t->start + offset % t->size] = data[at + 5];
	}
	if (data[1] < 16) /* one in sixteen is cut off */
		*size = *size * (data[2] + 256 * data[3]) / 65536;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", 0), status = 0;
	struct error *error;
	char path[128], *file;
	void *warm[1];
	size_t len;
	pid_t pid;

	if (size < 10) {
		close(fd);
		return 0;
	}
	elf_version(EV_CURRENT);
	backtrace(warm, 1); /* loads what the handler needs */
	snprintf(path, sizeof(path), "build/places/programs/%s", programs[data[0] % PROGRAMS]);
	error = file_read(path, &file, &len);
	if (error) {
		fprintf(stderr, "%s\n", error->message);
		exit(1);
	}
	damage(file, &len, data, size);
	if (fd < 0 || write(fd, file, len) != (ssize_t)len)
		abort();
	free(file);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		child(path);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		abort();
	close(fd);
	if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
		abort();
	return 0;
}
