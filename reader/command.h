/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * reader/command.h - `spile-run [options] OBJECT`: the fifth pass as a command.
 *
 * Exit status, also in the help text:
 *   0  the script ran to its end and nothing was lost
 *   1  it could not be run, a script error ended it, or the -c command failed
 *   2  wrong use of the options
 *   3  it ran to its end, but records were lost or hits missed or skipped (the causes are on
 *      standard error)
 */
#ifndef SPILE_READER_COMMAND_H
#define SPILE_READER_COMMAND_H

#define RUN_EXIT_OK 0
#define RUN_EXIT_FAILED 1
#define RUN_EXIT_USAGE 2
#define RUN_EXIT_LOSSY 3

/** Runs a script's object; argv[0] is the name that messages begin with. */
int run_command(int argc, char **argv);
/** Prints the help on standard output; 0. */
int run_command_help(int argc, char **argv);

#endif
