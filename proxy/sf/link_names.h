/*
 * link_names: is a name that of a link? Private to link*.c.
 */
#ifndef SF_LINK_NAMES_H
#define SF_LINK_NAMES_H

#include "sf/link.h"

/* The kinds of names. Each row of the table has one kind. */
enum link_kind {
    LINK_MEMBER, /* JSON: the name of a string or of an array of strings */
    LINK_MEMBER_ANY_CASE,
    /* JSON: OData's control information, after "@", "odata." or both. */
    LINK_CONTROL,
    /* XML: with any prefix or none; if the row has a prefix, only with that one. */
    LINK_ATTRIBUTE,
    LINK_ATTRIBUTE_PREFIXED, /* XML: with any prefix */
    /* XML: with any prefix; a list, in which each second item is a link. */
    LINK_ATTRIBUTE_PAIRS,
    LINK_ATTRIBUTE_LIST, /* XML: a list of links */
    LINK_ELEMENT,        /* XML: with any prefix or none; its text is the link */
    LINK_FIELD,          /* a field: its value is a URL */
    LINK_FIELD_TARGETS,  /* a field: URLs in <> */
    LINK_FIELD_HOST,     /* a field: its value is an authority */
    LINK_NOT_KNOWN,
};

/* Call it before the functions below. */
void link_names_prepare(void);

bool link_is_member(struct slice name);            /* a name in JSON */
enum link_value link_attribute(struct slice name); /* a name in XML, with its prefix */
bool link_is_element(struct slice name);           /* a name in XML, with its prefix */
enum link_kind link_field(struct slice name);      /* LINK_FIELD..., or LINK_NOT_KNOWN */

#endif
