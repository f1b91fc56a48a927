// SPDX-License-Identifier: GPL-2.0-only
#include "reader/signals.h"

#include <signal.h>
#include <stddef.h>

static const int ending[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
enum { NENDING = sizeof(ending) / sizeof(ending[0]) };

static struct sigaction old_ending[NENDING], old_chld, old_pipe, old_switch;
static volatile sig_atomic_t requests, switches;

/* Signal context: counts only. */
static void on_ending(int sig)
{
	if (requests < 2)
		requests++;
}

static void on_switch(int sig)
{
	switches = 1;
}

static void on_child(int sig)
{
}

void signals_init(void)
{
	/* No SA_RESTART: a wait must come back to look at the flags. */
	struct sigaction end = { .sa_handler = on_ending };
	struct sigaction child = { .sa_handler = on_child, .sa_flags = SA_NOCLDSTOP };
	struct sigaction next = { .sa_handler = on_switch };
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	for (int i = 0; i < NENDING; i++) {
		sigaction(ending[i], NULL, &old_ending[i]);
		if (old_ending[i].sa_handler != SIG_IGN)
			sigaction(ending[i], &end, NULL);
	}
	sigaction(SIGCHLD, &child, &old_chld);
	sigaction(SIGPIPE, &ignore, &old_pipe);
	sigaction(SIGUSR2, &next, &old_switch);
}

void signals_restore_in_child(void)
{
	for (int i = 0; i < NENDING; i++)
		sigaction(ending[i], &old_ending[i], NULL);
	sigaction(SIGCHLD, &old_chld, NULL);
	sigaction(SIGPIPE, &old_pipe, NULL);
	sigaction(SIGUSR2, &old_switch, NULL);
}

void signals_block_in_thread(void)
{
	sigset_t set;

	sigemptyset(&set);
	for (int i = 0; i < NENDING; i++)
		sigaddset(&set, ending[i]);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

bool signals_stop(void)
{
	return requests > 0;
}

bool signals_quit(void)
{
	return requests > 1;
}

bool signals_take_switch(void)
{
	bool asked = switches;

	if (asked)
		switches = 0;
	return asked;
}
