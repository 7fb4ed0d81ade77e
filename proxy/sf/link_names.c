/*
 * The names of links in everything that an API server of SuccessFactors speaks:
 * OData 2.0 to 4.01, SCIM 2.0, SOAP with WS-Addressing, WSDL and XML Schema,
 * Atom, and common REST APIs.
 *
 * A row applies to answers and requests, because callers send back what they
 * have read. XML namespaces are not resolved: a text is a link only if it also
 * begins with a URL of that server. Missing on purpose, because they say
 * nothing or are no locations: "value" (SCIM's photos), member names that are
 * URLs ($Reference of CSDL in JSON), namespaces, names of relations and terms,
 * wsa:Action.
 */
#include <pthread.h>

#include "base/status.h"
#include "sf/link_names.h"

struct row {
    enum link_kind kind;
    struct slice name;
};

/* The source is not used by the program. */
/* clang-format off */
#define ROW(kind, name, source) {LINK_##kind, {name, sizeof(name) - 1}}
/* clang-format on */

static const struct row rows[] = {
    /* members of JSON objects */
    ROW(MEMBER, "uri", "OData 2.0 JSON: __metadata, __deferred, $links"),
    ROW(MEMBER, "__next", "OData 2.0 JSON: server-driven paging"),
    ROW(MEMBER, "__delta", "OData 2.0 JSON as SAP and Olingo write it: delta link"),
    ROW(MEMBER, "media_src", "OData 2.0 JSON: __metadata, __mediaresource"),
    ROW(MEMBER, "edit_media", "OData 2.0 JSON: __metadata, __mediaresource"),
    ROW(MEMBER, "id", "OData 3.0 JSON verbose: __metadata; 4.0: deleted entity"),
    ROW(MEMBER, "associationuri", "OData 3.0 JSON verbose: __metadata.properties"),
    ROW(MEMBER, "target", "OData 3.0 and 4.01 JSON: action, function, added and deleted link"),
    ROW(MEMBER, "source", "OData 4.01 JSON: added and deleted link"),
    ROW(MEMBER, "url", "OData 4.01 JSON: service document, requests of a batch; 3.0: $links"),
    ROW(MEMBER, "retryLink", "OData Core vocabulary: ResourceException"),
    ROW(MEMBER, "content-location", "OData 4.01 JSON: headers of a batch"),
    ROW(MEMBER, "odata-entityid", "OData 4.01 JSON: headers of a batch"),
    ROW(MEMBER, "$UrlRef", "OData 4.01 CSDL JSON: dynamic expression"),
    ROW(MEMBER_ANY_CASE, "location", "RFC 7643, 3.1: meta; RFC 7644, 3.7: bulk; OData batch"),
    ROW(MEMBER_ANY_CASE, "$ref", "RFC 7643, 2.3.7 and 2.4: manager, members, groups"),
    ROW(MEMBER_ANY_CASE, "profileUrl", "RFC 7643, 4.1.1: User"),
    ROW(MEMBER_ANY_CASE, "documentationUri", "RFC 7643, 5: ServiceProviderConfig"),
    ROW(MEMBER_ANY_CASE, "specUri", "RFC 7643, 5: authenticationSchemes"),
    ROW(MEMBER, "href", "HAL; JSON:API 1.1: link object"),
    ROW(MEMBER, "self", "JSON:API 1.1: links"),
    ROW(MEMBER, "related", "JSON:API 1.1: links"),
    ROW(MEMBER, "first", "JSON:API 1.1: pagination"),
    ROW(MEMBER, "last", "JSON:API 1.1: pagination"),
    ROW(MEMBER, "prev", "JSON:API 1.1: pagination"),
    ROW(MEMBER, "next", "JSON:API 1.1: pagination"),
    ROW(MEMBER, "previous", "IANA link relations, as a member"),
    ROW(MEMBER, "nextLink", "OData's, as REST APIs write it"),

    /* OData's control information in JSON */
    ROW(CONTROL, "context", "OData 4.01 JSON"),
    ROW(CONTROL, "type", "OData 4.01 JSON: absolute for types of other services"),
    ROW(CONTROL, "nextLink", "OData 4.01 JSON; 3.0: odata.nextLink"),
    ROW(CONTROL, "deltaLink", "OData 4.01 JSON"),
    ROW(CONTROL, "id", "OData 4.01 JSON: entity, entity reference, deleted entity"),
    ROW(CONTROL, "editLink", "OData 4.01 JSON"),
    ROW(CONTROL, "readLink", "OData 4.01 JSON"),
    ROW(CONTROL, "navigationLink", "OData 4.01 JSON"),
    ROW(CONTROL, "associationLink", "OData 4.01 JSON"),
    ROW(CONTROL, "mediaReadLink", "OData 4.01 JSON"),
    ROW(CONTROL, "mediaEditLink", "OData 4.01 JSON"),
    ROW(CONTROL, "bind", "OData 4.0 JSON: bind operation (requests), a string or an array"),
    ROW(CONTROL, "metadata", "OData 3.0 JSON: odata.metadata"),
    ROW(CONTROL, "navigationLinkUrl", "OData 3.0 JSON"),
    ROW(CONTROL, "associationLinkUrl", "OData 3.0 JSON"),

    /* XML attributes */
    ROW(ATTRIBUTE, "href", "RFC 4287, 4.2.7: link; RFC 5023, 8.3.3 and 7.2.1; XLink; XInclude"),
    ROW(ATTRIBUTE, "src", "RFC 4287, 4.1.3.2: content"),
    ROW(ATTRIBUTE, "xml:base", "RFC 4287, 2; OData 2.0 Atom"),
    ROW(ATTRIBUTE, "uri", "RFC 4287, 4.2.4: generator"),
    ROW(ATTRIBUTE, "ref", "RFC 6721, 3: deleted-entry, as in OData 4.0 Atom"),
    ROW(ATTRIBUTE, "id", "OData 4.0 Atom: metadata:ref"),
    ROW(ATTRIBUTE, "source", "OData 4.0 Atom: metadata:link; XML Schema: appinfo, documentation"),
    ROW(ATTRIBUTE, "target", "OData 4.0 Atom: metadata:link, metadata:action"),
    ROW(ATTRIBUTE, "metadata", "OData 4.0 Atom: metadata:action, metadata:function"),
    ROW(ATTRIBUTE, "term", "OData 4.0 Atom: category, absolute for types of other services"),
    ROW(ATTRIBUTE_PREFIXED, "context", "OData 4.0 Atom: metadata:context"),
    ROW(ATTRIBUTE_PREFIXED, "type", "OData 4.0 Atom: metadata:type"),
    ROW(ATTRIBUTE, "Uri", "OData 4.01 CSDL XML: edmx:Reference"),
    ROW(ATTRIBUTE, "Url", "OData 3.0 CSDL: edmx:Reference, edmx:AnnotationsReference"),
    ROW(ATTRIBUTE, "UrlRef", "OData 4.01 CSDL XML: Annotation"),
    ROW(ATTRIBUTE, "url", "RSS 2.0: enclosure"),
    ROW(ATTRIBUTE, "location", "WSDL 1.1, 2.1.1: import, 3.8: soap:address, 4.3: http:address"),
    ROW(ATTRIBUTE, "address", "WSDL 2.0, 2.15: endpoint"),
    ROW(ATTRIBUTE, "URI", "WS-Policy 1.5, 4.3.4: PolicyReference"),
    ROW(ATTRIBUTE_LIST, "PolicyURIs", "WS-Policy Attachment 1.5, 3.1"),
    ROW(ATTRIBUTE, "schemaLocation", "XML Schema 1.0, 4.2: include, redefine, import"),
    ROW(ATTRIBUTE, "noNamespaceSchemaLocation", "XML Schema 1.0, 2.6.3"),
    ROW(ATTRIBUTE_PAIRS, "schemaLocation", "XML Schema 1.0, 2.6.3: xsi:schemaLocation"),
    ROW(ATTRIBUTE_PAIRS, "wsdlLocation", "WSDL 2.0, 7.1, as in WS-Addressing Metadata 1.0, 2.1"),

    /* XML elements, for their text */
    ROW(ELEMENT, "id", "RFC 4287, 4.2.6"),
    ROW(ELEMENT, "icon", "RFC 4287, 4.2.5"),
    ROW(ELEMENT, "logo", "RFC 4287, 4.2.8"),
    ROW(ELEMENT, "uri", "RFC 4287, 3.2.2: person; OData 2.0 XML: $links"),
    ROW(ELEMENT, "next", "OData 2.0 XML: $links in pages"),
    ROW(ELEMENT, "link", "RSS 2.0"),
    ROW(ELEMENT, "url", "RSS 2.0: image"),
    ROW(ELEMENT, "location", "SCIM 1.1 XML: meta"),
    ROW(ELEMENT, "To", "WS-Addressing 1.0, 3.2"),
    ROW(ELEMENT, "Address", "WS-Addressing 1.0, 2.2: From, ReplyTo, FaultTo, references"),
    ROW(ELEMENT, "ProblemIRI", "WS-Addressing 1.0 SOAP Binding, 6.3"),
    ROW(ELEMENT, "Location", "WS-MetadataExchange 1.1: MetadataSection"),
    ROW(ELEMENT, "faultactor", "SOAP 1.1, 4.4"),
    ROW(ELEMENT, "Node", "SOAP 1.2, 5.4.3"),

    /* fields of messages inside a batch (those of other messages: http/field.c) */
    ROW(FIELD, "Location", "RFC 9110, 10.2.2"),
    ROW(FIELD, "Content-Location", "RFC 9110, 8.7; RFC 2557, 4.2"),
    ROW(FIELD, "OData-EntityId", "OData 4.01 Protocol, 8.3.4"),
    ROW(FIELD, "DataServiceId", "OData 3.0: answers without content"),
    ROW(FIELD_TARGETS, "Link", "RFC 8288, 3"),
    ROW(FIELD_HOST, "Host", "OData 4.01 Protocol, 11.7.7.1: requests of a batch"),
};

/* ---- lookup by kind, length and two characters ---- */

enum { SLOTS = 512, EMPTY = 0xff };
_Static_assert(ARRAY_LEN(rows) < EMPTY, "a row's number fits into a byte");

static unsigned char slots[SLOTS];
static pthread_once_t prepared = PTHREAD_ONCE_INIT;

static size_t slot_of(enum link_kind kind, struct slice name)
{
    size_t first = (unsigned char)ascii_lower(name.p[0]);
    size_t last = (unsigned char)ascii_lower(name.p[name.n - 1]);

    return (first * 7 + last * 31 + name.n * 3 + (size_t)kind * 67) % SLOTS;
}

static void prepare(void)
{
    memset(slots, EMPTY, sizeof(slots));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t at = slot_of(rows[i].kind, rows[i].name);
        while (slots[at] != EMPTY)
            at = (at + 1) % SLOTS;
        slots[at] = (unsigned char)i;
    }
}

void link_names_prepare(void)
{
    (void)pthread_once(&prepared, prepare);
}

static bool is_same(const struct row *row, enum link_kind kind, struct slice name)
{
    if (row->kind != kind)
        return false;
    bool any_case = kind == LINK_MEMBER_ANY_CASE || kind >= LINK_FIELD;
    return any_case ? slice_eq_nocase(row->name, name) : slice_eq(row->name, name);
}

static bool is_known(enum link_kind kind, struct slice name)
{
    if (name.n == 0)
        return false;
    size_t at = slot_of(kind, name);
    while (slots[at] != EMPTY && !is_same(&rows[slots[at]], kind, name))
        at = (at + 1) % SLOTS;
    return slots[at] != EMPTY;
}

static bool cut_start(struct slice *s, struct slice start)
{
    if (s->n < start.n || memcmp(s->p, start.p, start.n) != 0)
        return false;
    s->p += start.n;
    s->n -= start.n;
    return true;
}

static struct slice behind(struct slice s, const char *p)
{
    return (struct slice){p + 1, (size_t)(s.p + s.n - p - 1)};
}

/* OData 4.0 writes x@odata.bind, 4.01 x@bind, and 3.0 odata.metadata if there is no x. */
bool link_is_member(struct slice name)
{
    const char *at = name.n == 0 ? NULL : memrchr(name.p, '@', name.n);
    struct slice control = at == NULL ? name : behind(name, at);

    if (cut_start(&control, SLICE("odata.")) || at != NULL)
        return is_known(LINK_CONTROL, control);
    return is_known(LINK_MEMBER, name) || is_known(LINK_MEMBER_ANY_CASE, name);
}

enum link_value link_attribute(struct slice name)
{
    const char *colon = name.n == 0 ? NULL : memchr(name.p, ':', name.n);

    if (colon == NULL) {
        if (is_known(LINK_ATTRIBUTE_LIST, name))
            return VALUE_LIST;
        return is_known(LINK_ATTRIBUTE, name) ? VALUE_URL : VALUE_OTHER;
    }
    struct slice prefix = {name.p, (size_t)(colon - name.p)}, local = behind(name, colon);
    if (slice_eq(prefix, SLICE("xml")))
        return is_known(LINK_ATTRIBUTE, name) ? VALUE_URL : VALUE_OTHER;
    if (slice_eq(prefix, SLICE("xmlns")))
        return VALUE_OTHER;
    if (is_known(LINK_ATTRIBUTE_PAIRS, local))
        return VALUE_PAIRS;
    if (is_known(LINK_ATTRIBUTE_PREFIXED, local))
        return VALUE_URL;
    return link_attribute(local);
}

bool link_is_element(struct slice name)
{
    const char *colon = name.n == 0 ? NULL : memchr(name.p, ':', name.n);

    return is_known(LINK_ELEMENT, colon == NULL ? name : behind(name, colon));
}

enum link_kind link_field(struct slice name)
{
    for (enum link_kind kind = LINK_FIELD; kind < LINK_NOT_KNOWN; kind++)
        if (is_known(kind, name))
            return kind;
    return LINK_NOT_KNOWN;
}
