/*
 * admin_client: asks a running sfmtls at its `admin` listener. Plain HTTP, one
 * request for each connection, with blocking calls: for commands, not for the
 * process that serves.
 */
#ifndef CLI_ADMIN_CLIENT_H
#define CLI_ADMIN_CLIENT_H

#include "base/buf.h"
#include "cli/config_choice.h"

/* The addresses of the listener, and what is needed to ask it. */
struct admin_place {
    struct address addresses[ADDRESS_FAMILIES]; /* tried one after the other */
    size_t naddresses;
    char *name;  /* the address in sentences */
    char *token; /* NULL: none is needed */
    char *flaw;  /* a flaw of the configuration that did not hide the place; NULL: none */
};

/* Finds the listener in the configuration. Of the files that the configuration names it reads only
 * that of the tokens. The running process may have an earlier configuration, so a flaw elsewhere in
 * this one is no error. */
enum status admin_place_find(const struct config_choice *choice, struct admin_place *out,
                             struct diag *why) MUST_CHECK;
void admin_place_free(struct admin_place *p);

struct admin_answer {
    int status;
    struct buf body; /* also ends with a NUL; the user frees it */
};

/* ST_OK for any answer. ST_SYSTEM: nobody answers, and *why has the reason. */
enum status admin_ask(const struct admin_place *p, const char *method, const char *path,
                      struct admin_answer *out, struct diag *why) MUST_CHECK;

#endif
