/*
 * basic: what Basic credentials (RFC 7617) say of the tenant. Callers of old
 * send `user@COMPANY`; the company stands behind the last '@' of the user name.
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

#endif
