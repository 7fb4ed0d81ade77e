/*
 * calls: shows a person how to make a first call.
 */
#ifndef CLI_CALLS_H
#define CLI_CALLS_H

/* Prints the command line for curl and the settings for Postman. address: HOST:PORT or
 * unix:/path. */
void calls_show(const char *address, const char *path);

#endif
