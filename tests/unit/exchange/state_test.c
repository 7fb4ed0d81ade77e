#include <stdio.h>
#include <string.h>

#include "exchange/inner.h"
#include "test.h"

static const char *const names[] = {"JUDGE", "ADMIT",  "COLLECT", "ACQUIRE",
                                    "SEND",  "STREAM", "OVER"};

/* All that an exchange may do, as a story: judged, maybe a password, maybe collected, a connection,
 * sent, streamed; it may end anywhere, and be sent again until the caller has a head. */
static const char legal[] =
    "JUDGE>ADMIT JUDGE>COLLECT JUDGE>ACQUIRE ADMIT>COLLECT ADMIT>ACQUIRE "
    "COLLECT>ACQUIRE ACQUIRE>ACQUIRE ACQUIRE>SEND SEND>ACQUIRE SEND>STREAM "
    "JUDGE>OVER ADMIT>OVER COLLECT>OVER ACQUIRE>OVER SEND>OVER STREAM>OVER ";

TEST(legal_moves_and_no_others)
{
    for (int from = 0; from <= EXCHANGE_OVER; from++)
        for (int to = 0; to <= EXCHANGE_OVER; to++) {
            char move[32];
            (void)snprintf(move, sizeof(move), "%s>%s ", names[from], names[to]);
            CHECK_INT(exchange_may_move((enum exchange_state)from, (enum exchange_state)to),
                      strstr(legal, move) != NULL, move);
        }
}
