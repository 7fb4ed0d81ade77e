/*
 * program: the whole: finds the command, runs it, and sees that its output has
 * arrived.
 */
#ifndef CLI_PROGRAM_H
#define CLI_PROGRAM_H

/* Returns the exit code. */
int program_main(int argc, char **argv);

#endif
