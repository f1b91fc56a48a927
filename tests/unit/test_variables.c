// SPDX-License-Identifier: GPL-2.0-only
/*
 * Variables beside gdb: each form of the fixture runs under gdb (tests/places/oracle.py), which stops
 * at every line of it and prints registers, memory and what it takes each variable for. The same
 * registers and memory are given to our location programs; each leaf (scalar member or element)
 * must have the same bits, or both say that it is optimized out.
 */
#include <errno.h>

#include "base/file.h"
#include "base/strbuf.h"
#include "symbols/variables.h"
#include "tests/unit/fixture_places.h"

#define STOPS_MAX 512
#define LEAVES_MAX 400

struct leaf {
	char name[64];
	bool gone;
	uint64_t bits;
	uint64_t at; /* ours: where it begins in the variable, and how long it is, in bits */
	unsigned width;
	bool used;
};

struct memory {
	uint64_t address;
	size_t size;
	unsigned char bytes[16384];
};

/* What gdb found at one place. */
struct stop {
	uint64_t address, tls, regs[17], entry[17];
	uint64_t cfa, began; /* of the call; `began`: its function's entry, 0 unknown */
	unsigned char vectors[16][16];
	bool has_entry[17];
	struct memory memory[8];
	size_t memories, leaves;
	struct leaf leaf[LEAVES_MAX];
};

struct session {
	struct debuginfo *info;
	const char *name;
	uint64_t bias;
	struct stop stop;
	unsigned stops, calls, compared, gone, from_entry, differences;
};

/* --- the machine that our programs run on ------------------------------------------------------- */

static bool machine_register(void *context, unsigned reg, uint64_t *ret)
{
	struct stop *stop = context;

	if (reg > 16)
		return false;
	*ret = stop->regs[reg];
	return true;
}

static bool machine_entry(void *context, unsigned reg, uint64_t *ret)
{
	struct stop *stop = context;

	if (reg > 16 || !stop->has_entry[reg])
		return false;
	*ret = stop->entry[reg];
	return true;
}

static bool machine_vector(void *context, unsigned reg, unsigned char dst[16])
{
	struct stop *stop = context;

	if (reg < 17 || reg > 32)
		return false;
	memcpy(dst, stop->vectors[reg - 17], 16);
	return true;
}

static bool machine_memory(void *context, uint64_t address, void *dst, size_t size)
{
	struct stop *stop = context;

	for (size_t i = 0; i < stop->memories; i++) {
		struct memory *m = &stop->memory[i];

		if (address < m->address || address + size > m->address + m->size)
			continue;
		memcpy(dst, m->bytes + (address - m->address), size);
		return true;
	}
	return false;
}

/* --- leaves -------------------------------------------------------------------------------------- */

struct flatten {
	struct leaf *leaves;
	size_t count;
	const unsigned char *bytes;
	size_t size;
	uint64_t bit;
	char name[64];
	unsigned bit_size;
};

static uint64_t bits_at(const struct flatten *f, uint64_t bit, unsigned bits)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < bits && (bit + i) / 8 < f->size; i++)
		value |= (uint64_t)(f->bytes[(bit + i) / 8] >> ((bit + i) % 8) & 1) << i;
	return value;
}

static uint64_t widen(uint64_t value, unsigned bits, bool is_signed)
{
	if (is_signed && bits < 64 && value >> (bits - 1) & 1)
		value |= ~0ull << bits;
	return value;
}

static void flatten(struct flatten *f, struct dwarf_type type);

static int flatten_member(const struct type_member *member, void *arg)
{
	struct flatten *f = arg, inner = *f;

	inner.bit = f->bit + member->bit_offset;
	inner.bit_size = member->bit_size;
	if (*member->name)
		snprintf(inner.name, sizeof(inner.name), "%.40s.%.20s", f->name, member->name);
	flatten(&inner, member->type);
	f->count = inner.count;
	return 0;
}

static void flatten_array(struct flatten *f, struct dwarf_type type)
{
	struct dwarf_type element = dwarf_type_target(type);

	for (int64_t i = 0; i < dwarf_type_count(type); i++) {
		struct flatten inner = *f;

		snprintf(inner.name, sizeof(inner.name), "%.50s[%d]", f->name, (int)i);
		inner.bit = f->bit + i * dwarf_type_size(element) * 8;
		flatten(&inner, element);
		f->count = inner.count;
	}
}

static void add_leaf(struct flatten *f, struct dwarf_type type)
{
	unsigned size = dwarf_type_size(type);
	unsigned bits = f->bit_size ? f->bit_size : size * 8;
	struct leaf *leaf = &f->leaves[f->count++];
	float narrow;
	double wide;

	assert_true(f->count < LEAVES_MAX);
	*leaf = (struct leaf){.at = f->bit, .width = bits, .bits = bits_at(f, f->bit, bits)};
	snprintf(leaf->name, sizeof(leaf->name), "%s", f->name);
	leaf->bits = widen(leaf->bits, bits, dwarf_type_is_signed(type));
	if (dwarf_type_kind(type) == TYPE_FLOAT && size == 4) {
		memcpy(&narrow, &leaf->bits, 4);
		wide = narrow;
		memcpy(&leaf->bits, &wide, 8);
	}
}

static void flatten(struct flatten *f, struct dwarf_type type)
{
	struct dwarf_type bare = dwarf_type_strip(type);

	switch (dwarf_type_kind(bare)) {
	case TYPE_STRUCT:
	case TYPE_UNION:
		dwarf_type_each_member(bare, false, flatten_member, f);
		break;
	case TYPE_ARRAY:
		flatten_array(f, bare);
		break;
	default:
		add_leaf(f, bare);
	}
}

/* --- comparing ------------------------------------------------------------------------------------ */

static struct leaf *gdb_leaf(struct stop *stop, const char *name)
{
	for (size_t i = 0; i < stop->leaves; i++)
		if (!strcmp(stop->leaf[i].name, name))
			return &stop->leaf[i];
	return NULL;
}

static void differ(struct session *s, const struct leaf *ours, const struct leaf *gdb)
{
	s->differences++;
	print_error("%s at %llx: %s is %llx%s, gdb says %llx%s\n", s->name,
	            (unsigned long long)s->stop.address, ours->name,
	            (unsigned long long)ours->bits, ours->gone ? " (gone)" : "",
	            gdb ? (unsigned long long)gdb->bits : 0,
	            !gdb ? " (not listed)" : gdb->gone ? " (gone)" : "");
}

/* gdb has the entry value only when the caller tells it, so ours may know more. */
static void compare_leaf(struct session *s, const struct leaf *ours, bool from_entry)
{
	struct leaf *gdb = gdb_leaf(&s->stop, ours->name);

	if (!gdb) {
		if (!ours->gone)
			differ(s, ours, gdb);
		return;
	}
	gdb->used = true;
	/* gdb takes what lies behind the last of too few pieces for zeroes; it is gone. */
	if (ours->gone && !gdb->bits)
		gdb->gone = true;
	if (from_entry && gdb->gone)
		s->from_entry++;
	else if (ours->gone != gdb->gone || (!ours->gone && ours->bits != gdb->bits))
		differ(s, ours, gdb);
	else if (ours->gone)
		s->gone++;
	else
		s->compared++;
}

/* True when a part of the leaf is in a piece that is gone. */
static bool leaf_is_gone(const struct location *loc, const struct leaf *leaf)
{
	uint64_t at = 0;

	for (size_t i = 0; i < loc->piece_count; i++) {
		const struct location_piece *p = &loc->pieces[i];
		uint64_t end = p->bits ? at + p->bits : ~0ull;
		bool gone = p->kind == PIECE_NONE || p->kind == PIECE_POINTER;

		if (gone && leaf->at < end && leaf->at + leaf->width > at)
			return true;
		at = end;
	}
	return leaf->at + leaf->width > at;
}

/* As location_evaluate(), but what is gone reads as zeroes. */
static struct error *evaluate(const struct location *loc, const struct location_machine *m,
                              unsigned char *dst, size_t size)
{
	struct location patched = *loc;

	if (location_is_none(loc))
		return NULL;
	for (size_t i = 0; i < patched.piece_count; i++) {
		struct location_piece *p = &patched.pieces[i];

		if (p->kind == PIECE_NONE || p->kind == PIECE_POINTER)
			*p = (struct location_piece){.kind = PIECE_BYTES, .bits = p->bits,
			                             .bytes = dst};
	}
	if (patched.pieces[patched.piece_count - 1].bits) /* they may end too early */
		patched.pieces[patched.piece_count++] =
		    (struct location_piece){.kind = PIECE_BYTES, .bytes = dst};
	return location_evaluate(&patched, m, dst, size);
}

static void compare_bytes(struct session *s, const struct code_variable *v, const struct location *loc,
                          const unsigned char *bytes, size_t size)
{
	static struct leaf leaves[LEAVES_MAX];
	struct flatten f = {.leaves = leaves, .bytes = bytes, .size = size};

	snprintf(f.name, sizeof(f.name), "%s", v->name);
	flatten(&f, v->type);
	for (size_t i = 0; i < f.count; i++) {
		leaves[i].gone = leaf_is_gone(loc, &leaves[i]);
		compare_leaf(s, &leaves[i], loc->uses_entry);
	}
}

static int compare_variable(const struct code_variable *v, void *arg)
{
	struct session *s = arg;
	struct location_machine m = {
	    .read_register = machine_register,
	    .read_entry_register = machine_entry,
	    .read_memory = machine_memory,
	    .read_vector = machine_vector,
	    .load_bias = s->bias,
	    .context = &s->stop,
	};
	int64_t size = dwarf_type_size(v->type);
	unsigned char bytes[1024] = {0};
	struct location loc;
	struct error *error;

	if (v->is_hidden || size < 0)
		return 0;
	assert_true(size <= (int64_t)sizeof(bytes));
	assert_no_error(variable_location(s->info, v, s->stop.address - s->bias, &loc));
	error = evaluate(&loc, &m, bytes, size);
	/* gdb stopped in the middle first and never saw the entry. */
	if (error && error->err == ENODATA && loc.uses_entry) {
		error_destroy(error);
		return 0;
	}
	/* Before the frame is set up memory that is not there may be asked for: by gdb, too. */
	if (error && error->err == EFAULT) {
		error_destroy(error);
		loc.piece_count = 0;
		error = NULL;
	}
	assert_no_error(error);
	compare_bytes(s, v, &loc, bytes, size);
	return 0;
}

/* By what the call is known, whose registers at the entry are wanted. */
static void compare_call(struct session *s)
{
	struct location_machine m = {.read_register = machine_register,
	                             .read_memory = machine_memory,
	                             .load_bias = s->bias,
	                             .context = &s->stop};
	struct location frame;
	uint64_t entry, cfa;

	assert_no_error(variable_entry(s->info, s->stop.address - s->bias, &entry, &frame));
	assert_no_error(location_evaluate(&frame, &m, &cfa, sizeof(cfa)));
	assert_int_equal(cfa, s->stop.cfa);
	if (!s->stop.began)
		return;
	assert_int_equal(entry + s->bias, s->stop.began);
	s->calls++;
}

/* What gdb shows must be known to us as well. */
static void find_missing(struct session *s)
{
	for (size_t i = 0; i < s->stop.leaves; i++) {
		struct leaf *leaf = &s->stop.leaf[i];

		if (leaf->used || leaf->gone)
			continue;
		s->differences++;
		print_error("%s at %llx: gdb has %s, we have not\n", s->name,
		            (unsigned long long)s->stop.address, leaf->name);
	}
}

/* --- what gdb wrote -------------------------------------------------------------------------------- */

static void read_hex(struct stop *stop, const char *line)
{
	struct memory *m = &stop->memory[stop->memories];
	int at = 0;

	assert_true(stop->memories < 8);
	assert_int_equal(sscanf(line, "mem %lx %n", &m->address, &at), 1);
	m->size = 0;
	for (const char *p = line + at; m->size < sizeof(m->bytes); p += 2) {
		unsigned byte;

		if (sscanf(p, "%2x", &byte) != 1)
			break;
		m->bytes[m->size++] = byte;
	}
	/* The stack is dumped in two halves, which a variable may lie across. */
	if (stop->memories &&
	    stop->memory[stop->memories - 1].address + stop->memory[stop->memories - 1].size ==
	        m->address &&
	    stop->memory[stop->memories - 1].size + m->size <= sizeof(m->bytes)) {
		struct memory *last = m - 1;

		memcpy(last->bytes + last->size, m->bytes, m->size);
		last->size += m->size;
		return;
	}
	stop->memories++;
}

static void read_variable(struct stop *stop, const char *line)
{
	struct leaf *leaf = &stop->leaf[stop->leaves];
	char value[64];

	if (sscanf(line, "var %63s %63s", leaf->name, value) != 2)
		return;
	assert_true(++stop->leaves < LEAVES_MAX);
	leaf->used = false;
	leaf->gone = !strcmp(value, "-");
	leaf->bits = strtoull(value, NULL, 10);
}

static void read_line(struct session *s, const char *line)
{
	struct stop *stop = &s->stop;
	unsigned reg;
	uint64_t value, low, high;

	if (sscanf(line, "stop %lx", &value) == 1) {
		memset(stop, 0, sizeof(*stop));
		stop->address = value;
	} else if (sscanf(line, "reg %u %lx", &reg, &value) == 2 && reg < 17) {
		stop->regs[reg] = value;
	} else if (sscanf(line, "entry %u %lx", &reg, &value) == 2 && reg < 17) {
		stop->entry[reg] = value;
		stop->has_entry[reg] = true;
	} else if (sscanf(line, "vec %u %lx %lx", &reg, &low, &high) == 3 && reg < 33) {
		memcpy(stop->vectors[reg - 17], &low, 8);
		memcpy(stop->vectors[reg - 17] + 8, &high, 8);
	} else if (!strncmp(line, "mem ", 4)) {
		read_hex(stop, line);
	} else if (!strncmp(line, "var ", 4)) {
		read_variable(stop, line);
	} else if (sscanf(line, "cfa %lx", &value) == 1) {
		stop->cfa = value;
	} else if (sscanf(line, "began %lx", &value) == 1) {
		stop->began = value;
	} else if (!strncmp(line, "end", 3)) {
		s->stops++;
		compare_call(s);
		assert_no_error(variables_at(s->info, stop->address - s->bias, NULL, compare_variable,
		                             s));
		find_missing(s);
	}
}

/* --- one program ------------------------------------------------------------------------------------ */

struct data {
	FILE *file;
	uint64_t bias;
};

/* The page part that holds the symbol: its neighbours are the fixture's, too. */
static int list_data(const struct elf_symbol *sym, void *arg)
{
	struct data *data = arg;

	fprintf(data->file, "data %lx 200\n", (sym->address & ~0xfful) + data->bias);
	return 0;
}

static void write_places(struct session *s, const char *path)
{
	struct data data;
	static struct found found;
	struct place_query q;
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_no_error(place_query_parse("*@*places/*:*", &q));
	found.count = 0;
	assert_no_error(places_find(s->info, &q, found_place, &found));
	place_query_deinit(&q);
	assert_true(found.count > 40);
	for (size_t i = 0; i < found.count; i++)
		fprintf(f, "place %lx\n", found.places[i].address + s->bias);
	assert_no_error(place_query_parse("*", &q));
	found.count = 0;
	assert_no_error(functions_find(s->info, &q, FUNCTIONS_BODIES, found_function, &found));
	place_query_deinit(&q);
	for (size_t i = 0; i < found.count; i++)
		fprintf(f, "entry %lx\n", found.functions[i].address + s->bias);
	data.file = f;
	data.bias = s->bias;
	debuginfo_symbol_match(s->info, "global_mixed*", list_data, &data);
	debuginfo_symbol_match(s->info, "sink*", list_data, &data);
	fclose(f);
}

/* Where gdb loads a position-independent program without randomization. */
#define PIE_BASE 0x555555554000ul

/* gdb 13 reads location lists of clang's split units without their base. The same code with the same
 * debug information in one file gives the answers, and differs by no byte. */
static const char *program_for_gdb(const char *name)
{
	return strcmp(name, "clang-split-5") ? name : "clang-O2-5";
}

/* gdb's output, of an earlier run if it was asked for the same places of the same program. */
static FILE *ask_gdb(const char *name, const char *places)
{
	char command[1024];

	snprintf(command, sizeof(command),
	         "cd " PLACES_DIR "; if ! cmp -s %s %s.places || ! [ %s.gdb -nt ../../tests/places/oracle.py ]; then "
	         "PLACES=%s gdb -nx -batch -iex 'set debug-file-directory programs/debug' "
	         "-x ../../tests/places/oracle.py programs/%s >%s.gdb.tmp 2>&1; "
	         "mv %s.gdb.tmp %s.gdb; fi; mv %s %s.places; cat %s.gdb",
	         places, name, name, places, program_for_gdb(name), places, places, name, places,
	         name, name);
	return popen(command, "r");
}

static void check_program(const char *name)
{
	struct session s = {.name = name, .info = places_open(name)};
	static char line[65536];
	char places[64], path[128];
	FILE *gdb;

	s.bias = strstr(name, "pie") ? PIE_BASE : 0;
	snprintf(places, sizeof(places), "%s.%d", name, (int)getpid());
	snprintf(path, sizeof(path), PLACES_DIR "/%s", places);
	write_places(&s, path);
	gdb = ask_gdb(name, places);
	assert_non_null(gdb);
	while (fgets(line, sizeof(line), gdb))
		read_line(&s, line);
	pclose(gdb);
	print_message("%-16s %u places, %u values, %u optimized out, %u from the entry\n", name,
	              s.stops, s.compared, s.gone, s.from_entry);
	debuginfo_close(s.info);
	assert_int_equal(s.differences, 0);
	assert_true(s.stops > 50);
	assert_true(s.compared > 100);
	assert_true(s.calls > s.stops / 2);
}

static void test_values_beside_gdb(void **state)
{
	char *list, *save, *name;
	size_t len;

	assert_no_error(file_read(PLACES_DIR "/programs/list", &list, &len));
	for (name = strtok_r(list, "\n", &save); name; name = strtok_r(NULL, "\n", &save))
		check_program(name);
	free(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_values_beside_gdb),
	};

	return cmocka_run_group_tests(tests, places_build, places_clean);
}
