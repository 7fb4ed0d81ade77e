/*
 * link_names: is that the name of a link? Private to link*.c.
 */
#ifndef SF_LINK_NAMES_H
#define SF_LINK_NAMES_H

#include "sf/link.h"

/* Where a name is known as one of links; a row of the table has one of them. */
enum link_kind {
    LINK_MEMBER, /* JSON: the name of a string or of an array of strings */
    LINK_MEMBER_ANY_CASE,
    LINK_CONTROL,            /* JSON: after @ or odata. or both: control information of OData */
    LINK_ATTRIBUTE,          /* XML: with any prefix or none; if it has one itself, with that */
    LINK_ATTRIBUTE_PREFIXED, /* XML: with any prefix */
    LINK_ATTRIBUTE_PAIRS,    /* the same; a list, in which each second item is a link */
    LINK_ATTRIBUTE_LIST,     /* XML: a list of links */
    LINK_ELEMENT,            /* XML: with any prefix or none; its text */
    LINK_FIELD,              /* of a message head: a URL */
    LINK_FIELD_TARGETS,      /* URLs in <> */
    LINK_FIELD_HOST,         /* an authority */
    LINK_NOT_KNOWN,
};

/* To be called before the functions below. */
void link_names_prepare(void);

bool link_is_member(struct slice name);            /* of JSON */
enum link_value link_attribute(struct slice name); /* of XML, with prefix */
bool link_is_element(struct slice name);           /* the same */
enum link_kind link_field(struct slice name);      /* LINK_FIELD or after it */

#endif
