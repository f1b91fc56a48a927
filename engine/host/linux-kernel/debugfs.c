// SPDX-License-Identifier: GPL-2.0-only
/*
 * The document's control files, beside the kernel's own:
 *
 *     /sys/kernel/debug/spile/kprobes/list            0400  engine_list()
 *     /sys/kernel/debug/spile/kprobes/blacklist       0400  engine_blacklist()
 *     /sys/kernel/debug/spile/kprobes/enabled         0600  1 or 0: all probes
 *     /sys/kernel/debug/spile/kprobes-optimization    0600  1 or 0: jumps
 *     /sys/kernel/debug/spile/kprobes-text            0600  1 or 0: new probes by patches of our own,
 *                                                           where they can be (KPROBE_FLAG_TEXT)
 *
 * A listing is made when its file is opened and read from that copy, so that what is read in pieces
 * is of one moment. Task context.
 */
#include "engine/core/control.h"
#include "engine/host/linux-kernel/engine_kernel.h"
#include "engine/host/linux-kernel/home.h"

#define ROOM 4096 /* for what is added between measuring and writing */

/* --- listings -------------------------------------------------------------------------------------- */

struct listing {
	size_t len;
	char text[];
};

static int listing_open(struct file *file, size_t (*write)(char *to, size_t size))
{
	size_t size = write(NULL, 0) + ROOM;
	struct listing *listing = host_zalloc(sizeof(*listing) + size);
	size_t len;

	if (!listing)
		return -ENOMEM;
	len = write(listing->text, size);
	listing->len = len < size ? len : size;
	kfield(file, file, private_data) = listing;
	return 0;
}

static int list_open(struct inode *inode, struct file *file)
{
	return listing_open(file, engine_list);
}

static int blacklist_open(struct inode *inode, struct file *file)
{
	return listing_open(file, engine_blacklist);
}

static ssize_t listing_read(struct file *file, char *to, size_t len, int64_t *pos)
{
	struct listing *listing = kfield(file, file, private_data);

	return kfn_simple_read_from_buffer(to, len, pos, listing->text, listing->len);
}

static int listing_release(struct inode *inode, struct file *file)
{
	host_free(kfield(file, file, private_data));
	return 0;
}

/* --- switches -------------------------------------------------------------------------------------- */

#define SWITCH_MAX 16

static int switch_open(struct inode *inode, struct file *file)
{
	return 0;
}

static ssize_t switch_read(char *to, size_t len, int64_t *pos, bool on)
{
	return kfn_simple_read_from_buffer(to, len, pos, on ? "1\n" : "0\n", 2);
}

static int switch_parse(const char *from, size_t len, bool *ret)
{
	char text[SWITCH_MAX];

	if (len > sizeof(text))
		return -EINVAL;
	if (kfn_copy_from_user(text, from, len))
		return -EFAULT;
	return engine_parse_switch(text, len, ret);
}

static ssize_t switch_write(const char *from, size_t len, void (*set)(bool on))
{
	bool on;
	int err = switch_parse(from, len, &on);

	if (err)
		return err;
	set(on);
	return (ssize_t)len;
}

static ssize_t enabled_read(struct file *file, char *to, size_t len, int64_t *pos)
{
	return switch_read(to, len, pos, engine_enabled());
}

static ssize_t enabled_write(struct file *file, const char *from, size_t len, int64_t *pos)
{
	bool on;
	int err = switch_parse(from, len, &on);

	if (!err)
		err = engine_set_enabled(on);
	return err ? err : (ssize_t)len;
}

static ssize_t optimization_read(struct file *file, char *to, size_t len, int64_t *pos)
{
	return switch_read(to, len, pos, engine_optimization());
}

static ssize_t optimization_write(struct file *file, const char *from, size_t len, int64_t *pos)
{
	return switch_write(from, len, engine_set_optimization);
}

static ssize_t text_read_switch(struct file *file, char *to, size_t len, int64_t *pos)
{
	return switch_read(to, len, pos, kernel_home_text());
}

static ssize_t text_write_switch(struct file *file, const char *from, size_t len, int64_t *pos)
{
	return switch_write(from, len, kernel_home_set_text);
}

/* --- files ----------------------------------------------------------------------------------------- */

static struct dentry *root;
static struct file_operations list_operations, blacklist_operations, enabled_operations,
	optimization_operations, text_operations;

static bool is_error(const struct dentry *dentry)
{
	return !dentry || (unsigned long)dentry >= -4095ul;
}

static void create_file(struct dentry *folder, const char *name, uint16_t mode,
			struct file_operations *ops)
{
	kfield(ops, file_operations, owner) = &__this_module;
	if (khas(debugfs_create_file_full))
		kfn_debugfs_create_file_full(name, mode, folder, NULL, NULL, ops);
	else
		kfn_debugfs_create_file(name, mode, folder, NULL, ops);
}

static void create_listing(struct dentry *folder, const char *name, kcb_open *open,
			   struct file_operations *ops)
{
	kfield(ops, file_operations, open) = open;
	kfield(ops, file_operations, read) = listing_read;
	kfield(ops, file_operations, release) = listing_release;
	create_file(folder, name, 0400, ops);
}

static void create_switch(struct dentry *folder, const char *name, kcb_read *read, kcb_write *write,
			  struct file_operations *ops)
{
	kfield(ops, file_operations, open) = switch_open;
	kfield(ops, file_operations, read) = read;
	kfield(ops, file_operations, write) = write;
	create_file(folder, name, 0600, ops);
}

void control_files_init(void)
{
	bool can_create = khas(debugfs_create_file) || khas(debugfs_create_file_full);
	struct dentry *kprobes;

	if (!can_create || !khas(debugfs_create_dir) || !khas(debugfs_remove) ||
	    !khas(simple_read_from_buffer))
		return;
	root = kfn_debugfs_create_dir("spile", NULL);
	if (is_error(root))
		return;
	kprobes = kfn_debugfs_create_dir("kprobes", root);
	if (is_error(kprobes))
		return;
	create_listing(kprobes, "list", list_open, &list_operations);
	create_listing(kprobes, "blacklist", blacklist_open, &blacklist_operations);
	create_switch(kprobes, "enabled", enabled_read, enabled_write, &enabled_operations);
	create_switch(root, "kprobes-optimization", optimization_read, optimization_write,
		      &optimization_operations);
	create_switch(root, "kprobes-text", text_read_switch, text_write_switch, &text_operations);
}

/* Waits for calls that are under way. */
void control_files_deinit(void)
{
	if (!is_error(root))
		kfn_debugfs_remove(root);
	root = NULL;
}
