/*
 * basic: Basic credentials (RFC 7617), and the company in them. Old callers
 * send `user@COMPANY`: the company is after the last '@' of the user name.
 */
#ifndef HTTP_BASIC_H
#define HTTP_BASIC_H

#include "base/slice.h"

enum { BASIC_MAX_COMPANY = 256 };

enum basic_result {
    BASIC_NONE,  /* no Basic credentials, or they name no company */
    BASIC_NAMED, /* out is the company, with a NUL */
    BASIC_ODD,   /* they name something that cannot be a company */
};

/* Reads the company in an Authorization value. The password is ignored. */
enum basic_result basic_company(struct slice authorization, char out[BASIC_MAX_COMPANY]);

/* The same for a user name. */
enum basic_result basic_company_of(struct slice user, char out[BASIC_MAX_COMPANY]);

/* Credentials in plain text; wipe them with basic_wipe(). Not to be copied, because it points into
 * itself. */
struct basic {
    char *plain; /* is room, or allocated */
    size_t size; /* bytes to be wiped */
    struct slice user, password;
    char room[256]; /* enough for most credentials */
};

/* Returns false, with nothing to wipe, if the Authorization value has no Basic credentials. */
bool basic_read(struct slice authorization, struct basic *out);
void basic_wipe(struct basic *b);

#endif
