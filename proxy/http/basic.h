/*
 * basic: Basic credentials (RFC 7617), and what they say of the tenant. Callers
 * of old send `user@COMPANY`; the company is after the last '@' of the
 * user name.
 */
#ifndef HTTP_BASIC_H
#define HTTP_BASIC_H

#include "base/slice.h"

enum { BASIC_MAX_COMPANY = 256 };

enum basic_result {
    BASIC_NONE,  /* no Basic credentials, or none that name a company */
    BASIC_NAMED, /* out is the company, NUL-terminated */
    BASIC_ODD,   /* they name something that can be no company */
};

/* What an Authorization value says. The password is looked at by nobody. */
enum basic_result basic_company(struct slice authorization, char out[BASIC_MAX_COMPANY]);

/* The same of a user. */
enum basic_result basic_company_of(struct slice user, char out[BASIC_MAX_COMPANY]);

/* Credentials in the clear: to be wiped. Not to be copied, since it points into itself. */
struct basic {
    char *plain; /* room, or allocated */
    size_t size; /* of what is to be wiped */
    struct slice user, password;
    char room[256]; /* of most of them */
};

/* False, and nothing to wipe, if the Authorization value holds no Basic credentials. */
bool basic_read(struct slice authorization, struct basic *out);
void basic_wipe(struct basic *b);

#endif
