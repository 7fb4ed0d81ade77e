/* The names under which links stand. */
#include <string.h>

#include "base/status.h"
#include "sf/link_parts.h"

/* A '*' stands for whatever comes before. Sources: OData 2.0 and 4.01 JSON formats, SCIM (RFC
 * 7643), HAL and what SF's REST APIs write. */
static const char *const members[] = {
    "__next",
    "uri",
    "id",
    "media_src",
    "edit_media",
    "*@odata.nextLink",
    "*@odata.context",
    "*@odata.deltaLink",
    "*@odata.id",
    "*@odata.editLink",
    "*@odata.readLink",
    "*@odata.navigationLink",
    "*@odata.associationLink",
    "*@odata.mediaReadLink",
    "*@odata.mediaEditLink",
    "*@nextLink",
    "*@context",
    "*@deltaLink",
    "*@id",
    "*@editLink",
    "*@readLink",
    "*@navigationLink",
    "*@associationLink",
    "*@mediaReadLink",
    "*@mediaEditLink",
    "location",
    "$ref",
    "href",
    "url",
    "self",
    "next",
    "nextLink",
    "prev",
    "previous",
    "first",
    "last",
};

/* Atom (RFC 4287, 5023), WSDL 1.1, XML Schema. */
static const char *const attributes[] = {
    "href", "src", "xml:base", "location", "schemaLocation", "uri", "url", "*:context",
};

static const char *const elements[] = {
    "id", "uri", "url", "location", "next", "link", "logo", "icon", "__next", "Address", "context",
};

static bool matches(const char *known, struct slice name)
{
    size_t n = strlen(known);

    if (*known != '*')
        return slice_eq(name, (struct slice){known, n});
    return name.n >= n - 1 && memcmp(name.p + name.n - (n - 1), known + 1, n - 1) == 0;
}

static bool is_known(const char *const *known, size_t count, struct slice name)
{
    for (size_t i = 0; i < count; i++)
        if (matches(known[i], name))
            return true;
    return false;
}

/* Without its prefix, whatever that is bound to. */
static struct slice local(struct slice name)
{
    const char *colon = name.n == 0 ? NULL : memchr(name.p, ':', name.n);

    if (colon == NULL)
        return name;
    return (struct slice){colon + 1, (size_t)(name.p + name.n - colon - 1)};
}

bool link_is_member(struct slice name)
{
    return is_known(members, ARRAY_LEN(members), name);
}

bool link_is_attribute(struct slice name)
{
    return is_known(attributes, ARRAY_LEN(attributes), name) ||
           (name.n > 4 && memcmp(name.p, "xml:", 4) != 0 &&
            is_known(attributes, ARRAY_LEN(attributes), local(name)));
}

bool link_is_element(struct slice name)
{
    return is_known(elements, ARRAY_LEN(elements), local(name));
}
