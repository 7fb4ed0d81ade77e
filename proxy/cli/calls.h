/*
 * calls: how a person makes a first call.
 */
#ifndef CLI_CALLS_H
#define CLI_CALLS_H

/* On stdout: the line for curl, and what to set in Postman. address: HOST:PORT or unix:/path. */
void calls_show(const char *address, const char *path);

#endif
