/* The host functions of every guest: streams, clock, files of the host, and the way back for results. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/trace.h"
#include "distribution/distribution.h"
#include "guest/bridge/directories.h"
#include "guest/guest.h"
#include "prelink/symbols.h"
#include "settings/config.h"

/* write(fd, bytes or string) */
static void host_write(aard__frame *frame, void *user)
{
    aard__guest *guest = user;
    double fd = aard__frame_number(frame, 0);
    aard_stream stream = fd == 2 ? AARD_STREAM_STDERR : AARD_STREAM_STDOUT;
    uint8_t *data;
    size_t len;
    if (aard__frame_bytes(frame, 1, &data, &len)) {
        aard__streams_write(&guest->io.streams, stream, data, len);
        return;
    }
    aard__buf *text = aard__frame_scratch(frame);
    if (aard__frame_string(frame, 1, text)) aard__streams_write(&guest->io.streams, stream, text->data, text->len);
}

static bool content_of(const aard__guest *guest, double number, aard__content *out)
{
    if (number == 0) {
        *out = guest->start.own_file;
        return out->data != NULL;
    }
    if (number >= AARD__OVERLAY_FILES) {
        double index = number - AARD__OVERLAY_FILES;
        if (!guest->start.overlay || !(index < (double)aard__overlay_count(guest->start.overlay))) return false;
        aard__overlay_item file = aard__overlay_file(guest->start.overlay, (size_t)index);
        *out = (aard__content){file.data, file.len};
        return true;
    }
    if (!guest->bundle || !(number >= 1) || number > (double)aard_bundle_entry_count(guest->bundle)) return false;
    aard_bundle_entry(guest->bundle, (size_t)number - 1, NULL, NULL, &out->data, &out->len);
    return true;
}

/* Whether the result may have so many bytes more. */
static bool takes_result(aard__guest *guest, size_t bytes)
{
    guest->call.result_bytes = bytes > SIZE_MAX - guest->call.result_bytes ? SIZE_MAX
                                                                           : guest->call.result_bytes + bytes;
    return !guest->call.result_limit || guest->call.result_bytes <= guest->call.result_limit;
}

/* fileSize(file) -> bytes */
static void host_file_size(aard__frame *frame, void *user)
{
    aard__content content;
    aard__frame_return_number(frame,
                              content_of(user, aard__frame_number(frame, 0), &content) ? (double)content.len : 0);
}

/* fileRead(file, bytes, at, length, position) -> bytes copied to bytes[at..] */
static void host_file_read(aard__frame *frame, void *user)
{
    aard__content content;
    uint8_t *into;
    size_t room;
    double at = aard__frame_number(frame, 2), length = aard__frame_number(frame, 3);
    double position = aard__frame_number(frame, 4);
    aard__frame_return_number(frame, 0);
    if (!content_of(user, aard__frame_number(frame, 0), &content) || !aard__frame_bytes(frame, 1, &into, &room) ||
        !(at >= 0 && at <= (double)room) || !(length >= 0) || !(position >= 0 && position < (double)content.len))
        return;
    size_t offset = (size_t)at, start = (size_t)position;
    size_t count = length > (double)(room - offset) ? room - offset : (size_t)length;
    if (count > content.len - start) count = content.len - start;
    memcpy(into + offset, content.data + start, count);
    aard__frame_return_number(frame, (double)count);
}

/* result(kind, buffer, at, length) or result(kind, string): kind 0 is the value's JSON text or a buffer's bytes, 1 a report */
static void host_result(aard__frame *frame, void *user)
{
    aard__guest *guest = user;
    aard__buf *out = aard__frame_number(frame, 0) == 1 ? &guest->call.report : &guest->call.result;
    uint8_t *data;
    size_t room;
    aard__buf_clear(out);
    if (!aard__frame_bytes(frame, 1, &data, &room)) {
        if (takes_result(guest, aard__frame_string_units(frame, 1))) aard__frame_string(frame, 1, out);
        return;
    }
    double at = aard__frame_number(frame, 2), length = aard__frame_number(frame, 3);
    if (!(at >= 0 && at <= (double)room) || !(length >= 0 && length <= (double)room - at)) {
        aard__frame_throw(frame, "RangeError", "a result lies outside of the guest's memory");
        return;
    }
    if (takes_result(guest, (size_t)length)) aard__buf_append(out, data + (size_t)at, (size_t)length);
}

/* json(value) -> whether the value's JSON text has been taken as the result */
static void host_json(aard__frame *frame, void *user)
{
    aard__guest *guest = user;
    size_t most = guest->call.result_limit ? guest->call.result_limit : SIZE_MAX;
    aard__buf_clear(&guest->call.result);
    aard__frame_return_bool(frame, aard__frame_json(frame, 0, most, &guest->call.result) &&
                                       takes_result(guest, guest->call.result.len));
}

/* wrote(bytes): the guest has written so much to its files */
static void host_wrote(aard__frame *frame, void *user)
{
    aard__guest *guest = user;
    double bytes = aard__frame_number(frame, 0);
    if (bytes > 0) guest->call.bytes_written += (uint64_t)bytes;
}

/* fileRules() -> JSON text: [writable, bytes, files, handles] of what the guest may write */
static void host_file_rules(aard__frame *frame, void *user)
{
    aard__file_rules rules = aard__guest_file_rules(user);
    char text[128];
    int len = snprintf(text, sizeof text, "[%s,%" PRIu64 ",%" PRIu64 ",%" PRIu64 "]",
                       rules.mode == AARD_FILESYSTEM_READ_WRITE ? "true" : "false", rules.bytes, rules.files,
                       rules.handles);
    aard__frame_return_utf8(frame, text, (size_t)len);
}

/* violation(kind, reason, subject): the guest has been refused something; `kind` by its name */
static void host_violation(aard__frame *frame, void *user)
{
    static const char *const names[] = {
#define VIOLATION_NAME(constant, name) name,
        AARD_VIOLATION_MAP(VIOLATION_NAME)
#undef VIOLATION_NAME
    };
    aard__guest *guest = user;
    aard__buf kind = AARD__BUF_INIT, reason = AARD__BUF_INIT, subject = AARD__BUF_INIT;
    if (aard__frame_string(frame, 0, &kind) && aard__frame_string(frame, 1, &reason) &&
        aard__frame_string(frame, 2, &subject)) {
        aard__buf_putc(&kind, '\0');
        aard__buf_putc(&reason, '\0');
        for (unsigned i = 0; i < sizeof names / sizeof *names && !kind.failed && !reason.failed; i++)
            if (!strcmp(names[i], kind.data))
                aard__ledger_violation(&guest->call.ledger, (aard_violation_kind)i, reason.data, subject.data,
                                       subject.len);
    }
    aard__buf_free(&kind);
    aard__buf_free(&reason);
    aard__buf_free(&subject);
}

/* wasmModule() -> the language's WebAssembly.Module, while it boots */
static void host_wasm_module(aard__frame *frame, void *user)
{
    aard__guest *guest = user;
    if (guest->start.wasm_module) aard__frame_return_ref(frame, guest->start.wasm_module);
}

/* mapImage(memory): puts the image's memory under a WebAssembly.Memory of its size */
static void host_map_image(aard__frame *frame, void *user)
{
    aard__guest *guest = user;
    aard__ref *memory = aard__frame_ref(frame, 0);
    uint8_t *base;
    size_t len;
    bool fits = memory && guest->start.image && aard__ref_bytes(memory, &base, &len) &&
                len == aard__image_memory_len(guest->start.image);
    aard__ref_free(memory);
    aard_error *error = fits ? aard__image_map(guest->start.image, base) : NULL;
    if (!fits || error) aard__frame_throw(frame, "Error", error ? aard_error_message(error) : "the image does not fit");
    aard_error_free(error);
}

/* imageBytes() -> how long the memory of the image is that the guest starts from */
static void host_image_bytes(aard__frame *frame, void *user)
{
    const aard__guest *guest = user;
    aard__frame_return_number(frame, guest->start.image ? (double)aard__image_memory_len(guest->start.image) : 0);
}

/* lockFile() -> the text of the distribution's lock file; undefined where it can't be read */
static void host_lock_file(aard__frame *frame, void *user)
{
    const aard__guest *guest = user;
    const void *data;
    size_t len;
    aard_error *error = aard__distribution_file(guest->start.distribution, AARD__FILE_LOCK, &data, &len);
    if (!error) aard__frame_return_utf8(frame, data, len);
    aard_error_free(error);
}

/* symbol(name) -> minus the table slot of a function of the prelinked code, the address of an object, or undefined */
static void host_symbol(aard__frame *frame, void *user)
{
    aard__guest *guest = user;
    aard__symbol symbol;
    aard__buf name = AARD__BUF_INIT;
    if (guest->start.symbols.data && aard__frame_string(frame, 0, &name) && name.len &&
        aard__symbols_find(guest->start.symbols.data, guest->start.symbols.len, name.data, name.len, &symbol))
        aard__frame_return_number(frame, symbol.function ? -(double)symbol.value : (double)symbol.value);
    aard__buf_free(&name);
}

static void put_names(const char *lines, aard__buf *out)
{
    size_t len;
    const char *first = aard__key_find(lines, "package", NULL, &len);
    for (const char *at = first; at; at = aard__key_find(lines, "package", at, &len)) {
        if (at != first) aard__buf_putc(out, ',');
        aard__buf_json_string(out, at, strcspn(at, " \n"));
    }
}

static void describe_packages(const aard__guest *guest, aard__buf *out)
{
    if (!guest->start.overlay) return;
    aard__buf_puts(out, "{\"packages\":[");
    put_names(guest->start.packages, out);
    aard__buf_puts(out, "],\"files\":[");
    for (size_t i = 0; i < aard__overlay_count(guest->start.overlay); i++) {
        aard__overlay_item file = aard__overlay_file(guest->start.overlay, i);
        aard__buf_puts(out, i ? ",[" : "[");
        aard__buf_json_string(out, file.name, file.name_len);
        aard__buf_printf(out, ",%zu,%zu]", AARD__OVERLAY_FILES + i, file.len);
    }
    aard__buf_puts(out, "]}");
}

/* overlay() -> JSON text of what shared.mountOverlay takes, or undefined where there are no packages */
static void host_overlay(aard__frame *frame, void *user)
{
    aard__buf text = AARD__BUF_INIT;
    describe_packages(user, &text);
    if (text.failed)
        aard__frame_throw(frame, "Error", "out of memory");
    else if (text.len)
        aard__frame_return_utf8(frame, text.data, text.len);
    aard__buf_free(&text);
}

/* processorTime() -> milliseconds of processor time (aard__guest_processor_ns) */
static void host_processor_time(aard__frame *frame, void *user)
{
    aard__frame_return_number(frame, (double)aard__guest_processor_ns(user) / 1e6);
}

/* now() -> milliseconds since the guest was made, monotonic */
static void host_now(aard__frame *frame, void *user) { aard__frame_return_number(frame, aard__guest_now(user)); }

/* sleep(ms) -> whether it was cut short: the host's thread sleeps, until the call is ended or asked to end */
static void host_sleep(aard__frame *frame, void *user)
{
    double ms = aard__frame_number(frame, 0);
    uint64_t ns = !(ms > 0) ? 0 : ms > 1e12 ? (uint64_t)1e18 : (uint64_t)(ms * 1e6);
    aard__frame_return_bool(frame, ns && aard__guest_sleep(user, ns) != AARD__SLEPT);
}

/* wait(ms) -> 0 once they have passed (never, where that is less than 0) or a request has been answered; 1: it was cut
 * short, the call is ended or asked to end; 2: nothing would ever come */
static void host_wait(aard__frame *frame, void *user)
{
    double ms = aard__frame_number(frame, 0);
    uint64_t ns = !(ms >= 0 && ms < 1e12) ? UINT64_MAX : (uint64_t)(ms * 1e6);
    bool idle;
    aard__waking waking = aard__guest_wait_for_any(user, ns, &idle);
    aard__frame_return_number(frame, waking != AARD__SLEPT ? 1 : idle ? 2 : 0);
}

/* pump() -> whether other threads of the engine work for the guest; what they have done, and microtasks, run */
static void host_pump(aard__frame *frame, void *user)
{
    aard__frame_return_bool(frame, aard__guest_pump(user));
}

/* ended(count): so much waited to run when the value of the call was there */
static void host_ended(aard__frame *frame, void *user)
{
    aard__guest *guest = user;
    double count = aard__frame_number(frame, 0);
    if (count > 0 && count < 1e15) guest->call.pending_ended += (uint64_t)count;
}

/* heapLimit() -> bytes that Python's memory may have, 0 for as many as it can */
static void host_heap_limit(aard__frame *frame, void *user)
{
    aard__frame_return_number(frame, (double)((const aard__guest *)user)->heap_limit);
}

/* memoryRefused(): Python has asked for more memory than there may be */
static void host_memory_refused(aard__frame *frame, void *user)
{
    (void)frame;
    ((aard__guest *)user)->call.memory_refused = true;
}

/* grantsJavaScript() -> whether Python may use JavaScript's objects */
static void host_grants_javascript(aard__frame *frame, void *user)
{
    aard__frame_return_bool(frame, ((const aard__guest *)user)->grants.engine_objects);
}

typedef struct host_call {
    const aard__guest *guest;
    const aard__buf *name, *input;
    aard__buf *answer;
    bool found;
} host_call;

static void find_and_call(void *user)
{
    host_call *c = user;
    c->found = true; /* whose exception would it be? */
    c->found = aard__functions_call(&c->guest->config->hooks.functions, &c->guest->call.context, c->name->data,
                                    c->input->data, c->input->len, c->answer);
}

static void call_function(void *user)
{
    host_call *c = user;
    aard__span span = aard__trace_begin("host_function", c->guest->call.context.isolate_id, c->name->data);
    bool threw = !aard__call_guarded(find_and_call, c);
    if (threw) {
        aard__buf_clear(c->answer);
        aard__buf_puts(c->answer, "!the host's function threw a C++ exception");
    }
    aard__trace_end(&span, aard__functions_result(c->found, c->answer));
}

/* The host's function runs on the host's own stack. */
static bool function_answers(aard__guest *guest, const aard__buf *name, const aard__buf *input, aard__buf *answer)
{
    host_call c = {guest, name, input, answer, false};
    aard__guest_call_host(guest, call_function, &c);
    return c.found;
}

/* callHost(name, json) -> "=" and the answer's JSON text, "!" and what the host says went wrong, or "?" where the function
 * is not granted */
static void host_call_host(aard__frame *frame, void *user)
{
    aard__guest *guest = user;
    aard__buf *name = aard__frame_scratch(frame), *input = aard__frame_scratch(frame);
    aard__buf *answer = aard__frame_scratch(frame);
    if (!aard__frame_string(frame, 0, name) || !aard__frame_string(frame, 1, input) || aard__frame_ended(frame)) return;
    aard__buf_putc(name, '\0');
    if (name->failed || input->failed) {
        aard__buf_puts(answer, "!out of memory");
    } else if (name->len != strlen(name->data) + 1 || !guest->config ||
               !aard__config_grants(guest->config, name->data)) {
        bool known = name->len == strlen(name->data) + 1 && aard__function_name_valid(name->data);
        aard__buf subject = AARD__BUF_INIT; /* what can't be a name is the guest's own text, and not written down */
        aard__buf_printf(&subject, known ? "aardvark.host.%s" : "aardvark.host", name->data);
        aard__ledger_violation(&guest->call.ledger, AARD_VIOLATION_CAPABILITY_DENIED,
                               known ? name->data : "host_function", subject.data, subject.len);
        aard__buf_free(&subject);
        aard__buf_putc(answer, '?');
    } else if (!function_answers(guest, name, input, answer)) {
        aard__buf_printf(answer, "!the host has no function '%s'", name->data);
    }
    if (answer->failed)
        aard__frame_throw(frame, "Error", "out of memory");
    else
        aard__frame_return_utf8(frame, answer->data, answer->len);
}

/* allowCode(yes): whether code may be made from strings and of WebAssembly, where that is not granted anyway; as often as
 * it was allowed it is to be taken back */
static void host_allow_code(aard__frame *frame, void *user)
{
    aard__guest *guest = user;
    if (aard__frame_bool(frame, 0))
        guest->grants.making_code++;
    else if (guest->grants.making_code)
        guest->grants.making_code--;
    aard__guest_allow_code(guest, guest->grants.making_code > 0);
}

/* grantsCode() -> whether that is granted */
static void host_grants_code(aard__frame *frame, void *user)
{
    aard__frame_return_bool(frame, ((const aard__guest *)user)->grants.code);
}

/* startClock(now): the guest's clock goes on from there, which is later than now */
static void host_start_clock(aard__frame *frame, void *user)
{
    aard__guest *guest = user;
    double now = aard__frame_number(frame, 0);
    if (now > 0 && now < 1e15) guest->clock.origin -= (uint64_t)(now * 1e6);
}

const aard__host_entry aard__guest_host[] = {
    {"now", host_now},
    {"processorTime", host_processor_time},
    {"sleep", host_sleep},
    {"wait", host_wait},
    {"pump", host_pump},
    {"ended", host_ended},
    {"heapLimit", host_heap_limit},
    {"memoryRefused", host_memory_refused},
    {"grantsJavaScript", host_grants_javascript},
    {"callHost", host_call_host},
    {"allowCode", host_allow_code},
    {"grantsCode", host_grants_code},
    {"write", host_write},
    {"fileSize", host_file_size},
    {"fileRead", host_file_read},
    {"result", host_result},
    {"wasmModule", host_wasm_module},
    {"mapImage", host_map_image},
    {"imageBytes", host_image_bytes},
    {"wrote", host_wrote},
    {"fileRules", host_file_rules},
    {"symbol", host_symbol},
    {"lockFile", host_lock_file},
    {"json", host_json},
    {"overlay", host_overlay},
    {"startClock", host_start_clock},
    {"violation", host_violation},
    {NULL, NULL},
};
