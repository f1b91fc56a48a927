// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kernel's whole debug information: $SPILE_VMLINUX, for the kernel that $SPILE_KERNEL_DIR describes.
 * `make check-debuginfo` sets both; otherwise these tests are skipped. The choice is random, its seed
 * printed; SEED=N repeats it.
 */
#include <errno.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "symbols/variables.h"
#include "tests/unit/fixture_index.h"

#define FUNCTIONS 500
#define LINES 200
#define INDEXED 60

struct kernel_test {
	struct kernel *kernel;
	struct debuginfo *info;
	struct btf_index *btf;
	const char **names; /* of functions with one prototype */
	size_t count, room;
	uint64_t random;
};

static uint64_t random_below(struct kernel_test *t, uint64_t n)
{
	t->random = t->random * 6364136223846793005ull + 1442695040888963407ull;
	return (t->random >> 33) % n;
}

static int note_name(const struct kernel_function *fn, void *arg)
{
	struct kernel_test *t = arg;

	if (!kernel_function_has_prototype(t->kernel, fn) || fn->ambiguous || strchr(fn->name, '.'))
		return 0;
	if (t->count == t->room) {
		t->room = t->room ? t->room * 2 : 1024;
		t->names = reallocarray(t->names, t->room, sizeof(*t->names));
		assert_non_null(t->names);
	}
	t->names[t->count++] = fn->name;
	return 0;
}

static struct kernel_test *open_kernel_test(void)
{
	static struct kernel_test t;
	const char *vmlinux = getenv("SPILE_VMLINUX"), *dir = getenv("SPILE_KERNEL_DIR");

	if (!vmlinux || !dir)
		skip();
	if (t.kernel)
		return &t;
	t.random = getenv("SEED") ? strtoull(getenv("SEED"), NULL, 0) : (uint64_t)time(NULL);
	print_message("SEED=%llu\n", (unsigned long long)t.random);
	assert_no_error(kernel_open_dir(dir, &t.kernel));
	assert_no_error(debuginfo_open_kernel(t.kernel, NULL, vmlinux, &t.info));
	assert_no_error(kernel_btf(t.kernel, &t.btf));
	assert_no_error(kernel_function_match(t.kernel, NULL, "*", note_name, &t));
	assert_true(t.count > FUNCTIONS);
	return &t;
}

/* --- arguments -------------------------------------------------------------------------------- */

struct arguments {
	struct kernel_test *t;
	struct btf_prototype proto;
	const char *function;
	unsigned seen, differences;
};

/* BTF may have a function's arguments by the names of another declaration of it. */
static bool has_other_names(const char *function, const char *name)
{
	/* the stubs of system calls for kernels without them */
	if (!strcmp(name, "__unused"))
		return true;
	/* <linux/fortify-string.h> declares these anew */
	return !strncmp(function, "str", 3) || !strncmp(function, "mem", 3);
}

static int compare_argument(const struct code_variable *v, void *arg)
{
	struct arguments *a = arg;
	const struct btf_param *param = &a->proto.args[a->seen];
	const char *name;

	if (v->kind != VARIABLE_PARAMETER || a->seen == a->proto.argc)
		return v->kind != VARIABLE_PARAMETER;
	name = btf_index_name(a->t->btf, param->name_off);
	if ((strcmp(name, v->name) && !has_other_names(a->function, name)) ||
	    dwarf_type_size(v->type) != btf_index_size(a->t->btf, param->type)) {
		print_error("%s: argument %u is %s by DWARF, %s by BTF\n", a->function, a->seen,
		            v->name, name);
		a->differences++;
	}
	a->seen++;
	return 0;
}

static void test_arguments_agree(void **state)
{
	struct kernel_test *t = open_kernel_test();
	unsigned compared = 0, differences = 0;

	for (unsigned tries = 0; compared < FUNCTIONS && tries < 4 * FUNCTIONS; tries++) {
		struct arguments a = {.t = t, .function = t->names[random_below(t, t->count)]};
		struct elf_symbol sym;
		struct error *error = btf_index_find_function(t->btf, a.function, &a.proto);

		if (!error)
			error = debuginfo_symbol_find(t->info, a.function, &sym);
		/* assembler code has prototypes in headers, but no variables */
		if (!error)
			error = variables_at(t->info, sym.address, NULL, compare_argument, &a);
		if (error) {
			error_destroy(error);
			continue;
		}
		compared++;
		if (a.proto.argc && !*btf_index_name(t->btf, a.proto.args[0].name_off))
			continue; /* arguments without names (BPF helpers) are no variables */
		if (a.seen != a.proto.argc) {
			print_error("%s has %u arguments by DWARF, %u by BTF\n", a.function, a.seen,
			            a.proto.argc);
			a.differences++;
		}
		differences += a.differences;
	}
	assert_int_equal(compared, FUNCTIONS);
	assert_int_equal(differences, 0);
}

/* --- lines ------------------------------------------------------------------------------------ */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* binutils' addr2line, one address after the other: "path:line" or "path:line (discriminator 1)". */
static void test_addresses_beside_addr2line(void **state)
{
	struct kernel_test *t = open_kernel_test();
	struct place places[LINES];
	char command[512], path[64], line[1024];
	unsigned count = 0, different = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/tmp/addresses.%d", (int)getpid());
	f = fopen(path, "w");
	assert_non_null(f);
	while (count < LINES) {
		struct elf_symbol sym;
		struct error *error = debuginfo_symbol_find(
		    t->info, t->names[random_below(t, t->count)], &sym);

		if (!error)
			error = place_at(t->info, sym.address + random_below(t, sym.size),
			                 &places[count]);
		if (error || !places[count].file) {
			error_destroy(error);
			continue;
		}
		fprintf(f, "0x%lx\n", places[count++].address);
	}
	fclose(f);
	snprintf(command, sizeof(command), "addr2line -e %s <%s", getenv("SPILE_VMLINUX"), path);
	f = popen(command, "r");
	assert_non_null(f);
	for (unsigned i = 0; i < count && fgets(line, sizeof(line), f); i++) {
		char *colon = strchr(line, ':');

		assert_non_null(colon);
		*colon = '\0';
		/* It takes lines of some headers for the unit's own; gdb and llvm do not. */
		if (atoi(colon + 1) == places[i].line &&
		    (!strcmp(base_name(line), base_name(places[i].file)) ||
		     strstr(places[i].file, ".h")))
			continue;
		print_error("%lx: %s:%d, addr2line says %s:%s", places[i].address, places[i].file,
		            places[i].line, line, colon + 1);
		different++;
	}
	pclose(f);
	unlink(path);
	assert_int_equal(different, 0);
}

/* From an address to its line and from there back: the function has a place for the line. */
static void test_lines_and_back(void **state)
{
	struct kernel_test *t = open_kernel_test();
	static struct found found;
	unsigned back = 0;

	for (unsigned tries = 0; back < LINES && tries < 8 * LINES; tries++) {
		const char *name = t->names[random_below(t, t->count)];
		struct place_query q = {.function = (char *)name, .lines = PLACE_LINES_ALL};
		struct error *error;
		struct place there;

		found.count = 0;
		error = places_find(t->info, &q, found_place, &found);
		error_destroy(error);
		for (size_t i = 0; i < found.count && i < 3 && back < LINES; i++, back++) {
			assert_no_error(place_at(t->info, found.places[i].address, &there));
			assert_string_equal(there.function, found.places[i].function);
			assert_string_equal(there.function, name);
		}
	}
	assert_int_equal(back, LINES);
}

/* With the index and by walking units: the same functions, copies, variables and lines. */
static void test_index_agrees(void **state)
{
	struct kernel_test *t = open_kernel_test();
	static const char *const inlined[] = {"sock_hold", "kref_put", "skb_put_data", "task_rq_lock"};
	struct answer sum = {0};
	struct debuginfo *walked;
	unsigned different = 0;

	assert_no_error(places_index_open(t->info));
	assert_no_error(debuginfo_open_kernel(t->kernel, NULL, getenv("SPILE_VMLINUX"), &walked));
	walked->walks = true;
	for (unsigned i = 0; i < INDEXED; i++) {
		bool header = i < sizeof(inlined) / sizeof(inlined[0]);
		const char *name = header ? inlined[i] : t->names[random_below(t, t->count)];
		struct place_query q = {.function = (char *)name};

		if (has_other_names(name, "")) /* inlined elsewhere, too: a walk from its symbol ends there */
			continue;
		different += !agree(walked, t->info, &q, &sum);
		q.lines = PLACE_LINES_ALL;
		different += !agree(walked, t->info, &q, &sum);
	}
	debuginfo_close(walked);
	print_message("%u functions and %u copies, %u variables, %u lines\n",
	              sum.functions - sum.inlined, sum.inlined, sum.variables, sum.lines);
	assert_int_equal(different, 0);
	assert_true(sum.functions > INDEXED / 2 && sum.inlined > 50 && sum.lines > 5 * INDEXED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_arguments_agree),
	    cmocka_unit_test(test_addresses_beside_addr2line),
	    cmocka_unit_test(test_lines_and_back),
	    cmocka_unit_test(test_index_agrees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
