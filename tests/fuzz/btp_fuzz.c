/*
 * Any bytes as a service key and as each answer of BTP. What is accepted can be sent on: a token
 * and URLs without control characters, names that are names; and what is not is not half taken.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "btp/answer.h"
#include "btp/ask.h"
#include "btp/service_key.h"
#include "ops/renewal_record.h"

static void check_visible(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (text[i] <= ' ' || text[i] >= 0x7f)
            abort();
}

static void try_service_key(struct slice bytes)
{
    struct service_key k;
    struct diag why;
    struct buf out = {0};

    if (service_key_parse("f", bytes, &k, &why) != ST_OK) {
        if (k.client_id != NULL || k.client_secret != NULL || k.key != NULL)
            abort();
        return;
    }
    ask_token_url(&out, &k);
    ask_certificate_url(&out, &k, LEVEL_INSTANCE, "a b");
    check_visible(out.p, out.n);
    if (strncmp(out.p, "https://", 8) != 0)
        abort();
    buf_free(&out);
    ask_token_form(&out, &k);
    check_visible(out.p, out.n);
    buf_free(&out);
    service_key_free(&k);
}

static void try_answers(struct slice bytes)
{
    struct buf token = {0}, content = {0}, names = {0};

    if (answer_read_token(bytes, &token))
        check_visible(token.p, token.n);
    else if (token.n > 0)
        abort();
    if (answer_read_certificate(bytes, "a.pem", &content) != (content.n > 0))
        abort();
    (void)answer_is_java_store(buf_slice(&content));
    answer_write_nearest(bytes, "a.pem", &names);
    for (size_t i = 0; i < names.n; i++)
        if (names.p[i] < ' ' || names.p[i] >= 0x7f)
            abort();
    buf_free(&token);
    buf_free(&content);
    buf_free(&names);
}

static void try_record(struct slice bytes)
{
    struct renewal_record r = {.mark = 0};

    memcpy(&r, bytes.p, bytes.n < sizeof(r) ? bytes.n : sizeof(r));
    if (renewal_record_is_sound(&r, (long)bytes.n) &&
        (strlen(r.tenant) >= sizeof(r.tenant) || cause_of((enum cause_id)r.cause)->code == NULL))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = mem_copy_bytes((const char *)data, size);
    struct slice bytes = {copy, size};

    try_service_key(bytes);
    try_answers(bytes);
    try_record(bytes);
    free(copy);
    return 0;
}
