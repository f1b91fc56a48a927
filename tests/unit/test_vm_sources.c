// SPDX-License-Identifier: GPL-2.0-only
/* vm/sources: which apt entries are taken for a suite, from both forms of apt's files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "vm/sources.h"

static const char bookworm[] =
	"# the system's\n"
	"Types: deb deb-src\n"
	"# a comment between fields\n"
	"URIs: http://mirror.example/debian\n"
	"Suites: bookworm bookworm-updates\n"
	"Components: main contrib\n"
	"Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
	"\n"
	"\n"
	"Types: deb\n"
	"URIs: http://mirror.example/debian-security\n"
	"Suites: bookworm-security\n"
	"Components: main\n";

static void exact_suite_keeps_updates_and_security(void **state)
{
	struct sources s;

	sources_init(&s, "bookworm");
	sources_add_deb822(&s, bookworm);
	assert_true(s.has_suite);
	assert_string_equal(s.exact.data,
			    "Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm\n"
			    "Components: main\n"
			    "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n\n"
			    "Types: deb\nURIs: http://mirror.example/debian\n"
			    "Suites: bookworm-updates\nComponents: main\n"
			    "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n\n"
			    "Types: deb\nURIs: http://mirror.example/debian-security\n"
			    "Suites: bookworm-security\nComponents: main\n\n");
	assert_int_equal(s.spare.len, 0);
	sources_deinit(&s);
}

static void other_suite_replaces_the_plain_one_only(void **state)
{
	struct sources s;

	sources_init(&s, "sid");
	sources_add_deb822(&s, bookworm);
	assert_false(s.has_suite);
	assert_int_equal(s.exact.len, 0);
	assert_string_equal(s.spare.data,
			    "Types: deb\nURIs: http://mirror.example/debian\nSuites: sid\n"
			    "Components: main\n"
			    "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n\n");
	sources_deinit(&s);
}

static void lines_with_options(void **state)
{
	struct sources s;

	sources_init(&s, "trixie");
	sources_add_lines(&s, "# deb http://mirror.example/debian trixie main\n"
			      "deb-src http://mirror.example/debian bookworm main\n"
			      "deb http://other.example/linux/debian bookworm stable\n"
			      "deb http://mirror.example/debian bookworm-backports main\n"
			      "deb [ arch=amd64 signed-by=/k.gpg trusted=yes ]\t"
			      "http://mirror.example/debian bookworm main contrib # why\n"
			      "deb http://second.example/debian bookworm main\n");
	assert_string_equal(s.spare.data,
			    "Types: deb\nURIs: http://mirror.example/debian\nSuites: trixie\n"
			    "Components: main\nSigned-By: /k.gpg\nTrusted: yes\n\n");
	assert_int_equal(s.exact.len, 0);
	sources_deinit(&s);
}

static void third_parties_and_disabled_are_skipped(void **state)
{
	struct sources s;

	sources_init(&s, "bookworm");
	sources_add_deb822(&s, "Types: deb\nURIs: http://x.example/apt\nSuites: bookworm\n"
			       "Components: main\n\n"
			       "Enabled: no\nTypes: deb\nURIs: http://x.example/debian\n"
			       "Suites: bookworm\nComponents: main\n\n"
			       "Types: deb\nURIs: http://x.example/debian\n"
			       "Suites: bookworm-pgdg\nComponents: main\n");
	sources_add_lines(&s, "deb\ndeb [\n[]\ndeb [ x ] \n\n");
	assert_int_equal(s.exact.len, 0);
	assert_int_equal(s.spare.len, 0);
	sources_deinit(&s);
}

static void a_key_inside_the_entry_stays_whole(void **state)
{
	struct sources s;

	sources_init(&s, "bookworm");
	sources_add_deb822(&s, "Types: deb\nURIs: http://x.example/debian\nSuites: bookworm\n"
			       "Components: main\nSigned-By:\n -----BEGIN\n .\n AbC=\n -----END\n");
	assert_non_null(strstr(s.exact.data,
			       "Signed-By: \n -----BEGIN\n .\n AbC=\n -----END\n"));
	sources_deinit(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exact_suite_keeps_updates_and_security),
		cmocka_unit_test(other_suite_replaces_the_plain_one_only),
		cmocka_unit_test(lines_with_options),
		cmocka_unit_test(third_parties_and_disabled_are_skipped),
		cmocka_unit_test(a_key_inside_the_entry_stays_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
