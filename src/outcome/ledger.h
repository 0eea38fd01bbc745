/* The ledger of one call: what the policy refused the guest, and what the guest did on the network.
 *
 * What is the same is counted in one line.  A guest that fills the ledger loses nothing of importance: what comes after is
 * counted, not described.  A ledger belongs to one guest and its thread. */
#ifndef AARD_OUTCOME_LEDGER_H
#define AARD_OUTCOME_LEDGER_H

#include <aardvark/outcome.h>

#define AARD__LEDGER_LINES 100 /* of each kind of list */
#define AARD__LEDGER_TEXT 512  /* bytes of a text that are kept */

typedef struct aard__ledger {
    aard_violation *violations; /* their texts are the ledger's */
    size_t violation_count;
    uint64_t violations_dropped; /* that found no room */
    aard_network_attempt *attempts;
    size_t attempt_count;
    uint64_t attempts_dropped;
} aard__ledger;

#define AARD__LEDGER_INIT ((aard__ledger){0})

void aard__ledger_free(aard__ledger *ledger); /* and empty it for reuse */

/* `reason` and `subject` are copied; they may come from the guest: what is not UTF-8 becomes U+FFFD, a control
 * or invisible character its number (\x0a, \u202e), and what is long is cut. */
void aard__ledger_violation(aard__ledger *ledger, aard_violation_kind kind, const char *reason, const char *subject,
                            size_t subject_len);

/* An attempt, `attempt->count` of them; its texts are copied. */
void aard__ledger_attempt(aard__ledger *ledger, const aard_network_attempt *attempt);

/* Adds what is in another ledger. */
void aard__ledger_merge(aard__ledger *ledger, const aard__ledger *other);

#endif
