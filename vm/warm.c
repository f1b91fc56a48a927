// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest that has said READY has done all that takes time and nothing that differs between runs:
 * no folder of the host is mounted, no command known. Its state then, some 100 MB (zero pages take no
 * room), is what QEMU sends when it migrates a guest, here into a file. A later run starts QEMU with
 * that file as the incoming migration, and goes on with the JOB.
 *
 *	first run:  boot .. READY, migrate to a file (which stops it), rename, continue, JOB ..
 *	next runs:  load, JOB ..
 *
 * It isn't stopped before: then the loaded guest would be a stopped one, too.
 *
 * QEMU refuses to migrate while a 9p folder is mounted, so there is no later moment. The clock and
 * the random numbers of the guest would repeat; the JOB brings the time and some random bytes.
 *
 * The file's name has the initramfs's checksum and one over all that shapes the machine. A file that
 * QEMU can't load, because QEMU itself was changed, say, is removed, and the guest booted.
 */
#include "vm/warm.h"

#include <glob.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"

#define ANSWER_MS 5000
#define SAVE_LIMIT_S 60

static uint64_t hash_string(uint64_t hash, const char *s)
{
	for (; *s; s++)
		hash = (hash ^ (uint8_t)*s) * 0x100000001b3;
	return (hash ^ 0xff) * 0x100000001b3;
}

static uint64_t hash_config(const struct qemu_config *config)
{
	uint64_t hash = 0xcbf29ce484222325;
	int shares = 0;
	char text[128];

	while (config->shares[shares])
		shares++;
	snprintf(text, sizeof(text), "%u MB, %u processors, %d shares, kvm %d, nokaslr %d",
		 config->memory_mb, config->cpus, shares, config->kvm, config->nokaslr);
	hash = hash_string(hash, text);
	hash = hash_string(hash, qemu_kernel_parameters());
	hash = hash_string(hash, qemu_cpu);
	return hash_string(hash, config->append ? config->append : "");
}

/* "0123456789abcdef" of ".../initrd-0123456789abcdef.cpio". */
static const char *initrd_key(const struct qemu_config *config)
{
	return strrchr(config->initrd, '-') + 1;
}

char *warm_path(const char *dir, const struct qemu_config *config)
{
	char *path;

	if (strpbrk(dir, "'\"\\\n"))
		return NULL;
	if (asprintf(&path, "%s/warm-%.16s-%016" PRIx64, dir, initrd_key(config),
		     hash_config(config)) < 0)
		abort();
	return path;
}

static bool migrated(struct qemu *qemu)
{
	time_t limit = time(NULL) + SAVE_LIMIT_S;

	while (time(NULL) < limit) {
		_cleanup_free_ char *answer =
			qemu_monitor(qemu, "{\"execute\":\"query-migrate\"}", ANSWER_MS);

		if (!answer || strstr(answer, "\"failed\""))
			return false;
		if (strstr(answer, "\"completed\""))
			return true;
		usleep(20000);
	}
	return false;
}

/* States made with an older init are of no use to anybody. */
static void remove_outdated(const char *path)
{
	_cleanup_free_ char *pattern = NULL;
	size_t kept = strrchr(path, '-') - path;
	glob_t found;

	if (asprintf(&pattern, "%.*s/warm-*", (int)(strrchr(path, '/') - path), path) < 0)
		abort();
	if (glob(pattern, 0, NULL, &found))
		return;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		if (strncmp(found.gl_pathv[i], path, kept))
			unlink(found.gl_pathv[i]);
	}
	globfree(&found);
}

void warm_save(struct qemu *qemu, const char *path)
{
	_cleanup_free_ char *tmp = NULL, *command = NULL;

	if (asprintf(&tmp, "%s.%d", path, getpid()) < 0 ||
	    asprintf(&command, "{\"execute\":\"migrate\",\"arguments\":"
		     "{\"uri\":\"exec:cat >'%s'\"}}", tmp) < 0)
		abort();
	free(qemu_monitor(qemu, "{\"execute\":\"migrate-set-parameters\",\"arguments\":"
			  "{\"max-bandwidth\":10000000000}}", ANSWER_MS));
	free(qemu_monitor(qemu, command, ANSWER_MS));
	if (migrated(qemu) && rename(tmp, path) == 0)
		remove_outdated(path);
	else
		unlink(tmp);
	free(qemu_monitor(qemu, "{\"execute\":\"cont\"}", ANSWER_MS));
}
