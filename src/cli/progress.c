/* Progress of staging, on stderr: a bar on a terminal, else one line a step. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"

#define BAR 30
#define REDRAW_MS 50

void cli_progress_start(cli_progress *progress, bool quiet)
{
    const char *term = getenv("TERM");
    *progress = (cli_progress){.quiet = quiet, .terminal = isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0};
}

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void draw(cli_progress *progress, uint64_t done, uint64_t total)
{
    char line[200], size[32], all[32], bar[BAR + 1];
    if (total) {
        double part = done < total ? (double)done / (double)total : 1;
        size_t filled = (size_t)(part * BAR);
        memset(bar, '#', filled);
        memset(bar + filled, '.', BAR - filled);
        bar[BAR] = '\0';
        snprintf(line, sizeof line, "[%s] %3d%%  %s  %s of %s", bar, (int)(part * 100), progress->step,
                 cli_size(done, size), cli_size(total, all));
    } else {
        snprintf(line, sizeof line, "%s%s%s", progress->step, done ? "  " : "", done ? cli_size(done, size) : "");
    }
    int columns = (int)strlen(line);
    fprintf(stderr, "\r%s%*s", line, progress->drawn > columns ? progress->drawn - columns : 0, "");
    progress->drawn = columns;
}

void cli_progress_show(void *user, const char *step, uint64_t done, uint64_t total)
{
    cli_progress *progress = user;
    if (progress->quiet) return;
    bool new_step = strncmp(step, progress->step, sizeof progress->step - 1) != 0;
    if (new_step) {
        if (progress->drawn) cli_progress_end(progress);
        snprintf(progress->step, sizeof progress->step, "%s", step);
        if (!progress->terminal) fprintf(stderr, "%s\n", progress->step);
    }
    if (!progress->terminal) return;
    uint64_t now = now_ms();
    if (!new_step && now - progress->last_ms < REDRAW_MS && done != total) return;
    progress->last_ms = now;
    draw(progress, done, total);
}

void cli_progress_end(cli_progress *progress)
{
    if (progress->drawn) fputc('\n', stderr);
    progress->drawn = 0;
}
