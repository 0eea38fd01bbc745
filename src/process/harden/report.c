#include "process/harden/report.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"

enum { MOST_ERRNO = 4095 };

static const struct {
    uint32_t measure;
    const char *name, *text, *needs;
} rows[AARD__HARDENINGS] = {
#define ROW(constant, number, name, text, needs) {constant, name, text, needs},
    AARD_HARDENING_MAP(ROW)
#undef ROW
};

static size_t row_of(uint32_t measure)
{
    size_t row = 0;
    while (row < AARD__HARDENINGS && rows[row].measure != measure) row++;
    return row;
}

const char *aard_hardening_name(uint32_t measure)
{
    size_t row = row_of(measure);
    return row < AARD__HARDENINGS ? rows[row].name : NULL;
}

const char *aard_hardening_text(uint32_t measure)
{
    size_t row = row_of(measure);
    return row < AARD__HARDENINGS ? rows[row].text : NULL;
}

const char *aard_hardening_needs(uint32_t measure)
{
    size_t row = row_of(measure);
    return row < AARD__HARDENINGS ? rows[row].needs : NULL;
}

uint32_t aard_hardening_by_name(const char *name)
{
    for (size_t row = 0; name && row < AARD__HARDENINGS; row++)
        if (!strcmp(rows[row].name, name)) return rows[row].measure;
    return 0;
}

/* ---- reports ------------------------------------------------------------------------------------------------------- */

void aard__hardening_note(aard__hardening_report *report, uint32_t measure, bool in_force)
{
    int reason = errno;
    size_t row = row_of(measure);
    report->measures = in_force ? report->measures | measure : report->measures & ~measure;
    if (row < AARD__HARDENINGS) report->reasons[row] = in_force ? 0 : reason;
}

int aard__hardening_reason(const aard__hardening_report *report, uint32_t measure)
{
    size_t row = row_of(measure);
    return row < AARD__HARDENINGS ? report->reasons[row] : 0;
}

void aard__hardening_pack(const aard__hardening_report *report, aard__buf *out)
{
    aard__pack_u32(out, report->measures);
    for (size_t row = 0; row < AARD__HARDENINGS; row++) aard__pack_u32(out, (uint32_t)report->reasons[row]);
}

void aard__hardening_unpack(aard__unpacker *in, aard__hardening_report *out)
{
    out->measures = aard__unpack_u32(in);
    aard__unpacker_want(in, !(out->measures & ~(uint32_t)AARD_HARDEN_ALL));
    for (size_t row = 0; row < AARD__HARDENINGS; row++) {
        uint32_t reason = aard__unpack_u32(in);
        aard__unpacker_want(in, reason <= MOST_ERRNO);
        out->reasons[row] = (int)reason;
    }
}

static void add_missing(const aard__hardening_report *report, size_t row, aard__buf *out)
{
    char reason[128] = "not taken here";
    if (report->reasons[row]) snprintf(reason, sizeof reason, "%s", strerrordesc_np(report->reasons[row]));
    aard__buf_printf(out, "%s%s (%s; needs %s)", out->len ? ", " : "", rows[row].name, reason, rows[row].needs);
}

aard_error *aard__hardening_check(const aard__hardening_report *report, uint32_t required)
{
    uint32_t missing = required & ~report->measures;
    aard__buf names = AARD__BUF_INIT;
    if (!missing) return NULL;
    for (size_t row = 0; row < AARD__HARDENINGS; row++)
        if (missing & rows[row].measure) add_missing(report, row, &names);
    char *text = aard__buf_take(&names, NULL);
    if (!text) return aard__error_no_memory();
    aard_error *error = aard__error(AARD_ERR_HARDENING,
                                    "the guest was not started: its process lacks hardening that is required: %s; "
                                    "'aardvark doctor' shows what is in force on this machine",
                                    text);
    aard__free(text);
    return error;
}
