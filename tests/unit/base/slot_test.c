#include "base/slot.h"

#include <pthread.h>
#include <stdatomic.h>

#include "test.h"

enum { WORDS = 33, WRITES = 20000 };

struct value {
    unsigned words[WORDS]; /* not a multiple of eight bytes */
};

static void fill(struct value *v, unsigned with)
{
    for (size_t i = 0; i < WORDS; i++)
        v->words[i] = with;
}

static bool is_one(const struct value *v)
{
    for (size_t i = 1; i < WORDS; i++)
        if (v->words[i] != v->words[0])
            return false;
    return true;
}

TEST(slot_begins_with_zero_and_keeps_the_last)
{
    struct slot *s = slot_new(sizeof(struct value));
    struct value v, got;

    slot_read(s, &got);
    CHECK(is_one(&got) && got.words[0] == 0);
    for (unsigned i = 1; i < 4; i++) {
        fill(&v, i);
        slot_write(s, &v);
        slot_read(s, &got);
        CHECK(is_one(&got) && got.words[0] == i);
    }
    slot_free(s);
}

static void *write_many(void *arg)
{
    struct value v;

    for (unsigned i = 1; i <= WRITES; i++) {
        fill(&v, i);
        slot_write(arg, &v);
    }
    return NULL;
}

TEST(a_reader_never_sees_half_of_a_value)
{
    struct slot *s = slot_new(sizeof(struct value));
    struct value got = {{0}};
    unsigned before = 0;
    pthread_t writer;

    CHECK_INT(pthread_create(&writer, NULL, write_many, s), 0, "thread");
    while (got.words[0] < WRITES) {
        slot_read(s, &got);
        if (!is_one(&got) || got.words[0] < before)
            break;
        before = got.words[0];
    }
    (void)pthread_join(writer, NULL);
    CHECK(is_one(&got));
    CHECK_INT(got.words[0], WRITES, "the last one");
    slot_free(s);
}
