#include "sf/link_syntax.h"

bool link_syntax_of(struct slice media_type, enum link_syntax *out)
{
    bool json = slice_eq_nocase(media_type, SLICE("application/json")) ||
                slice_eq_nocase(media_type, SLICE("text/json")) ||
                slice_ends_nocase(media_type, SLICE("+json"));

    *out = json ? LINK_JSON : LINK_XML;
    return json || slice_eq_nocase(media_type, SLICE("application/xml")) ||
           slice_eq_nocase(media_type, SLICE("text/xml")) ||
           slice_ends_nocase(media_type, SLICE("+xml"));
}

struct slice link_trim(struct slice s)
{
    while (s.n > 0 && link_is_blank(*s.p))
        s.p++, s.n--;
    while (s.n > 0 && link_is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}
