// SPDX-License-Identifier: GPL-2.0-only
/* The list of loaded script modules. All task context; `scripts_lock` is over the list. */
#include "kmod/script.h"

#include "engine/host.h"
#include "engine/host/linux-kernel/home.h"
#include "engine/host/linux-kernel/kernel.h"

struct script_entry {
	struct spl_script *script;
	struct module *module; /* the one that the script's memory belongs to */
	bool attached;
	struct script_entry *next;
};

static struct mutex scripts_lock;
static struct script_entry *scripts;

/* Whether a module's text is a script's: the engine refuses to probe it. */
static bool is_script_module(const struct module *module)
{
	const struct script_entry *entry;

	kfn_mutex_lock(&scripts_lock);
	for (entry = scripts; entry && entry->module != module; entry = entry->next)
		;
	kfn_mutex_unlock(&scripts_lock);
	return entry != NULL;
}

void script_registry_init(void)
{
	kernel_mutex_init(&scripts_lock);
	kernel_home_is_script = is_script_module;
}

static struct module *module_of(const struct spl_script *script)
{
	struct module *module;

	host_preempt_disable();
	module = kfn_module_address((unsigned long)script);
	host_preempt_enable();
	return module;
}

static struct script_entry **find(const struct spl_script *script)
{
	struct script_entry **link = &scripts;

	while (*link && (*link)->script != script)
		link = &(*link)->next;
	return link;
}

static struct script_entry *find_name(const char *name)
{
	struct script_entry *entry = scripts;

	while (entry && spl_str_cmp(entry->script->name, name))
		entry = entry->next;
	return entry;
}

int spile_script_register(struct spl_script *script)
{
	struct script_entry *entry;
	int err = -EINVAL;

	if (script->abi != SPL_ABI)
		return -EINVAL;
	entry = host_zalloc(sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	entry->script = script;
	entry->module = module_of(script);
	if (!entry->module || !kfn_try_module_get(&__this_module))
		goto free_entry;
	kfn_mutex_lock(&scripts_lock);
	err = find_name(script->name) ? -EEXIST : 0;
	if (!err) {
		entry->next = scripts;
		scripts = entry;
	}
	kfn_mutex_unlock(&scripts_lock);
	if (!err)
		return 0;
	kfn_module_put(&__this_module);
free_entry:
	host_free(entry);
	return err;
}

/* A session that is attached holds the module, so nobody is. */
void spile_script_unregister(struct spl_script *script)
{
	struct script_entry **link, *entry;

	kfn_mutex_lock(&scripts_lock);
	link = find(script);
	entry = *link;
	if (entry)
		*link = entry->next;
	kfn_mutex_unlock(&scripts_lock);
	if (!entry)
		return;
	host_free(entry);
	kfn_module_put(&__this_module);
}

int script_attach(const char *name, struct spl_script **ret)
{
	struct script_entry *entry;
	int err = 0;

	kfn_mutex_lock(&scripts_lock);
	entry = find_name(name);
	if (!entry)
		err = -ENOENT;
	else if (entry->attached)
		err = -EBUSY;
	else if (!kfn_try_module_get(entry->module))
		err = -ENOENT; /* it is on its way in or out */
	if (!err) {
		entry->attached = true;
		*ret = entry->script;
	}
	kfn_mutex_unlock(&scripts_lock);
	return err;
}

void script_detach(struct spl_script *script)
{
	struct script_entry *entry;
	struct module *module;

	kfn_mutex_lock(&scripts_lock);
	entry = *find(script);
	entry->attached = false;
	module = entry->module;
	kfn_mutex_unlock(&scripts_lock);
	kfn_module_put(module);
}
