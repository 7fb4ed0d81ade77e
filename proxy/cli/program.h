/*
 * program: finds the command, runs it, and makes sure that its output was
 * written.
 */
#ifndef CLI_PROGRAM_H
#define CLI_PROGRAM_H

/* Returns the exit code. */
int program_main(int argc, char **argv);

#endif
