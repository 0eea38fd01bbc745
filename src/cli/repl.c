/* aardvark repl: a session for a person.  A step is what the guest's language takes as whole; Ctrl-C ends a step and keeps the
 * session. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/lines.h"

typedef struct repl {
    cli_guest guest;
    cli_lines_state *lines;
    char *code; /* of the step that is being entered */
    size_t len;
    pthread_mutex_t lock;          /* of: */
    aard_cancel_handle *under_way; /* of the step; NULL = there is none */
    pthread_t person;              /* who waits for lines */
} repl;

/* ---- interrupts ------------------------------------------------------------------------------------------------- */

/* One that comes while a line is read ends the reading of it. */
static void interrupted(int number) { (void)number; }

static void *wait_for_interrupts(void *user)
{
    repl *r = user;
    sigset_t interrupts;
    int number;
    sigemptyset(&interrupts);
    sigaddset(&interrupts, SIGINT);
    while (sigwait(&interrupts, &number) == 0) {
        pthread_mutex_lock(&r->lock);
        if (r->under_way)
            aard_cancel(r->under_way);
        else
            pthread_kill(r->person, SIGINT);
        pthread_mutex_unlock(&r->lock);
    }
    return NULL;
}

/* Before the engine starts its threads, which are not to have the signal. */
static int start_interrupts(repl *r)
{
    static pthread_t thread;
    struct sigaction action = {.sa_handler = interrupted};
    r->person = pthread_self();
    pthread_mutex_init(&r->lock, NULL);
    sigaction(SIGINT, &action, NULL); /* not restarting: what is read ends */
    sigset_t interrupts;
    sigemptyset(&interrupts);
    sigaddset(&interrupts, SIGINT);
    pthread_sigmask(SIG_BLOCK, &interrupts, NULL);
    if (pthread_create(&thread, NULL, wait_for_interrupts, r))
        return cli_fail_code(AARD_ERR_THREAD, "cannot start the thread for interrupts");
    pthread_detach(thread);
    return CLI_OK;
}

static void set_under_way(repl *r, aard_cancel_handle *handle)
{
    pthread_mutex_lock(&r->lock);
    aard_cancel_handle *before = r->under_way;
    r->under_way = handle;
    pthread_mutex_unlock(&r->lock);
    aard_cancel_handle_free(before);
}

/* ---- the guest is asked ------------------------------------------------------------------------------------------ */

static bool is_python(const repl *r) { return r->guest.language == AARD_LANGUAGE_PYTHON; }

/* Runs code for the command's own sake, with `text` as its input; NULL where it fails. */
static aard_outcome *ask(repl *r, const char *code, const char *text, size_t len)
{
    aard_call *call = NULL;
    aard_outcome *outcome = NULL;
    char *input = NULL;
    size_t input_len;
    FILE *memory = open_memstream(&input, &input_len);
    if (!memory) return NULL;
    cli_json_string(memory, text, len);
    fclose(memory);
    aard_error *error = aard_call_new(&call);
    if (!error) {
        aard_call_set_input_json(call, input, input_len);
        aard_call_set_capture(call, false);
        aard_call_set_wall_limit_ms(call, 2000);
        error = aard_isolate_exec(r->guest.isolate, code, strlen(code), "<aardvark>", call, &outcome);
    }
    aard_call_free(call);
    free(input);
    aard_error_free(error);
    if (outcome && aard_outcome_is_success(outcome)) return outcome;
    aard_outcome_free(outcome);
    return NULL;
}

/* Whether Python's own console would wait for more lines. */
static bool wants_more(repl *r)
{
    static const char code[] =
        "(lambda codeop, c: (setattr(c, 'flags', c.flags | 0x2000), codeop._maybe_compile(c, __aardvark_input, '<repl>', "
        "'single'))[1] is None)(*(lambda m: (m, m.Compile()))(__import__('codeop')))";
    size_t value_len;
    size_t len = r->len - (r->code[r->len - 1] == '\n'); /* as the console gives it: a block ends with an empty line */
    aard_outcome *outcome = ask(r, code, r->code, len);
    const char *value = outcome ? aard_outcome_value_json(outcome, &value_len) : "";
    bool more = !strcmp(value, "true");
    aard_outcome_free(outcome);
    return more;
}

/* JavaScript that ends too early says so, and nothing of it has run. */
static bool ended_early(const repl *r, const aard_outcome *outcome)
{
    static const char *const texts[] = {"Unexpected end of input", "Unterminated template literal",
                                        "missing ) after argument list"};
    const char *type = aard_outcome_exception_type(outcome), *text = aard_outcome_exception_value(outcome, NULL);
    if (is_python(r) || !type || !text || strcmp(type, "SyntaxError")) return false;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!strcmp(text, texts[i])) return true;
    return false;
}

static const char complete_python[] =
    "'\\n'.join(sorted({*iter(lambda c=__import__('rlcompleter').Completer(vars(__import__('__main__'))), "
    "n=__import__('itertools').count(): c.complete(__aardvark_input, next(n)), None)}))";

/* Names of the object before the last dot, which is made of names alone: it is run as code. */
static char *complete_javascript(const char *word, size_t len)
{
    const char *dot = memrchr(word, '.', len);
    char *code = NULL;
    size_t code_len;
    FILE *memory = open_memstream(&code, &code_len);
    if (!memory) return NULL;
    fputs("((o) => { const w = __aardvarkInput, at = w.lastIndexOf('.') + 1, all = new Set(); "
          "for (; o != null; o = Object.getPrototypeOf(o)) for (const n of Object.getOwnPropertyNames(Object(o))) "
          "if (n.startsWith(w.slice(at)) && /^[A-Za-z_$][\\w$]*$/.test(n)) all.add(w.slice(0, at) + n); "
          "return [...all].sort().join('\\n') })(",
          memory);
    if (dot)
        fwrite(word, 1, (size_t)(dot - word), memory);
    else
        fputs("globalThis", memory);
    fputs(")", memory);
    fclose(memory);
    return code;
}

static char *complete(void *user, const char *word, size_t len)
{
    repl *r = user;
    char *code = is_python(r) ? strdup(complete_python) : complete_javascript(word, len), *words = NULL;
    aard_outcome *outcome = code ? ask(r, code, word, len) : NULL;
    size_t value_len;
    const char *value = outcome ? aard_outcome_value_json(outcome, &value_len) : NULL;
    if (value && value_len > 2 && *value == '"') { /* names have nothing to escape but the line ends between them */
        words = cli_realloc(NULL, value_len);
        size_t to = 0;
        for (size_t i = 1; i + 1 < value_len; i++) {
            bool end = value[i] == '\\' && value[i + 1] == 'n';
            words[to++] = end ? '\n' : value[i];
            i += end;
        }
        words[to] = '\0';
    }
    aard_outcome_free(outcome);
    free(code);
    return words;
}

/* ---- steps ------------------------------------------------------------------------------------------------------ */

/* Adds a line to the step. */
static void add(repl *r, const char *line, size_t len)
{
    r->code = cli_realloc(r->code, r->len + len + 1);
    memcpy(r->code + r->len, line, len);
    r->len += len;
    r->code[r->len] = '\0';
}

static void forget(repl *r)
{
    r->len = 0;
    add(r, "", 0);
}

static int tell(repl *r, const aard_outcome *outcome)
{
    int code;
    cli_guest_show(&r->guest, outcome, true);
    r->guest.mid_line = false;
    if (aard_outcome_diagnostics(outcome)->state_lost)
        cli_message("the session's state is lost: the step had to be ended by force; the next one begins anew");
    return aard_outcome_exit_code(outcome, &code) ? code & 0xff : -1;
}

/* Runs the step; whether it was whole.  `*status` is the guest's exit code where it has ended the session, else -1. */
static bool run_step(repl *r, int *status)
{
    aard_cancel_handle *handle = NULL;
    aard_outcome *outcome = NULL;
    aard_error *error = aard_cancel_handle_new(&handle);
    aard_call_set_cancel_handle(r->guest.call, handle);
    set_under_way(r, handle);
    if (!error) error = aard_isolate_exec(r->guest.isolate, r->code, r->len, "<repl>", r->guest.call, &outcome);
    set_under_way(r, NULL);
    if (error) {
        cli_fail(error);
        return true;
    }
    bool whole = !ended_early(r, outcome);
    if (whole) *status = tell(r, outcome);
    aard_outcome_free(outcome);
    return whole;
}

static bool is_blank(const repl *r) { return strspn(r->code, " \t\r\n") == r->len; }

/* After each line: the session's exit status, or -1 where it goes on. */
static int take_line(repl *r, const char *line, size_t len)
{
    int status = -1;
    add(r, line, len);
    if (is_blank(r)) {
        forget(r);
        return -1;
    }
    if (is_python(r) && wants_more(r)) return -1;
    if (run_step(r, &status)) forget(r);
    return status;
}

static int converse(repl *r)
{
    int status = -1;
    forget(r);
    while (status < 0) {
        const char *line, *first = is_python(r) ? ">>> " : "> ";
        size_t len;
        cli_line got = cli_lines_next(r->lines, r->len ? "... " : first, &line, &len);
        if (got == CLI_LINE_END) break;
        if (got == CLI_LINE_INTERRUPTED) {
            if (cli_lines_edited(r->lines)) puts("^C");
            forget(r);
            continue;
        }
        char *entry = strndup(line, strcspn(line, "\r\n"));
        if (entry) cli_lines_remember(r->lines, entry);
        free(entry);
        status = take_line(r, line, len);
    }
    if (status < 0 && r->len && !is_blank(r)) run_step(r, &status); /* the end of a program from a pipe */
    if (status < 0 && cli_lines_edited(r->lines)) putchar('\n');
    return status < 0 ? CLI_OK : status;
}

static void parse(const cli_command *command, int argc, char **argv, repl *r)
{
    static const struct option list[] = {CLI_SESSION_OPTIONS, CLI_NO_MORE_OPTIONS};
    cli_options_start();
    aard_isolate_config_set_grace_ms(r->guest.config, CLI_GRACE_MS);
    for (int option; (option = cli_next_option(command, argc, argv, CLI_GUEST_LETTERS, list)) != -1;)
        cli_guest_option(command, &r->guest, option);
    if (argc - optind) cli_usage(command, "repl takes no arguments, not '%s'", argv[optind]);
}

int cli_repl(const cli_command *command, int argc, char **argv)
{
    repl r = {.len = 0};
    int status = cli_guest_start(&r.guest);
    if (!status) parse(command, argc, argv, &r);
    if (!status) status = cli_guest_input(command, &r.guest);
    if (!status) status = start_interrupts(&r);
    if (!status) status = cli_guest_make(&r.guest);
    if (!status) {
        r.lines = cli_lines_start(complete, &r);
        if (cli_lines_edited(r.lines))
            printf("Aardvark %s, %s.  Ctrl-C ends a step, Ctrl-D the session.\n", aard_version(),
                   is_python(&r) ? "Python" : "JavaScript");
        status = converse(&r);
        cli_lines_end(r.lines);
    }
    cli_leave(status);
    free(r.code);
    cli_guest_end(&r.guest);
    return status;
}
