#include "http/framing.h"

enum framing framing_of_request(const struct head *h)
{
    if (h->chunked)
        return FRAMING_CHUNKED;
    return h->has_length && h->content_length > 0 ? FRAMING_LENGTH : FRAMING_NONE;
}

bool framing_is_bodiless(int status, enum method request_method)
{
    return request_method == METHOD_HEAD || status < 200 || status == 204 || status == 304;
}

enum framing framing_of_response(const struct head *h, enum method request_method)
{
    if (framing_is_bodiless(h->status, request_method))
        return FRAMING_NONE;
    if (h->chunked)
        return FRAMING_CHUNKED;
    if (!h->has_length)
        return FRAMING_CLOSE;
    return h->content_length > 0 ? FRAMING_LENGTH : FRAMING_NONE;
}
