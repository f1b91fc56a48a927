// SPDX-License-Identifier: GPL-2.0-only
/* The section .spile.meta, good and hostile. SEED=n repeats the random part. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <elf.h>

#include <cmocka.h>

#include "reader/meta.h"

static const char good[] =
	"spile-meta 1\n"
	"name\tspile_a1b2\n"
	"kernel\t0123456789abcdef\n"
	"release\t6.1.0-28-amd64\n"
	"abi\t1\n"
	"format\tns\t%5d\\t%s\\n\n"
	"format\t\t100%% of C:\\\\\\n\n"
	"format\tnns\t%*.*s\n"
	"probe\tBEGIN\t\tbegin\tx.stp:1:7\n"
	"probe\tENTRY\tvfs_read\tkernel.function(\"vfs_read\")\tx.stp:2:7\n"
	"end\n";

static void test_good(void **state)
{
	struct script_meta *meta;

	assert_null(meta_create(good, sizeof(good), &meta)); /* with the NUL, as a compiler puts it */
	assert_string_equal(meta->name, "spile_a1b2");
	assert_string_equal(meta->kernel, "0123456789abcdef");
	assert_string_equal(meta->release, "6.1.0-28-amd64");
	assert_int_equal(meta->abi, 1);
	assert_int_equal(meta->nformats, 3);
	assert_string_equal(meta->formats[0].types, "ns");
	assert_string_equal(meta->formats[0].text, "%5d\t%s\n");
	assert_string_equal(meta->formats[1].types, "");
	assert_string_equal(meta->formats[1].text, "100%% of C:\\\n");
	assert_int_equal(meta->nprobes, 2);
	assert_string_equal(meta->probes[0].symbol, "");
	assert_string_equal(meta->probes[1].point, "kernel.function(\"vfs_read\")");
	assert_string_equal(meta->probes[1].symbol, "vfs_read");
	assert_string_equal(meta->probes[1].source, "x.stp:2:7");
	meta_destroy(meta);
}

static void expect_refused(const char *section, const char *why)
{
	struct script_meta *meta = NULL;
	struct error *error = meta_create(section, strlen(section), &meta);

	assert_non_null(error);
	if (!strstr(error->message, why))
		fail_msg("message '%s' does not say '%s'", error->message, why);
	error_destroy(error);
}

#define HEAD "spile-meta 1\nname\tspile_x\nabi\t1\n"

static void test_refused(void **state)
{
	expect_refused("", "line 1: it ends too early");
	expect_refused("spile-meta 2\n", "version");
	expect_refused("spile-meta 1\nend\n", "the name or the ABI is missing");
	expect_refused(HEAD, "line 4: it ends too early");
	expect_refused(HEAD "end", "ends too early");
	expect_refused(HEAD "bogus\t1\nend\n", "line 4: an unknown word");
	expect_refused(HEAD "format\tn\nend\n", "wrong number of fields");
	expect_refused(HEAD "probe\ta\tb\tc\td\te\nend\n", "too many fields");
	expect_refused(HEAD "format\t\t\\q\nend\n", "unknown escape");
	expect_refused(HEAD "format\t\tx\\\nend\n", "unknown escape");
	expect_refused("spile-meta 1\nname\t../../x\nabi\t1\nend\n", "not a module's");
	expect_refused("spile-meta 1\nname\t\nabi\t1\nend\n", "not a module's");
	expect_refused("spile-meta 1\nname\tx\nabi\tone\nend\n", "not a number");
	expect_refused(HEAD "format\tnx\t%d\nend\n", "an unknown type");
}

static void test_nul_inside(void **state)
{
	static const char text[] = HEAD "format\t\ta\0b\nend\n";
	struct script_meta *meta;
	struct error *error = meta_create(text, sizeof(text) - 1, &meta);

	assert_non_null(error);
	error_destroy(error);
}

/* Bytes changed, cut and repeated at random: an answer, never a crash (the sanitizers look on). */
static void test_random_damage(void **state)
{
	unsigned seed = getenv("SEED") ? (unsigned)atoi(getenv("SEED")) : (unsigned)time(NULL);

	printf("# repeat with SEED=%u\n", seed);
	for (int round = 0; round < 20000; round++) {
		size_t len = sizeof(good) - (rand_r(&seed) % 4 ? 1 : (unsigned)rand_r(&seed) % 60);
		char *copy = malloc(len);
		struct script_meta *meta;
		struct error *error;

		memcpy(copy, good, len);
		for (int n = rand_r(&seed) % 4; n > 0; n--)
			copy[(size_t)rand_r(&seed) % len] = "\t\n\\%sn\0*"[rand_r(&seed) % 8];
		error = meta_create(copy, len, &meta);
		free(copy);
		if (error)
			error_destroy(error);
		else
			meta_destroy(meta);
	}
}

/* --- inside an ELF object --------------------------------------------------------------------------- */

struct object {
	Elf64_Ehdr head;
	Elf64_Shdr sections[3]; /* null, .spile.meta, .shstrtab */
	char names[32];
	char meta[sizeof(good)];
};

static void make_object(struct object *o)
{
	static const char names[] = "\0.spile.meta\0.shstrtab";

	memset(o, 0, sizeof(*o));
	memcpy(o->head.e_ident, ELFMAG, SELFMAG);
	o->head.e_ident[EI_CLASS] = ELFCLASS64;
	o->head.e_ident[EI_DATA] = ELFDATA2LSB;
	o->head.e_ident[EI_VERSION] = EV_CURRENT;
	o->head.e_type = ET_REL;
	o->head.e_machine = EM_X86_64;
	o->head.e_version = EV_CURRENT;
	o->head.e_ehsize = sizeof(o->head);
	o->head.e_shentsize = sizeof(Elf64_Shdr);
	o->head.e_shoff = offsetof(struct object, sections);
	o->head.e_shnum = 3;
	o->head.e_shstrndx = 2;
	memcpy(o->names, names, sizeof(names));
	memcpy(o->meta, good, sizeof(good));
	o->sections[1] = (Elf64_Shdr){ .sh_name = 1, .sh_type = SHT_PROGBITS,
				       .sh_offset = offsetof(struct object, meta),
				       .sh_size = sizeof(good) };
	o->sections[2] = (Elf64_Shdr){ .sh_name = 13, .sh_type = SHT_STRTAB,
				       .sh_offset = offsetof(struct object, names),
				       .sh_size = sizeof(names) };
}

static void expect_no_script(const void *object, size_t len)
{
	struct script_meta *meta;
	struct error *error = meta_create_elf(object, len, &meta);

	assert_non_null(error);
	assert_non_null(strstr(error->message, ".spile.meta"));
	error_destroy(error);
}

static void test_elf(void **state)
{
	struct script_meta *meta;
	struct object o;

	make_object(&o);
	assert_null(meta_create_elf(&o, sizeof(o), &meta));
	assert_string_equal(meta->name, "spile_a1b2");
	meta_destroy(meta);
	expect_no_script("not an ELF", 10);
	expect_no_script(&o, 20);
	o.sections[1].sh_offset = sizeof(o) - 4; /* reaches past the end */
	expect_no_script(&o, sizeof(o));
	make_object(&o);
	o.sections[1].sh_size = UINT64_MAX;
	expect_no_script(&o, sizeof(o));
	make_object(&o);
	o.names[1] = 'x';
	expect_no_script(&o, sizeof(o));
	make_object(&o);
	o.sections[1].sh_type = SHT_NOBITS;
	expect_no_script(&o, sizeof(o));
}

/* --- from a loaded script ---------------------------------------------------------------------------- */

static void test_script(void **state)
{
	static const struct spl_format formats[] = { { "%d\n", "n" }, { "%s", "s" } };
	static const struct spl_probe probes[] = { { .kind = SPL_PROBE_BEGIN, .pp = "begin" } };
	struct spl_script script = { .abi = 1, .nprobes = 1, .probes = probes, .nformats = 2,
				     .formats = formats, .name = "x" };
	struct script_meta *meta = meta_create_script(&script);

	assert_int_equal(meta->nformats, 2);
	assert_string_equal(meta->probes[0].point, "begin");
	assert_string_equal(meta->probes[0].symbol, "");
	meta_destroy(meta);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_nul_inside),
		cmocka_unit_test(test_random_damage),
		cmocka_unit_test(test_elf),
		cmocka_unit_test(test_script),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
