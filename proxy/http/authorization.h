/*
 * authorization: can a request's Authorization be read in one way only?
 *
 * The company of Basic credentials chooses the tenant. Servers differ in how
 * they read credentials that are not written as RFC 7617 and RFC 9110, 11.6.2
 * have it, so what names one company here could name another one there, or
 * none. Pure.
 */
#ifndef HTTP_AUTHORIZATION_H
#define HTTP_AUTHORIZATION_H

#include "http/head.h"

/* May it be passed on? NULL if every server reads the same in it as basic_company() does; else what
 * it holds, in words. */
const char *authorization_ambiguity(const struct head *request);

/* The same for what is not passed on: only what cannot be read at all counts. */
const char *authorization_illegible(const struct head *request);

#endif
