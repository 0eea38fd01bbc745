/* Reading lines: by libedit, which is loaded here since nobody but `repl` wants it. */
#include "cli/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <histedit.h>
#include <limits.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "base/library.h"
#include "cli/cli.h"

enum { HISTORY_LINES = 1000 };

struct cli_lines_state {
    cli_complete complete;
    void *user;
    EditLine *editor; /* NULL = lines are read as they come */
    History *history;
    const char *prompt;
    char *line; /* where they are */
    size_t room;
    char file[PATH_MAX]; /* of the history; "" = none */
};

static struct {
    EditLine *(*init)(const char *program, FILE *in, FILE *out, FILE *err);
    void (*end)(EditLine *editor);
    const char *(*gets)(EditLine *editor, int *len);
    int (*set)(EditLine *editor, int what, ...);
    int (*get)(EditLine *editor, int what, ...);
    const LineInfo *(*line)(EditLine *editor);
    int (*insert)(EditLine *editor, const char *text);
    History *(*history_init)(void);
    void (*history_end)(History *history);
    int (*history)(History *history, HistEvent *event, int what, ...);
} edit;

/* ---- libedit ---------------------------------------------------------------------------------------------------- */

static bool load(void)
{
    static const aard__library_function functions[] = {{"el_init", &edit.init},
                                                       {"el_end", &edit.end},
                                                       {"el_gets", &edit.gets},
                                                       {"el_set", &edit.set},
                                                       {"el_get", &edit.get},
                                                       {"el_line", &edit.line},
                                                       {"el_insertstr", &edit.insert},
                                                       {"history_init", &edit.history_init},
                                                       {"history_end", &edit.history_end},
                                                       {"history", &edit.history}};
    static const aard__library library = {"libedit", "libedit.so.2", "libedit2",
                                          "3.1",     functions,      sizeof functions / sizeof *functions};
    char why[300];
    if (aard__library_load(&library, why, sizeof why)) return true;
    cli_message("%s; lines can't be edited without it", why);
    return false;
}

static cli_lines_state *state_of(EditLine *editor)
{
    void *state = NULL;
    edit.get(editor, EL_CLIENTDATA, &state);
    return state;
}

static char *show_prompt(EditLine *editor) { return (char *)(uintptr_t)state_of(editor)->prompt; }

/* ---- completion ------------------------------------------------------------------------------------------------- */

/* How much all of the words, each on a line, have in common. */
static size_t common(const char *words)
{
    size_t len = strcspn(words, "\n");
    for (const char *word = words; *word; word += strcspn(word, "\n"), word += *word == '\n') {
        size_t same = 0;
        while (same < len && word[same] == words[same]) same++;
        len = same;
    }
    return len;
}

static unsigned char insert(EditLine *editor, const char *text, size_t len)
{
    char *piece = strndup(text, len);
    int failed = piece ? edit.insert(editor, piece) : -1;
    free(piece);
    return failed ? CC_ERROR : CC_REFRESH;
}

static unsigned char show(const char *words)
{
    putchar('\n');
    cli_lines(stdout, words, strlen(words));
    if (*words && words[strlen(words) - 1] != '\n') putchar('\n');
    fflush(stdout);
    return CC_REDISPLAY;
}

static bool is_of_word(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c & 0x80) || strchr("_.$", c);
}

static unsigned char complete(EditLine *editor, int key)
{
    cli_lines_state *lines = state_of(editor);
    const LineInfo *info = edit.line(editor);
    const char *word = info->cursor;
    (void)key;
    while (word > info->buffer && word[-1] && is_of_word(word[-1])) word--;
    size_t len = (size_t)(info->cursor - word);
    if (!len) return insert(editor, "    ", 4);
    char *words = lines->complete(lines->user, word, len);
    size_t same = words ? common(words) : 0;
    unsigned char what = !same                                   ? CC_ERROR
                         : same > len                            ? insert(editor, words + len, same - len)
                         : words[same] && strchr(words, '\n')[1] ? show(words)
                                                                 : CC_NORM;
    free(words);
    return what;
}

/* ---- history ---------------------------------------------------------------------------------------------------- */

static void find_file(cli_lines_state *lines)
{
    char *home;
    if (cli_fail(aard_distribution_home(&home))) return;
    char *last = strrchr(home, '/'); /* beside the distributions */
    if (last) *last = '\0';
    int len = snprintf(lines->file, sizeof lines->file, "%s/repl_history", home);
    if (len < 0 || (size_t)len >= sizeof lines->file) *lines->file = '\0';
    aard_string_free(home);
}

static void start_history(cli_lines_state *lines)
{
    HistEvent event;
    lines->history = edit.history_init();
    if (!lines->history) return;
    edit.history(lines->history, &event, H_SETSIZE, HISTORY_LINES);
    edit.history(lines->history, &event, H_SETUNIQUE, 1);
    find_file(lines);
    if (*lines->file) edit.history(lines->history, &event, H_LOAD, lines->file);
    edit.set(lines->editor, EL_HIST, edit.history, lines->history);
}

/* What people type may be nobody else's to read. */
static void save_history(cli_lines_state *lines)
{
    HistEvent event;
    if (!lines->history || !*lines->file) return;
    int fd = open(lines->file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return;
    close(fd);
    edit.history(lines->history, &event, H_SAVE, lines->file);
}

void cli_lines_remember(cli_lines_state *lines, const char *entry)
{
    HistEvent event;
    if (lines->history && *entry) edit.history(lines->history, &event, H_ENTER, entry);
}

/* ---- lines ------------------------------------------------------------------------------------------------------ */

/* A byte of stdin; -1 with EINTR where SIGINT comes, which is blocked at any other time, so that none is missed. */
static ssize_t read_byte(char *out)
{
    struct pollfd in = {STDIN_FILENO, POLLIN, 0};
    sigset_t mask;
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    sigdelset(&mask, SIGINT);
    return ppoll(&in, 1, NULL, &mask) < 0 ? -1 : read(STDIN_FILENO, out, 1);
}

/* libedit's own goes on after the first signal. */
static int read_character(EditLine *editor, wchar_t *out)
{
    mbstate_t state = {0};
    (void)editor;
    for (;;) {
        char byte;
        ssize_t got = read_byte(&byte);
        if (got <= 0) return (int)got;
        size_t used = mbrtowc(out, &byte, 1, &state);
        if (used == (size_t)-1) *out = (wchar_t)0xfffd; /* it is no character */
        if (used != (size_t)-2) return 1;
    }
}

static void start_editor(cli_lines_state *lines)
{
    lines->editor = edit.init("aardvark", stdin, stdout, stderr);
    if (!lines->editor) return;
    edit.set(lines->editor, EL_CLIENTDATA, lines);
    edit.set(lines->editor, EL_PROMPT, show_prompt);
    edit.set(lines->editor, EL_SIGNAL, 0);
    edit.set(lines->editor, EL_GETCFN, read_character);
    edit.set(lines->editor, EL_EDITOR, "emacs");
    edit.set(lines->editor, EL_ADDFN, "complete", "names of the guest", complete);
    edit.set(lines->editor, EL_BIND, "^I", "complete", NULL);
    edit.set(lines->editor, EL_BIND, "^R", "em-inc-search-prev", NULL);
    start_history(lines);
}

cli_lines_state *cli_lines_start(cli_complete complete_word, void *user)
{
    cli_lines_state *lines = cli_realloc(NULL, sizeof *lines);
    *lines = (cli_lines_state){.complete = complete_word, .user = user};
    if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && load()) {
        if (!setlocale(LC_CTYPE, "") || MB_CUR_MAX == 1) setlocale(LC_CTYPE, "C.UTF-8");
        start_editor(lines);
    }
    return lines;
}

void cli_lines_end(cli_lines_state *lines)
{
    if (lines->editor) {
        save_history(lines);
        if (lines->history) edit.history_end(lines->history);
        edit.end(lines->editor);
    }
    free(lines->line);
    free(lines);
}

bool cli_lines_edited(const cli_lines_state *lines) { return lines->editor; }

static cli_line plain_line(cli_lines_state *lines, const char **line, size_t *len)
{
    size_t used = 0;
    char byte = 0;
    ssize_t got = 1;
    while (byte != '\n' && (got = read_byte(&byte)) > 0) {
        if (used + 1 >= lines->room) lines->line = cli_realloc(lines->line, lines->room = 2 * lines->room + 80);
        lines->line[used++] = byte;
    }
    if (got < 0 && errno == EINTR) return CLI_LINE_INTERRUPTED;
    if (!used) return CLI_LINE_END;
    lines->line[used] = '\0';
    *line = lines->line;
    *len = used;
    return CLI_LINE;
}

cli_line cli_lines_next(cli_lines_state *lines, const char *prompt, const char **line, size_t *len)
{
    int count = 0;
    errno = 0;
    if (!lines->editor) return plain_line(lines, line, len);
    lines->prompt = prompt;
    const char *got = edit.gets(lines->editor, &count);
    if (got && count > 0) {
        *line = got;
        *len = (size_t)count;
        return CLI_LINE;
    }
    return count < 0 && errno == EINTR ? CLI_LINE_INTERRUPTED : CLI_LINE_END;
}
