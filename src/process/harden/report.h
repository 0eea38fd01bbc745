/* Which measures of hardening are in force for a guest, and why others are not. */
#ifndef AARD_PROCESS_HARDEN_REPORT_H
#define AARD_PROCESS_HARDEN_REPORT_H

#include <aardvark/hardening.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/pack.h"

#define AARD__HARDENING_COUNT(constant, number, name, text, needs) +1
enum { AARD__HARDENINGS = 0 AARD_HARDENING_MAP(AARD__HARDENING_COUNT) };

typedef struct aard__hardening_report {
    uint32_t measures;             /* in force */
    int reasons[AARD__HARDENINGS]; /* why one is not: errno; 0 = in force, or not tried */
} aard__hardening_report;

/* Each where it is true that the measure is in force, else with errno for a reason. */
void aard__hardening_note(aard__hardening_report *report, uint32_t measure, bool in_force);
int aard__hardening_reason(const aard__hardening_report *report, uint32_t measure);

void aard__hardening_pack(const aard__hardening_report *report, aard__buf *out);
/* Fails as malformed where it says what can't be. */
void aard__hardening_unpack(aard__unpacker *in, aard__hardening_report *out);

/* Errors: hardening (names those of `required` that are not in force). */
aard_error *aard__hardening_check(const aard__hardening_report *report, uint32_t required);

#endif
