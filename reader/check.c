// SPDX-License-Identifier: GPL-2.0-only
#include "reader/check.h"

#include <inttypes.h>

#include "base/error.h"

static void print_row(const struct fit_row *row, FILE *out)
{
	bool bad = row->must && (row->verdict == FIT_MISSING || row->verdict == FIT_REFUSED);

	fprintf(out, "%-11s %-8s %s", bad ? "REFUSED" : fit_verdict_name(row->verdict), row->kind,
	        row->name);
	if (row->reason)
		fprintf(out, ": %s%s\n", row->reason, row->must ? "" : " (optional)");
	else
		fprintf(out, " = %s 0x%" PRIx64 "%s\n", row->taken ? row->taken : "", row->value,
		        row->unchecked ? " (by name: not in BTF)" : "");
}

static void print_json_string(const char *s, FILE *out)
{
	if (!s) {
		fputs("null", out);
		return;
	}
	fputc('"', out);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			fprintf(out, "\\%c", *s);
		else if ((unsigned char)*s < 0x20)
			fprintf(out, "\\u%04x", *s);
		else
			fputc(*s, out);
	}
	fputc('"', out);
}

static void print_member(const char *key, const char *value, FILE *out)
{
	fprintf(out, "\"%s\": ", key);
	print_json_string(value, out);
	fputs(", ", out);
}

static void print_json_row(const struct fit_row *row, FILE *out)
{
	fputc('{', out);
	print_member("kind", row->kind, out);
	print_member("name", row->name, out);
	print_member("verdict", fit_verdict_name(row->verdict), out);
	print_member("taken", row->taken, out);
	print_member("reason", row->reason, out);
	fprintf(out, "\"must\": %s, \"checked\": %s, \"value\": %" PRId64 "}",
	        row->must ? "true" : "false", row->unchecked ? "false" : "true", row->value);
}

static void print_text(const struct kernel *k, const struct fit_table *table, const char *obstacle,
                       FILE *out)
{
	unsigned count[4] = {0};

	for (size_t i = 0; i < fit_table_count(table); i++) {
		print_row(fit_table_row(table, i), out);
		count[fit_table_row(table, i)->verdict]++;
	}
	fprintf(out,
	        "kernel %s: %s: %zu rows, %u ok, %u by an alternative, %u missing, %u refused\n",
	        kernel_release(k), fit_table_fits(table) ? "fits" : "DOES NOT FIT",
	        fit_table_count(table), count[FIT_OK], count[FIT_ALTERNATIVE], count[FIT_MISSING],
	        count[FIT_REFUSED]);
	if (obstacle)
		fprintf(out, "no module can be loaded here: %s\n", obstacle);
}

static void print_json(const struct kernel *k, const struct fit_table *table, const char *obstacle,
                       FILE *out)
{
	fputs("{", out);
	print_member("kernel", kernel_release(k), out);
	print_member("obstacle", obstacle, out);
	fprintf(out, "\"fits\": %s, \"rows\": [", fit_table_fits(table) ? "true" : "false");
	for (size_t i = 0; i < fit_table_count(table); i++) {
		fputs(i ? ",\n" : "\n", out);
		print_json_row(fit_table_row(table, i), out);
	}
	fputs("\n]}\n", out);
}

struct error *check_print(const char *kernel_dir, bool json, FILE *out, bool *fits)
{
	struct error *obstacle = kernel_dir ? NULL : fit_preflight();
	struct fit_table *table = NULL;
	struct kernel *k = NULL;
	struct error *error;

	error = kernel_open(kernel_dir, &k);
	if (!error)
		error = fit_table_check(k, &table);
	if (!error) {
		*fits = fit_table_fits(table) && !obstacle;
		(json ? print_json : print_text)(k, table, obstacle ? obstacle->message : NULL,
		                                 out);
	} else if (obstacle) {
		/* Why no module can be loaded says more than which file could not be read. */
		error_destroy(error);
		error = obstacle;
		obstacle = NULL;
	}
	error_destroy(obstacle);
	fit_table_destroy(table);
	kernel_close(k);
	return error;
}
