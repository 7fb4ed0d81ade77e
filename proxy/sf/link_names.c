/* The names under which links stand. */
#include <string.h>

#include "base/status.h"
#include "sf/link_parts.h"

#define NAME(literal)                                                                              \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

/* A '*' stands for whatever comes before. Sources: OData 2.0 and 4.01 JSON formats, SCIM (RFC
 * 7643), HAL and what SF's REST APIs write. */
static const struct slice members[] = {
    NAME("__next"),
    NAME("uri"),
    NAME("id"),
    NAME("media_src"),
    NAME("edit_media"),
    NAME("*@odata.nextLink"),
    NAME("*@odata.context"),
    NAME("*@odata.deltaLink"),
    NAME("*@odata.id"),
    NAME("*@odata.editLink"),
    NAME("*@odata.readLink"),
    NAME("*@odata.navigationLink"),
    NAME("*@odata.associationLink"),
    NAME("*@odata.mediaReadLink"),
    NAME("*@odata.mediaEditLink"),
    NAME("*@nextLink"),
    NAME("*@context"),
    NAME("*@deltaLink"),
    NAME("*@id"),
    NAME("*@editLink"),
    NAME("*@readLink"),
    NAME("*@navigationLink"),
    NAME("*@associationLink"),
    NAME("*@mediaReadLink"),
    NAME("*@mediaEditLink"),
    NAME("location"),
    NAME("$ref"),
    NAME("href"),
    NAME("url"),
    NAME("self"),
    NAME("next"),
    NAME("nextLink"),
    NAME("prev"),
    NAME("previous"),
    NAME("first"),
    NAME("last"),
};

/* Atom (RFC 4287, 5023), WSDL 1.1, XML Schema. */
static const struct slice attributes[] = {
    NAME("href"),           NAME("src"), NAME("xml:base"), NAME("location"),
    NAME("schemaLocation"), NAME("uri"), NAME("url"),      NAME("*:context"),
};

static const struct slice elements[] = {
    NAME("id"),   NAME("uri"),  NAME("url"),    NAME("location"), NAME("next"),    NAME("link"),
    NAME("logo"), NAME("icon"), NAME("__next"), NAME("Address"),  NAME("context"),
};

static bool matches(struct slice known, struct slice name)
{
    if (known.p[0] != '*')
        return slice_eq(name, known);
    size_t n = known.n - 1;
    return name.n >= n && memcmp(name.p + name.n - n, known.p + 1, n) == 0;
}

static bool is_known(const struct slice *known, size_t count, struct slice name)
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
