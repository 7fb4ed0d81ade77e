/*
 * authorization: can a request's Authorization be read in one way only?
 *
 * The company in Basic credentials chooses the tenant. Servers differ in how
 * they read credentials that are not written as RFC 7617 and RFC 9110, 11.6.2
 * require. So credentials that name one company here could name another one
 * there, or none. Pure.
 */
#ifndef HTTP_AUTHORIZATION_H
#define HTTP_AUTHORIZATION_H

#include "http/head.h"

/* For a value that the server gets: NULL if every server reads it as basic_company() does;
 * otherwise what is wrong with it, in words. */
const char *authorization_ambiguity(const struct head *request);

/* For a value that the server does not get: only what cannot be read at all is wrong. */
const char *authorization_illegible(const struct head *request);

#endif
