/*
 * basic: what Basic credentials (RFC 7617) say of the tenant. Callers of old
 * send `user@COMPANY`; the company stands behind the last '@' of the user name.
 */
#ifndef HTTP_BASIC_H
#define HTTP_BASIC_H

#include "base/slice.h"

enum { BASIC_MAX_COMPANY = 256 };

/* Writes the company that an Authorization value names, NUL-terminated, into out. False if it is no
 * Basic value, is not sound, or names none. The password is looked at by nobody. */
bool basic_company(struct slice authorization, char out[BASIC_MAX_COMPANY]);

#endif
